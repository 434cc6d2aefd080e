"""A cause is said only where the numbers show it.

The expected numbers are those of IEEE 754: float32 ends at 3.4028e38, exp overflows above 88.72.
"""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.advice import conditions
from losscheck.advice.base import Advice
from losscheck.advice.blamed import Blame, Ran
from losscheck.advice.nonfinite import ADVICE
from losscheck.advice.scene import Scene, scene
from losscheck.model import Direction, Location, Suspect

# What these say of an operation holds whatever the numbers are, once NaN or Inf came out of it.
OF_THE_CODE = {"A product of many factors", "A class index", "The gradient comes", "The value that"}


def seen(op: str, *operands: float, backward: bool = False, outcome: float = np.nan) -> Scene:
    direction = Direction.BACKWARD if backward else Direction.FORWARD
    arrays = tuple(np.asarray([each], np.float32) for each in operands)
    place = Location(
        file="losses.py", line=1, column=1, end_column=5, source="f(a, b)", op=op,
        direction=direction.value,
    )  # fmt: skip
    blame = Blame(
        location=place,
        op=op,
        direction=direction,
        expression="f(a, b)",
        operands=("a", "b"),
        operand_values=arrays,
        result=outcome,
        ran=Ran(op=op, operands=arrays, outcome=np.asarray([outcome]), dtype="float32"),
    )
    return scene(Suspect(code="LC201", form="nan", direction=direction), blame)


EVERY = [
    pytest.param(op, direction, advice, id=f"{op}-{direction}-{number}")
    for (op, direction), some in ADVICE.items()
    for number, advice in enumerate(some)
]


@pytest.mark.parametrize(("op", "direction", "advice"), EVERY)
def test_no_cause_is_given_of_numbers_that_do_no_harm(
    op: str, direction: str, advice: Advice
) -> None:
    harmless = seen(op, 0.5, 0.5, backward=direction == "backward")
    if not any(advice.cause.startswith(begin) for begin in OF_THE_CODE):
        said = advice.when(harmless) and advice.true(harmless)
        # acosh begins at 1, so that 0.5 does harm there.
        assert not said or op == "Acosh"


def test_conditions_hold_at_the_numbers_that_they_name() -> None:
    assert conditions.exponential(seen("Exp", 89.0))
    assert not conditions.exponential(seen("Exp", 88.0))
    assert conditions.square(seen("Square", 2e19))
    assert not conditions.square(seen("Square", 1e19))
    assert conditions.slope_of_log(seen("Log", 1e-39))
    assert not conditions.slope_of_log(seen("Log", 1e-37))
    assert conditions.slope_of_quotient(seen("RealDiv", 1.0, 1e-20))
    assert conditions.steep_power(seen("Pow", 0.0, 0.5))
    assert not conditions.steep_power(seen("Pow", 0.0, 2.0))
    assert conditions.pole_of_gamma(seen("Lgamma", -2.0))
    assert not conditions.pole_of_gamma(seen("Lgamma", -2.5))


def test_matrices_are_looked_at_as_such() -> None:
    flat = Ran(op="Cholesky", operands=(), outcome=np.asarray(np.nan), dtype="float32")
    of = lambda matrix: Scene(  # noqa: E731
        **{**_fields(seen("Cholesky", 1.0)), "operands": (np.asarray(matrix),), "ran": flat}
    )
    assert conditions.singular(of([[1.0, 1.0], [1.0, 1.0]]))
    assert not conditions.singular(of([[2.0, 1.0], [1.0, 2.0]]))
    assert conditions.repeated_values(of([[1.0, 0.0], [0.0, 1.0]]))
    assert not conditions.repeated_values(of([[2.0, 1.0], [1.0, 2.0]]))
    assert conditions.row_without_number(of([[-np.inf, -np.inf], [1.0, 2.0]]))
    assert not conditions.row_without_number(of([[-np.inf, 0.0], [1.0, 2.0]]))


def test_what_is_finite_when_looked_at_is_not_explained() -> None:
    measured = seen("AddN", 1.0, 2.0, outcome=3.0).measured()
    assert measured.startswith("It becomes NaN in the graph as it runs.")


def test_what_rounding_took_beyond_one_is_not_told_as_one() -> None:
    beyond = float(np.nextafter(np.float32(1.0), np.float32(2.0)))
    assert seen("Acos", beyond).words()["at"] == "1.00000012"
    assert seen("Acos", 1.0).words()["at"] == "1"


def _fields(found: Scene) -> dict[str, object]:
    import attrs

    return {field.name: getattr(found, field.name) for field in attrs.fields(Scene)}
