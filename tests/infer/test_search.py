"""What the search for a layout costs: it is bounded by what is traced, not by the clock."""

from __future__ import annotations

from typing import Any

import pytest

from losscheck.infer import infer, search
from losscheck.program.quiet import tensorflow
from losscheck.settings.budget import Budget
from losscheck.targets import from_callable

tf = tensorflow()


class Counted:
    """A loss of so many operations, which counts its calls and fits one width alone."""

    def __init__(self, operations: int, width: int) -> None:
        self.calls = 0
        self._operations = operations
        self._width = width

    def function(self) -> Any:
        def loss(y_true: Any, y_pred: Any) -> Any:
            self.calls += 1
            found = y_pred
            for _ in range(self._operations):
                found = tf.sin(found)
            tf.ensure_shape(found, (*found.shape[:-1], self._width))
            return tf.reduce_mean(tf.square(y_true - found), axis=-1)

        return loss


def shape_of(loss: Any) -> str:
    return infer(from_callable(loss), {}, home=".", base=".").spec.arguments[1].shape


def test_a_width_that_is_named_is_found_soon() -> None:
    counted = Counted(operations=2, width=51)
    assert shape_of(counted.function()) == "(B, 51)"
    assert counted.calls < 60


def test_what_is_traced_in_vain_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_SPENT", 2_000)
    tried = []
    for operations in (1, 40):
        counted = Counted(operations, width=100_000)
        shape_of(counted.function())
        tried.append(counted.calls)
    assert tried[0] > 2 * tried[1] > 2 * 18


def test_a_search_ends_with_its_share_of_the_budget_and_what_was_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = iter(range(10**9))
    monkeypatch.setattr("losscheck.settings.budget.time.process_time", lambda: next(ticks))
    monkeypatch.setattr(search, "SHARE", 0.05)
    found = Budget(1_000.0)  # ticks, of which each question for the time takes one
    counted = Counted(1, width=100_000)  # which is looked for as long as there is time
    with found.running():
        shape_of(counted.function())
    assert counted.calls < 60
    assert set(found.shortened) == {"not all shapes were tried"}
