"""What a report holds to be drawn, as frozen data; `losscheck.model` hands it on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@attrs.frozen(kw_only=True)
class Break:
    """A place on a curve where it is not smooth, found by bisection of the loss in float64."""

    at: float  # value of y_pred
    kind: str  # "kink" or "jump"
    before: float  # on its left: the gradient at a kink, the loss at a jump
    after: float  # on its right


@attrs.frozen(kw_only=True, eq=False)
class Curve:
    """Loss and gradient along one prediction, the other arguments held: what the page draws."""

    label: str  # e.g. "y_true = 1"
    x: Array  # (N,) float64, values of y_pred
    value: Array  # (N,) float64, as the loss gives it in float32
    gradient: Array  # (N,) float64, the same
    value_double: Array = attrs.field(factory=lambda: np.zeros(0))  # (N,) in float64, or (0,)
    gradient_double: Array = attrs.field(factory=lambda: np.zeros(0))  # the same
    breaks: tuple[Break, ...] = ()  # ascending


@attrs.frozen(kw_only=True, eq=False)
class Slopes:
    """Elements of the gradient beside their numeric derivatives, of all sizes of the loss.

    Attributes
    ----------
    verified, wrong, undecided
        How many elements there are of each kind, over all that were compared.
    gradient, numeric
        (N,) float64, of those to be drawn, by size of `gradient`. Where the sides of a kink have
        slopes of their own, `numeric` is the one that the gradient comes nearest to.
    bound
        (N,) float64, how far the two may be apart before it shows.
    off, resolving
        (N,) float64, how far they are apart, and `bound`; over the size of the gradient, or that of
        an ordinary one where it is smaller.
    outcome
        A character for each: "v" verified, "w" wrong, "u" undecided.
    """

    verified: int
    wrong: int
    undecided: int
    gradient: Array
    numeric: Array
    bound: Array
    off: Array
    resolving: Array
    outcome: str


@attrs.frozen(kw_only=True)
class Execution:
    """What came of the loss in one dtype and one mode."""

    dtype: str
    mode: str
    outcome: str  # reference, agrees, differs, not finite, runs, raises or not run
    cases: int = 0  # that were run and compared
    count: int = 0  # of these, for which the outcome says so
    reason: str = ""  # what it raised


@attrs.frozen(kw_only=True)
class Layout:
    """What came of the loss where its arguments have other shapes."""

    form: str  # what is tried: batch size, unknown rank, mismatched ranks, ...
    shapes: Mapping[str, str]  # of each argument
    outcome: str  # runs, agrees, broadcasts or raises
    reason: str = ""  # what it raised


@attrs.frozen(kw_only=True, eq=False)
class Landscape:
    """A loss of one prediction and one label over the working ranges of both, in float32.

    Attributes
    ----------
    x, y
        (N,) and (M,) float64, predictions and labels, ascending and not evenly spaced.
    ordinary
        Of x and of y: a character for each number, "o" where it lies in its ordinary range.
    marks
        For each label a text with a character for each prediction: "N" and "I" where the loss is
        NaN or infinite, "o" where it is infinite because it is too large for float32, "n" and "i"
        where the gradient is, "d" where the loss has lost its digits beyond what the rounding of
        both numbers explains, "0" where the gradient is 0 and the loss lower elsewhere in that row,
        "." otherwise.
    """

    prediction: str
    label: str
    x: Array
    y: Array
    ordinary: tuple[str, str]
    marks: tuple[str, ...]


@attrs.frozen(kw_only=True)
class DigitsAt:
    """How many decimal digits are right in float32 over one decade; None where none can be told.

    The last two are the digits that the rounding of the inputs leaves, the median of the cases in
    which it was measured: fewer than two digits are right there.
    """

    exponent: int  # of ten: the distance lies between 10^exponent and ten times that
    cases: int
    value_median: float | None
    value_worst: float | None
    gradient_median: float | None
    gradient_worst: float | None
    value_left: float | None = None
    gradient_left: float | None = None


@attrs.frozen(kw_only=True)
class DigitCurve:
    """The digits that are right in value and gradient, by how near the prediction is."""

    along: str  # "|y_pred - y_true|", or "|y_pred|" where no label is of the same kind
    decades: tuple[DigitsAt, ...]
