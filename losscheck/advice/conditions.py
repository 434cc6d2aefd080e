"""When the cause that a piece of advice gives is true of the numbers that went through the op.

All take the numbers of the element that went wrong, as `Scene` holds them; what is not known is not
taken for true.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from losscheck.advice.blamed import LARGEST_EXACT
from losscheck.advice.scene import Scene
from losscheck.model import Array

Condition = Callable[[Scene], bool]


def zero(s: Scene) -> bool:
    """The first operand is 0."""
    return s.vx == 0


def negative(s: Scene) -> bool:
    """The first operand is below 0."""
    return s.vx is not None and s.vx < 0


def second_zero(s: Scene) -> bool:
    """The second operand is 0."""
    return s.vy == 0


def both_zero(s: Scene) -> bool:
    """Both operands are 0."""
    return s.vx == 0 and s.vy == 0


def infinite(s: Scene) -> bool:
    """The first operand is infinite."""
    return s.vx is not None and math.isinf(s.vx)


def infinite_of_finite(s: Scene) -> bool:
    """What comes out is infinite, though all of the first operand is finite."""
    return not s.nan and bool(s.operands) and bool(np.isfinite(s.operands[0]).all())


def infinite_or_zero(s: Scene) -> bool:
    """The first operand is infinite, or 0."""
    return zero(s) or infinite(s)


def both_infinite(s: Scene) -> bool:
    """Both operands are infinite, with the same sign."""
    return infinite(s) and s.vx == s.vy


def beyond(compute: Callable[..., float], *, of: str = "x") -> Condition:
    """Make a condition of a formula: of finite operands it comes to more than the dtype holds.

    Parameters
    ----------
    compute
        Takes the operands that `of` names.
    of
        "x", "y" or "xy".
    """

    def condition(s: Scene) -> bool:
        numbers = [{"x": s.vx, "y": s.vy}[name] for name in of]
        if not all(number is not None and math.isfinite(number) for number in numbers):
            return False
        try:
            return abs(compute(*numbers)) > LARGEST_EXACT[s.dtype]
        except (OverflowError, ZeroDivisionError):
            return True
        except ValueError:
            return False

    return condition


def either(*conditions: Condition) -> Condition:
    """Hold where one of them does."""
    return lambda s: any(condition(s) for condition in conditions)


def forward(condition: Condition) -> Condition:
    """Hold on the way forward alone: on the way back other numbers meet."""
    return lambda s: not s.backward and condition(s)


slope_of_log = either(zero, beyond(lambda x: 1 / x))
slope_of_log_of_second = either(second_zero, beyond(lambda y: 1 / y, of="y"))
slope_of_root = either(zero, beyond(lambda x: 0.5 / math.sqrt(x)))
inverse_root = either(zero, negative, beyond(lambda x: x**-1.5))
reciprocal = either(zero, beyond(lambda x: 1 / x**2))
quotient = beyond(lambda x, y: x / y, of="xy")
slope_of_quotient = either(beyond(lambda y: 1 / y, of="y"), beyond(lambda x, y: x / y**2, of="xy"))
slope_of_guarded = either(second_zero, beyond(lambda y: 1 / y**2, of="y"))
product = forward(beyond(lambda x, y: x * y, of="xy"))
square = beyond(lambda x: x * x)
square_of_difference = beyond(lambda x, y: (x - y) ** 2, of="xy")
exponential = beyond(math.exp)
hyperbolic = beyond(math.cosh)
power = beyond(math.pow, of="xy")
beyond_one = either(
    lambda s: s.vx is not None and abs(s.vx) == 1,
    beyond(lambda x: 1 / math.sqrt(1 - x * x)),
)


def first_zero_second_infinite(s: Scene) -> bool:
    """0 meets an infinity on the way forward, the 0 first."""
    return not s.backward and s.vx == 0 and s.vy is not None and math.isinf(s.vy)


def second_zero_first_infinite(s: Scene) -> bool:
    """0 meets an infinity on the way forward, the 0 second."""
    return not s.backward and s.vy == 0 and infinite(s)


def steep_power(s: Scene) -> bool:
    """The base is 0, and the exponent below 1."""
    return s.vx == 0 and s.vy is not None and 0 < s.vy < 1


def at_most_minus_one(s: Scene) -> bool:
    """1 plus the first operand is not positive, or so small that its slope overflows."""
    return s.vx is not None and (s.vx <= -1 or beyond(lambda x: 1 / (1 + x))(s))


def at_most_one(s: Scene) -> bool:
    """The first operand is at most 1."""
    return s.vx is not None and s.vx <= 1


def pole_of_gamma(s: Scene) -> bool:
    """The first operand is 0 or a negative whole number."""
    return s.vx is not None and s.vx <= 0 and float(s.vx).is_integer()


def terms_overflow(s: Scene) -> bool:
    """Finite terms add up to more than the dtype holds."""
    terms = _first(s)
    if terms is None or not np.isfinite(terms).all():
        return False
    return bool(np.abs(terms).sum() > LARGEST_EXACT[s.dtype])


def entries_overflow(s: Scene) -> bool:
    """The result is infinite, and what went in is finite."""
    return not s.nan and finite_operands(s)


def does_not_fit(s: Scene) -> bool:
    """A number that is written, or was cast, is beyond the end of the dtype."""
    return s.vx is None or LARGEST_EXACT[s.dtype] < abs(s.vx) < math.inf


def finite_operands(s: Scene) -> bool:
    """All that went in is known, and finite."""
    return bool(s.operands) and all(
        np.isfinite(np.asarray(a, np.float64)).all() for a in s.operands
    )


def seen_with_finite_operands(s: Scene) -> bool:
    """What went in is finite, and what came out was seen not to be."""
    return finite_operands(s) and (s.ran is None or s.ran.index is not None)


def row_without_number(s: Scene) -> bool:
    """A row is -Inf throughout, or something in it is Inf or NaN."""
    rows = _first(s)
    if rows is None or not rows.ndim:
        return False
    empty = (rows == -np.inf).all(axis=-1)
    return bool(empty.any() or np.isnan(rows).any() or (rows == np.inf).any())


def repeated_values(s: Scene) -> bool:
    """Two singular values of a matrix are equal, or differ by rounding alone."""
    found = _singular_values(s)
    if found is None or found.shape[-1] < 2:
        return False
    gaps = -np.diff(found, axis=-1)
    return bool((gaps <= 16 * _epsilon(s) * found[..., :1]).any())


def singular(s: Scene) -> bool:
    """A matrix has no inverse that the dtype can tell from none."""
    found = _singular_values(s)
    if found is None:
        return False
    return bool((found[..., -1] <= 16 * _epsilon(s) * found[..., 0]).any())


def _first(s: Scene) -> Array | None:
    return np.asarray(s.operands[0], np.float64) if s.operands else None


def _singular_values(s: Scene) -> Array | None:
    matrix = _first(s)
    if matrix is None or matrix.ndim < 2 or not np.isfinite(matrix).all() or 0 in matrix.shape:
        return None
    return np.asarray(np.linalg.svd(matrix, compute_uv=False))


def _epsilon(s: Scene) -> float:
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}.get(s.dtype, 2.0**-52)
