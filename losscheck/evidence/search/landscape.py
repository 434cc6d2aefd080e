"""How a loss of one prediction and one label fares over both: what the page draws as a map."""

from __future__ import annotations

import math

import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.domains.layout import flat
from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.disagreement import NEGLIGIBLE, TWO_DIGITS, explained
from losscheck.model import Array, Inputs, Landscape, Range
from losscheck.program.running.ways import Way

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
SMALLEST, LARGEST = -8, 9  # decades on either side of 0
# Numbers at every decade of distance from 0 and from 1, which are where formulas break.
_SIZES = 10.0 ** np.arange(SMALLEST, LARGEST + 1)
_PLACES = np.unique(
    np.concatenate([-_SIZES, [0.0, 0.5], _SIZES, 1 - _SIZES[: -SMALLEST - 1]]).astype(np.float32)
)


def landscape(evidence: Evidence) -> Landscape | None:
    """Run the loss at every pair of places of the working ranges; None where it takes more."""
    if not evidence.swept or not evidence.sweeps[0].has_gradient:
        return None
    instance, sweep = evidence.instances[0], evidence.sweeps[0]
    prediction, label = evidence.spec.prediction, evidence.spec.named("y_true")
    ordinary = np.flatnonzero(sweep.ranges == Range.ORDINARY)
    if label is None or not len(ordinary):
        return None
    if any(math.prod(instance.shapes[each.name]) != 1 for each in (prediction, label)):
        return None
    kinds = [domains.parse(each.domain) for each in (prediction, label)]
    if not all(kind.elementwise for kind in kinds) or domains.names_classes(label.domain):
        return None
    x, y = (_PLACES[kind.contains(_PLACES[:, None])] for kind in kinds)
    if not len(x) or not len(y):
        return None
    base = sweep.cases.take(ordinary[:1]).inputs
    inputs = {name: np.repeat(array, len(x) * len(y), axis=0) for name, array in base.items()}
    for each, places in ((prediction, np.tile(x, len(y))), (label, np.repeat(y, len(x)))):
        like = inputs[each.name]
        inputs[each.name] = places.astype(like.dtype).reshape(like.shape)
    outcome = instance.program.run(inputs)
    if (outcome.total == outcome.total[0]).all():  # as the softmax of one class gives
        return None
    slopes = flat(np.asarray(outcome.gradient, np.float64))[:, 0]
    marks = _marks(outcome.total, slopes, len(x))
    _held_against_float64(marks.ravel(), evidence, inputs, outcome.total)
    narrow = [
        kind.contains(places[:, None], Range.ORDINARY)
        for kind, places in zip(kinds, (x, y), strict=True)
    ]
    return Landscape(
        prediction=prediction.name,
        label=label.name,
        x=x.astype(np.float64),
        y=y.astype(np.float64),
        ordinary=(_letters(narrow[0]), _letters(narrow[1])),
        marks=tuple("".join(row) for row in marks),
    )


def _held_against_float64(marks: Array, evidence: Evidence, inputs: Inputs, total: Array) -> None:
    """Tell what is too large for float32 from what is not, and mark where digits are lost."""
    shapes = evidence.instances[0].shapes
    double = evidence.programs.double(shapes)
    if double.settle() is not Way.VECTORIZED or not evidence.programs.has_double(shapes):
        return
    truth = double.run(inputs).total
    with np.errstate(invalid="ignore", over="ignore"):
        marks[(marks == "I") & np.isfinite(truth) & (np.abs(truth) > LARGEST_FLOAT32)] = "o"
        error = np.abs(np.asarray(total, np.float64) - truth)
        notable = NEGLIGIBLE * evidence.sweeps[0].scale.value
        off = np.isin(marks, (".", "0")) & (error > np.fmax(TWO_DIGITS * np.abs(truth), notable))
    if len(index := np.flatnonzero(off & np.isfinite(truth))):
        cases = CaseBlock({name: array[index] for name, array in inputs.items()}, index * 0)
        lost = error[index] > explained(evidence.double, cases, 0)
        marks[index[lost]] = "d"


def _letters(ordinary: Array) -> str:
    return "".join("o" if each else "." for each in ordinary)


def _marks(total: Array, gradient: Array, width: int) -> Array:
    """(M, N) characters, as `Landscape` has them."""
    value = np.asarray(total, np.float64)
    rows = np.where(np.isfinite(value), value, np.inf).reshape(-1, width)
    above = (rows > rows.min(axis=1, keepdims=True)).ravel()
    found = np.select(
        [
            np.isnan(value),
            np.isinf(value),
            np.isnan(gradient),
            np.isinf(gradient),
            (gradient == 0) & above,
        ],
        ["N", "I", "n", "i", "0"],
        ".",
    )
    return found.reshape(-1, width)
