"""A real number as an exact part and a small ball: what arithmetic of any precision works on.

More digits alone do not tell 1 - sigmoid(1e4) from 0, nor an exact tie from a near one. So a
number is ``exact + rest``: a dyadic fraction that nothing has rounded yet, and a rest of which a
middle and a bound of its error are known. 1 / (1 + exp(-1e4)) is 1 and a rest of -exp(-1e4), and
taking 1 away from it leaves that rest with all its digits. The rest carries a key of how it was
computed, so that equal computations on equal numbers cancel to an exact 0, not to a ball around 0.

Numbers have no signed zero: 1/0 is +inf.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from mpmath import libmp
from numpy.typing import NDArray

Raw = tuple[int, int, int, int]  # mpmath's own form: sign, mantissa, exponent, bits of the mantissa
Exponent = int | float  # a power of two; -inf for that of 0, +inf where nothing is known
NEVER = float("-inf")
ANYTHING = float("inf")

FZERO: Raw = libmp.fzero
FONE: Raw = libmp.fone

KEY_BITS = (1 << 62) - 1  # keys are positive before their sign, so Python's hashes lose theirs


class Ball(NamedTuple):
    """The rest of a number: a real number within ``2**error`` of ``middle``."""

    middle: Raw
    error: Exponent
    key: int  # equal keys are equal reals, opposite keys opposite ones


class Number:
    """``exact`` plus what lies in ``ball``; infinities and NaN are exact and have no ball."""

    __slots__ = ("ball", "exact")

    def __init__(self, exact: Raw, ball: Ball | None = None) -> None:
        self.exact = exact
        self.ball = ball

    @property
    def unknown(self) -> bool:
        """Whether it may be anything at all, NaN included."""
        return self.ball is not None and self.ball.error == ANYTHING

    @property
    def special(self) -> bool:
        """Whether it is NaN or infinite."""
        return is_special(self.exact)

    @property
    def nan(self) -> bool:
        """Whether it is NaN."""
        return not self.exact[1] and self.exact[2] == libmp.fnan[2]

    @property
    def known(self) -> bool:
        """Whether it has no ball."""
        return self.ball is None


class Undecided(Exception):  # noqa: N818 - a state of the search for digits, as StopIteration is one
    """The working precision does not tell which of two numbers is the larger."""


ZERO = Number(FZERO)
ONE = Number(FONE)
TWO = Number(libmp.from_int(2))
HALF = Number(libmp.from_float(0.5))
NAN = Number(libmp.fnan)
INFINITY = Number(libmp.finf)
MINUS_INFINITY = Number(libmp.fninf)
UNKNOWN = Number(FZERO, Ball(FZERO, ANYTHING, 1))


def is_special(raw: Raw) -> bool:
    """Whether a raw number is NaN or infinite."""
    return not raw[1] and raw[2] != 0


def magnitude(raw: Raw) -> Exponent:
    """Return the least e with ``|raw| < 2**e``: -inf for 0."""
    return raw[2] + raw[3] if raw[1] else NEVER


def signum(raw: Raw) -> int:
    """Return the sign of a raw number that is not NaN."""
    return int(libmp.mpf_sign(raw))


def key_of(*parts: object) -> int:
    """Return a positive key of a computation."""
    return (hash(parts) & KEY_BITS) | 1


def canonical(number: Number) -> tuple[int, int]:
    """Return a sign and the key of the number times that sign, equal for x and -x."""
    exact, ball = number.exact, number.ball
    if ball is None:
        return (-1 if exact[0] else 1), key_of(exact[1:])
    sign = 1 if ball.key > 0 else -1
    return sign, key_of(exact if sign > 0 or not exact[1] else libmp.mpf_neg(exact), abs(ball.key))


def same(x: Number, y: Number) -> bool:
    """Whether two numbers are known to be the same real number."""
    if x.exact != y.exact:
        return False
    if x.ball is None or y.ball is None:
        return x.ball is y.ball
    return x.ball.key == y.ball.key


def from_float(value: float) -> Number:
    """Return a Python float, exactly."""
    return Number(libmp.from_float(value))


def from_int(value: int) -> Number:
    """Return a Python integer, exactly."""
    return Number(libmp.from_int(value))


def box(value: object) -> NDArray[np.object_]:
    """Return an object array of what a NumPy call on objects gave, which unwraps 0-d arrays."""
    if isinstance(value, np.ndarray):
        return value
    result = np.empty((), object)
    result[()] = value
    return result


def numbers(values: NDArray[np.generic]) -> NDArray[np.object_]:
    """Return an array of any real dtype as an object array of numbers, exactly."""
    result = np.empty(values.size, object)
    if values.dtype.kind in "iub":
        result[:] = [from_int(int(value)) for value in values.ravel().tolist()]
    else:
        flat = values.astype(np.float64).ravel().tolist()
        result[:] = [from_float(value) for value in flat]
    return result.reshape(values.shape)
