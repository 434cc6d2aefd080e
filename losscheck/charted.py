"""What a report holds to be drawn, as frozen data; `losscheck.model` hands it on."""

from __future__ import annotations

from typing import Any

import attrs
from numpy.typing import NDArray

Array = NDArray[Any]


@attrs.frozen(kw_only=True, eq=False)
class Curve:
    """Loss and gradient along one prediction, the other arguments held: what the page draws."""

    label: str  # e.g. "y_true = 1"
    x: Array  # (N,) float64, values of y_pred
    value: Array  # (N,) float64
    gradient: Array  # (N,) float64


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
        NaN or infinite, "n" and "i" where the gradient is, "0" where the gradient is 0 and the loss
        lower elsewhere in that row, "." otherwise.
    """

    prediction: str
    label: str
    x: Array
    y: Array
    ordinary: tuple[str, str]
    marks: tuple[str, ...]


@attrs.frozen(kw_only=True)
class DigitsAt:
    """How many decimal digits are right in float32 over one decade; None where none can be told."""

    exponent: int  # of ten: the distance lies between 10^exponent and ten times that
    cases: int
    value_median: float | None
    value_worst: float | None
    gradient_median: float | None
    gradient_worst: float | None


@attrs.frozen(kw_only=True)
class DigitCurve:
    """The digits that are right in value and gradient, by how near the prediction is."""

    along: str  # "|y_pred - y_true|", or "|y_pred|" where no label is of the same kind
    decades: tuple[DigitsAt, ...]
