"""What a comparison of two losses shows of itself."""

from __future__ import annotations

from losscheck.comparison import Compared, Comparison, Difference
from losscheck.model import Environment


def comparison() -> Comparison:
    names = ("python", "tensorflow", "keras", "numpy", "hypothesis", "platform")
    return Comparison(
        losscheck="0",
        environment=Environment(**dict.fromkeys(names, "")),
        answer="differ",
        old=Compared(target="a:old", source=None, arguments=()),
        new=Compared(target="a:new", source=None, arguments=()),
        arguments=(),
        differences=(Difference(what="value", weight="difference", right="old", message="m"),),
        cases=1,
        dtypes=("float32",),
        modes=("graph",),
        shapes=(),
        notes=(),
        seed=0,
        seconds=0.1,
    )


def test_a_comparison_is_shown_on_one_line() -> None:
    assert repr(comparison()) == "<losscheck a:old -> a:new: differ, 1 difference>"
