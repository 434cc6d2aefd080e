"""The truth of one case: a loss and its gradient, op by op, with as many digits as it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import tensorflow as tf
from mpmath import libmp, mp
from numpy.typing import NDArray

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.complex import exact
from losscheck.program.exact.field import BITS_PER_DIGIT
from losscheck.program.exact.graph import WORK, Frame, Walker
from losscheck.program.exact.node import Unknown, Values, exactly
from losscheck.program.exact.number import Number, Undecided, magnitude

DIGITS = (50, 100, 200, 400)  # decimal digits, tried in turn
SETTLED_BITS = int(20 * BITS_PER_DIGIT) + 1  # twenty digits: four more than float64 has
NOTHING = -1150  # an error below 2**-1150 is less than any float64, 2**-1074 the smallest of them

FORMS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, tf.errors.OpError)

__all__ = ["Evaluator", "Truth", "Unknown", "evaluate"]


@attrs.frozen(eq=False)
class Truth:
    """What the fetched tensors are."""

    # One object array per fetched tensor: mpmath numbers where it is floating, otherwise Python
    # integers or booleans.
    values: tuple[NDArray[np.object_], ...]
    # The working precision, in decimal digits, that settled them and agreed with the one before.
    digits: int


class Evaluator:
    """Fetches of one graph, ready to be evaluated at many cases.

    Parameters
    ----------
    fetches
        Symbolic tensors of one graph.
    """

    def __init__(self, fetches: Sequence[Any]) -> None:
        self.fetches = [(tensor.op.name, tensor.value_index) for tensor in fetches]
        self.graph = fetches[0].graph
        self.walker = Walker(self.graph)

    def truth(
        self,
        feeds: Mapping[str, NDArray[Any]],
        captures: Mapping[str, NDArray[Any]] | None = None,
        digits: Sequence[int] = DIGITS,
    ) -> Truth:
        """Evaluate one case; see `evaluate`."""
        previous: list[Values] | None = None
        reason = ""
        with tf.init_scope(), tf.device("CPU:0"):
            inputs = self._inputs(feeds, captures)
            for precision in digits:
                arithmetic = Arithmetic(precision)
                self.walker.left = WORK
                try:
                    found = self.walker.run(
                        arithmetic, self.walker.body, dict(inputs), self.fetches
                    )
                except Undecided:
                    reason, previous = f"the order of two numbers in {self.walker.at}", None
                    continue
                except FORMS as error:  # of an op that the tables do not know
                    raise Unknown(f"{self.walker.at}: {error}") from error
                if previous is not None and _agree(arithmetic, previous, found):
                    return Truth(tuple(_plain(arithmetic, values) for values in found), precision)
                reason, previous = "the result", found
        raise Unknown(f"{max(digits)} digits do not settle {reason}")

    def _inputs(
        self, feeds: Mapping[str, NDArray[Any]], captures: Mapping[str, NDArray[Any]] | None
    ) -> Frame:
        """Return what the placeholders hold; captures that nobody gave are read from the graph."""
        frame: Frame = {}
        for external, placeholder in getattr(self.graph, "captures", ()):
            if placeholder.dtype == tf.resource:
                frame[placeholder.op.name] = [external]
            elif hasattr(external, "numpy"):
                frame[placeholder.op.name] = [_input(external.numpy(), placeholder.dtype)]
        for name, value in {**(captures or {}), **feeds}.items():
            dtype = self.graph.get_operation_by_name(name).outputs[0].dtype
            frame[name] = [_input(value, dtype)]
        return frame


def evaluate(
    fetches: Sequence[Any],
    feeds: Mapping[str, NDArray[Any]],
    captures: Mapping[str, NDArray[Any]] | None = None,
    digits: Sequence[int] = DIGITS,
) -> Truth:
    """Evaluate tensors of a graph at one case, beyond rounding, overflow and underflow.

    Parameters
    ----------
    fetches
        Symbolic tensors of one graph.
    feeds
        Values by the op name of a placeholder, taken exactly as they are, in any real dtype.
    captures
        The same for what a function captured, variables included; those not given are read from
        the graph.
    digits
        Working precisions to try in turn, in decimal digits; two of them have to agree.

    Returns
    -------
    Truth
        Settled to 20 digits. Infinities and NaN follow IEEE 754, but for the sign of 0.

    Raises
    ------
    Unknown
        If an op has no exact evaluation, or the last precision does not settle the result.

    Notes
    -----
    A result that vanishes below every float64 without being known to be 0 counts as 0.
    """
    return Evaluator(fetches).truth(feeds, captures, digits)


def _input(value: Any, dtype: tf.DType) -> Values:
    values = np.asarray(value)
    if exactly(dtype) or dtype == tf.resource:
        return exact(values, dtype)
    return values.astype(dtype.as_numpy_dtype)


def _agree(a: Arithmetic, before: Sequence[Values], after: Sequence[Values]) -> bool:
    """Whether all numbers are settled, and lie within the errors of the precision before."""
    pairs = zip(before, after, strict=True)
    return all(
        not isinstance(new, Number) or (_settled(a, new) and _close(a, old, new))
        for olds, news in pairs
        for old, new in zip(olds.flat, news.flat, strict=True)
    )


def _settled(a: Arithmetic, x: Number) -> bool:
    raw, error = a.total(x)
    return x.known or error < NOTHING or magnitude(raw) - error > SETTLED_BITS


def _close(a: Arithmetic, x: Number, y: Number) -> bool:
    if x.special or y.special or x.unknown:
        return x.exact == y.exact and not x.unknown
    (left, left_error), (right, right_error) = a.total(x), a.total(y)
    apart = magnitude(libmp.mpf_sub(left, right, a.bits))
    return apart <= max(left_error, right_error) + 1 or left == right


def _plain(a: Arithmetic, values: Values) -> NDArray[np.object_]:
    plain = np.empty(values.shape, object)
    for index in np.ndindex(values.shape):
        value = values[index]
        if isinstance(value, Number):
            raw, error = a.total(value)
            gone = magnitude(raw) <= error
            plain[index] = mp.make_mpf(libmp.fzero if gone and not value.known else raw)
        else:
            plain[index] = value.item()
    return plain
