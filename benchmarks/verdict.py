"""losscheck's verdict on the gradient of one case: the one place that calls it."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import attrs

from benchmarks.extras import extras
from benchmarks.family import Array

MODULE: Final = "losscheck.evidence.gradient.large_case"


@attrs.frozen(kw_only=True, eq=False)
class Whole:
    """A verdict on the whole gradient.

    Attributes
    ----------
    outcome
        "verified", "wrong" or "inconclusive".
    how
        "dense", "coloured" or "projected".
    wrong
        Flat indices.
    wall
        Seconds of the call.
    seconds
        Of every part of it.
    extras
        Seconds of what comes after the call, second opinion and self-test; empty if not asked for.
    passes
        "forward" and "gradient": how often each was evaluated.
    """

    outcome: str
    how: str
    wrong: tuple[int, ...]
    wall: float
    seconds: Mapping[str, float]
    passes: Mapping[str, float]
    extras: Mapping[str, float] = attrs.field(factory=dict)


class Check(Protocol):
    """Check a case; what comes after the verdict is timed only when asked for."""

    def __call__(
        self, programs: Any, inputs: Mapping[str, Array], with_extras: bool = False
    ) -> Whole:
        """Give the verdict on one case."""
        ...


def checker() -> Check | None:
    """Give check(programs, inputs), or None where this losscheck has no such entry."""
    try:
        module = importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        if error.name != MODULE:
            raise
        return None

    def check(programs: Any, inputs: Mapping[str, Array], with_extras: bool = False) -> Whole:
        start = time.perf_counter()
        verdict = module.check_case(programs, inputs, seed=0)
        wall = time.perf_counter() - start
        return Whole(
            outcome=str(verdict.outcome),
            how=str(verdict.how),
            wrong=tuple(int(index) for index in verdict.wrong),
            wall=wall,
            seconds=dict(verdict.seconds),
            extras=extras(programs, inputs, verdict) if with_extras else {},
            passes=dict(verdict.passes),
        )

    return check
