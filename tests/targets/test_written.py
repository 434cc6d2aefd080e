"""How a program comes by what no module holds: its source is written out, and makes it again."""

from __future__ import annotations

import functools
import linecache
import math
from typing import Any

import pytest

from losscheck.targets import from_callable
from losscheck.targets.written import UNWRITTEN, name, written

CELL = '''
import math

BASE = 2.0


def scaled(x):
    return BASE * x


class Power:
    """To any power."""

    def __init__(self, p=2.0):
        self.p = p

    def __call__(self, y_true, y_pred):
        return scaled(math.fabs(y_true - y_pred)) ** self.p


class Cubed(Power):
    def __call__(self, y_true, y_pred):
        return super().__call__(y_true, y_pred) ** 3


def near(y_true, y_pred, p=1.0):
    return scaled(y_true - y_pred) ** p


half = lambda y_true, y_pred: scaled(y_true - y_pred) / 2
'''


def run(text: str, file: str, **space: Any) -> dict[str, Any]:
    """Run text as a notebook runs a cell: its lines are known to linecache alone."""
    if file != "<string>":
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    exec(compile(text, file, "exec"), space)
    return space


@pytest.fixture(scope="module")
def cell() -> dict[str, Any]:
    return run(CELL, "<ipython-input-3-1f2e>", __name__="__main__")


def made(lines: Any) -> Any:
    """What `loss` is in the program."""
    assert lines not in (None, UNWRITTEN)
    space: dict[str, Any] = {}
    exec("\n".join((*lines.imports, *lines.lines)), space)
    return space["loss"]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda cell: cell["near"], "near"),
        (lambda cell: cell["Power"](3.0), "Power"),
        (lambda cell: cell["Cubed"](2.0), "Cubed"),
        (lambda cell: functools.partial(cell["near"], p=3.0), "near"),
        (lambda cell: cell["half"], "<lambda>"),
    ],
)
def test_a_loss_of_a_notebook_is_made_again(cell: Any, make: Any, named: str) -> None:
    loss = make(cell)
    assert name(loss) == f"__main__:{named}"
    again = made(written(loss))
    assert again is not loss
    assert [again(1.0, x) for x in (0.0, 4.0)] == [loss(1.0, x) for x in (0.0, 4.0)]


def test_what_an_object_holds_may_be_no_text(cell: Any) -> None:
    assert written(cell["Power"](math.fabs)) is UNWRITTEN


def test_a_class_within_a_function_is_made_again() -> None:
    factor = 3.0

    class Scaled:
        def __call__(self, y_true: float, y_pred: float) -> float:
            return factor * (y_true - y_pred)

    assert made(written(Scaled()))(2.0, 1.0) == 3.0


def test_text_that_was_run_has_a_name_and_no_source() -> None:
    loss = run("def gone(y_true, y_pred): return y_true - y_pred", "<string>")["gone"]
    assert name(loss) == "<string>:gone"
    assert written(loss) is UNWRITTEN


OWN = """
import keras


class Own(keras.losses.Loss):
    def __init__(self, held, name="own"):
        super().__init__(name=name)
        self.held = held

    def call(self, y_true, y_pred):
        return y_true - y_pred
"""


def test_nothing_is_imported_from_main() -> None:
    own = run(OWN, "<ipython-input-4-1f2e>", __name__="__main__")["Own"](held=object())
    assert from_callable(own).written is UNWRITTEN
