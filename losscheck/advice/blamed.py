"""What is to blame for a finding, and what the operation did to its numbers, as words need it.

Each sentence stands beside the condition under which it is true. The condition is tried on the very
numbers that went through the operation; where none holds there is no sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.advice import wording
from losscheck.advice.limits import LARGEST
from losscheck.model import Array, Direction, Location

# Operations that run functions: what is at fault lies in these, and operands are what they run.
RUNNING = {
    **dict.fromkeys(("While", "StatelessWhile"), "loop"),
    **dict.fromkeys(("If", "StatelessIf", "Case", "StatelessCase"), "branch"),
}
Numbers = tuple[float, ...]
Holds = Callable[[Numbers, float], bool]  # of the operands and the end of the dtype


@attrs.frozen
class Span:
    """Where an expression stands in the user's source."""

    file: str  # absolute
    line: int  # 1-based
    column: int  # 0-based, in characters
    end_line: int
    end_column: int  # exclusive


@attrs.frozen(kw_only=True, eq=False)
class Blame:
    """The op at fault, the user's expression that made it, and the numbers that went through it."""

    location: Location | None
    op: str  # TensorFlow op type of the forward pass, such as "Log"; "" if unknown
    direction: Direction
    expression: str  # source text of the blamed expression, "tf.math.log(y_pred)"; "" if unknown
    operands: tuple[str, ...]  # source text of the expression's operands
    operand_values: tuple[Array, ...]  # inputs of the op in this case, in its order; may be empty
    result: Any  # the value that went wrong, or None
    ran: Ran | None = None  # the operation that gave it, forward or on the way back
    then: Ran | None = None  # on the way back, the one that made NaN of its infinity
    vanished: str = ""  # a sentence on a constant that the dtype rounds away; "" where none is
    exact: float | None = None  # what it is in more digits, where digits were lost
    span: Span | None = None  # of the expression; None where its end is not known
    statement: str = ""  # the statement that holds it, on one line; "" if unknown
    meanings: Mapping[str, str] = attrs.field(factory=dict)  # names before it, where asked for
    later: tuple[str, ...] = ()  # statements behind it in the same function, the same
    function: str = ""  # the innermost function around it, the same


@attrs.frozen(kw_only=True)
class Claim:
    """A sentence on the operands of an operation, and when it is true."""

    holds: Holds
    says: str  # a template over x, y, dtype and largest


@attrs.frozen(kw_only=True, eq=False)
class Ran:
    """One operation as it ran, forward or on the way back."""

    op: str
    # What went in; shapes broadcast to that of the outcome, or the operation is no elementwise one.
    operands: tuple[Array, ...]
    outcome: Array  # what came out
    dtype: str  # of what came out

    @property
    def index(self) -> int | None:
        """The first element of the outcome that is not finite; None where all are."""
        bad = np.flatnonzero(~np.isfinite(np.asarray(self.outcome, np.float64)))
        return int(bad[0]) if len(bad) else None

    def at(self, index: int) -> Numbers | None:
        """The operands of one element; None of an operation that is no elementwise one."""
        try:
            same = [
                np.broadcast_to(np.asarray(array, np.float64), np.shape(self.outcome)).ravel()
                for array in self.operands
            ]
        except ValueError:
            return None
        return tuple(float(array[index]) for array in same)

    def told(self) -> str:
        """Say what happened, without a period; "" where the numbers show nothing that is known."""
        index = self.index
        numbers = None if index is None or self.op in WHOLE else self.at(index)
        if numbers is None:
            return self._of_all() if index is not None and self.op in WHOLE else ""
        end = LARGEST_EXACT[self.dtype]
        for claim in CLAIMS.get(self.op, ()):
            if len(numbers) >= claim.says.count("{y}") + 1 and claim.holds(numbers, end):
                return self._filled(claim, numbers)
        return ""

    def _filled(self, claim: Claim, numbers: Numbers) -> str:
        x, y = (*numbers, math.nan, math.nan)[:2]
        return claim.says.format(
            x=wording.number(x),
            y=wording.number(y),
            dtype=self.dtype,
            largest=wording.number(LARGEST[self.dtype]),
        )

    def _of_all(self) -> str:
        """Say of a sum what its terms are."""
        terms = np.asarray(self.operands[0], np.float64)
        end = LARGEST_EXACT[self.dtype]
        plus, minus = (terms == np.inf).any(), (terms == -np.inf).any()
        if plus and minus:
            return "Inf - Inf is NaN: terms of the sum are infinite in both directions"
        if terms.size == 0:
            return "the mean of no elements is 0 / 0"
        if np.isfinite(terms).all() and np.abs(terms).sum() > end:
            return (
                f"the sum of {terms.size:,} terms, the largest of them "
                f"{wording.number(np.abs(terms).max())}, is larger than {self.dtype} can hold, "
                f"which ends at {wording.number(LARGEST[self.dtype])}"
            )
        return ""


# Sums may meet the end of the dtype on their way, whatever the whole comes to.
WHOLE = frozenset({"Sum", "Mean"})
LARGEST_EXACT = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float64).max),
}


def _finite(numbers: Numbers) -> bool:
    return all(map(math.isfinite, numbers))


def _zero_by_infinite(n: Numbers, _: float) -> bool:
    return (n[0] == 0 and math.isinf(n[1])) or (math.isinf(n[0]) and n[1] == 0)


def _opposite(n: Numbers, _: float) -> bool:
    return math.isinf(n[0]) and math.isinf(n[1]) and n[0] == -n[1]


def _alike(n: Numbers, _: float) -> bool:
    return math.isinf(n[0]) and n[0] == n[1]


def _beyond(compute: Callable[..., float]) -> Holds:
    """Hold where finite operands give what is beyond the end of the dtype."""

    def holds(numbers: Numbers, end: float) -> bool:
        if not _finite(numbers):
            return False
        try:
            return abs(compute(*numbers)) > end
        except (OverflowError, ZeroDivisionError):
            return True
        except ValueError:
            return False

    return holds


TOO_LARGE = "is larger than {dtype} can hold, which ends at {largest}"

CLAIMS: dict[str, tuple[Claim, ...]] = {
    "Mul": (
        Claim(holds=_zero_by_infinite, says="{x} * {y} is NaN"),
        Claim(holds=_beyond(lambda x, y: x * y), says=f"{{x}} * {{y}} {TOO_LARGE}"),
    ),
    **dict.fromkeys(
        ("Add", "AddV2"),
        (
            Claim(holds=_opposite, says="Inf - Inf is NaN"),
            Claim(holds=_beyond(lambda x, y: x + y), says=f"{{x}} + {{y}} {TOO_LARGE}"),
        ),
    ),
    "Sub": (
        Claim(holds=_alike, says="Inf - Inf is NaN"),
        Claim(holds=_beyond(lambda x, y: x - y), says=f"{{x}} - {{y}} {TOO_LARGE}"),
    ),
    **dict.fromkeys(
        ("RealDiv", "Div"),
        (
            Claim(holds=lambda n, _: n[0] == 0 and n[1] == 0, says="0 / 0 is NaN"),
            Claim(holds=lambda n, _: n[1] == 0 and _finite(n), says="{x} is divided by 0"),
            Claim(
                holds=lambda n, _: math.isinf(n[0]) and math.isinf(n[1]), says="Inf / Inf is NaN"
            ),
            Claim(holds=_beyond(lambda x, y: x / y), says=f"{{x}} / {{y}} {TOO_LARGE}"),
        ),
    ),
    **dict.fromkeys(
        ("Reciprocal", "Inv"),
        (
            Claim(holds=lambda n, _: n[0] == 0, says="1 / 0 is infinite"),
            Claim(holds=_beyond(lambda x: 1 / x), says=f"1 / {{x}} {TOO_LARGE}"),
        ),
    ),
    "Square": (Claim(holds=_beyond(lambda x: x * x), says=f"the square of {{x}} {TOO_LARGE}"),),
    "SquaredDifference": (
        Claim(
            holds=_beyond(lambda x, y: (x - y) ** 2),
            says=f"the square of {{x}} - {{y}} {TOO_LARGE}",
        ),
    ),
    "Exp": (Claim(holds=_beyond(math.exp), says=f"exp({{x}}) {TOO_LARGE}"),),
    "Expm1": (Claim(holds=_beyond(math.expm1), says=f"exp({{x}}) - 1 {TOO_LARGE}"),),
    "Cosh": (Claim(holds=_beyond(math.cosh), says=f"cosh({{x}}) {TOO_LARGE}"),),
    "Sinh": (Claim(holds=_beyond(math.sinh), says=f"sinh({{x}}) {TOO_LARGE}"),),
    "Log": (
        Claim(holds=lambda n, _: n[0] == 0, says="the logarithm of 0 is -Inf"),
        Claim(holds=lambda n, _: n[0] < 0, says="the logarithm of {x} does not exist"),
    ),
    "Log1p": (
        Claim(holds=lambda n, _: n[0] == -1, says="log(1 + x) is -Inf at x = -1"),
        Claim(holds=lambda n, _: n[0] < -1, says="log(1 + x) does not exist at x = {x}"),
    ),
    "Sqrt": (Claim(holds=lambda n, _: n[0] < 0, says="the square root of {x} does not exist"),),
    "Rsqrt": (
        Claim(holds=lambda n, _: n[0] == 0, says="1 / sqrt(0) is infinite"),
        Claim(holds=lambda n, _: n[0] < 0, says="the square root of {x} does not exist"),
    ),
    "Pow": (
        Claim(
            holds=lambda n, _: n[0] < 0 and not n[1].is_integer(),
            says="{x} to the power of {y} does not exist",
        ),
        Claim(holds=lambda n, _: n[0] == 0 and n[1] < 0, says="0 to the power of {y} is infinite"),
        Claim(holds=_beyond(math.pow), says=f"{{x}} to the power of {{y}} {TOO_LARGE}"),
    ),
    "SqrtGrad": (
        Claim(holds=lambda n, _: n[0] == 0, says="the slope of the square root at 0 is infinite"),
        Claim(
            holds=_beyond(lambda root, slope: slope * 0.5 / root),
            says=f"{{y}} times the slope of the square root at {{x}}**2 {TOO_LARGE}",
        ),
    ),
    "RsqrtGrad": (
        Claim(
            holds=lambda n, _: math.isinf(n[0]), says="the slope of 1 / sqrt(x) at 0 is infinite"
        ),
    ),
    **dict.fromkeys(
        ("Acos", "Asin"),
        (
            Claim(
                holds=lambda n, _: abs(n[0]) > 1,
                says="the function ends at -1 and 1, and is given {x}",
            ),
        ),
    ),
    "Acosh": (Claim(holds=lambda n, _: n[0] < 1, says="acosh begins at 1, and is given {x}"),),
    "Atanh": (
        Claim(holds=lambda n, _: abs(n[0]) == 1, says="atanh is infinite at {x}"),
        Claim(
            holds=lambda n, _: abs(n[0]) > 1,
            says="the function ends at -1 and 1, and is given {x}",
        ),
    ),
}
