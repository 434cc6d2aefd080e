"""The number of cases that a domain is tried on: what it costs does not grow with the sample."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from losscheck.infer.probe import FEWEST, PROBES, WORK, probes


def of(operations: int, *shape: int) -> int:
    graph = SimpleNamespace(wiring=SimpleNamespace(forward=range(operations)))
    program: Any = SimpleNamespace(graphed=graph)
    return probes(program, {"y_true": shape, "y_pred": shape})


def test_small_samples_are_tried_on_as_many_as_ever() -> None:
    assert of(20, 4, 3) == of(100, 2, 32, 32, 1) == PROBES


def test_large_samples_are_tried_on_fewer() -> None:
    assert of(500, 2, 176, 176, 1) == FEWEST
    assert FEWEST < of(50, 2, 128, 128, 1) < PROBES


def test_between_them_the_work_is_bounded() -> None:
    cases = of(50, 2, 128, 128, 1)
    assert cases * 50 * 2 * 2 * 128 * 128 <= WORK
