"""What a report shows in pictures and tables, made of evidence that is there already."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock, spread
from losscheck.domains.layout import flat
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.check import GradientCheck
from losscheck.evidence.precision.disagreement import NEGLIGIBLE, TWO_DIGITS, explained
from losscheck.evidence.precision.executions import executions
from losscheck.evidence.search.curves import curves
from losscheck.evidence.shape.layouts import TOLERANCE, LayoutRun, relative_gap
from losscheck.model import Array, Inputs, Landscape, Layout, Range, Slopes
from losscheck.numerics.verdict import Agreement, Point
from losscheck.program.running.ways import Way

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
SMALLEST, LARGEST = -8, 9  # decades on either side of 0
# Numbers at every decade of distance from 0 and from 1, which are where formulas break.
_SIZES = 10.0 ** np.arange(SMALLEST, LARGEST + 1)
_PLACES = np.unique(
    np.concatenate([-_SIZES, [0.0, 0.5], _SIZES, 1 - _SIZES[: -SMALLEST - 1]]).astype(np.float32)
)
DRAWN = {"v": 40, "w": 20, "u": 12}  # elements of each kind: verified, wrong, undecided
DIGITS = 6  # significant: what can be seen
FORMS = {  # of a LayoutRun -> what is tried
    "as-is": "as taken",
    "batch-of-one": "batch size",
    "batch-size": "batch size",
    "size": "size",
    "unknown-batch": "unknown batch size",
    "unknown-rank": "unknown rank",
    "weights": "weights per sample",
    "declared-rank": "rank of labels",
    "rank": "mismatched ranks",
}


def drawn(desk: Desk, attempt: Callable[[str, Callable[[], Any], Any], Any]) -> dict[str, Any]:
    """Give the fields of a `LossReport` that are drawn.

    Parameters
    ----------
    attempt
        Does a thing by its name, and gives the third in its place where it fails.
    """
    evidence, checks = desk.evidence, desk.gathered("gradients") or ()
    runs = desk.gathered("layouts") or ()
    return {
        "curves": attempt("the curves", lambda: curves(evidence), ()),
        "landscape": attempt("the map", lambda: landscape(evidence), None),
        "slopes": attempt("the picture of the gradient", lambda: slopes(checks), None),
        "executions": attempt("the table of dtypes and modes", lambda: executions(desk), ()),
        "layouts": attempt("the table of shapes", lambda: laid_out(runs), ()),
    }


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


def slopes(checks: Sequence[GradientCheck]) -> Slopes | None:
    """Choose what is drawn; None where no element has a numeric derivative of its own.

    Of each kind the elements are spread evenly by size, and the one that is furthest off and the
    one that the least can be said of are among them. What a reason excuses, such as a tie, is left
    out.
    """
    parts = [_columns(check) for check in checks]
    if not parts:
        return None
    kind = np.concatenate([part[0] for part in parts])
    numbers = np.concatenate([part[1] for part in parts], axis=1)
    drawable = np.isfinite(numbers).all(axis=0)
    chosen: list[int] = []
    for letter, most in DRAWN.items():
        chosen += _spread(np.flatnonzero(drawable & (kind == letter)), numbers, most)
    if not chosen:
        return None
    chosen.sort(key=lambda index: (numbers[0, index], index))
    gradient, numeric, bound, off, resolving = (_rounded(row[chosen]) for row in numbers)
    return Slopes(
        verified=int((kind == "v").sum()),
        wrong=int((kind == "w").sum()),
        undecided=int((kind == "u").sum()),
        gradient=gradient,
        numeric=numeric,
        bound=bound,
        off=off,
        resolving=resolving,
        outcome="".join(kind[chosen]),
    )


def _columns(check: GradientCheck) -> tuple[Array, Array]:
    """(K,) kinds, "" for what is excused, and (5, K) the numbers of `Slopes`, of one size."""
    wrong = (check.wrong & ~(check.frozen | check.mirrored | check.tie)).ravel()
    outcome = check.comparison.outcome
    kind = np.select(
        [wrong, outcome == Agreement.VERIFIED, outcome == Agreement.INCONCLUSIVE],
        ["w", "v", "u"],
        "",
    )
    gradient, found = check.gradient.ravel(), check.found
    kink = check.comparison.point == Point.KINK
    size = np.fmax(np.abs(gradient), max(check.scale, np.finfo(float).tiny))
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = np.fmin(found.left, found.right), np.fmax(found.left, found.right)
        numeric = np.where(kink, np.clip(gradient, low, high), found.value)
        bound = check.comparison.bound
        off, resolving = np.abs(gradient - numeric) / size, bound / size
    return kind, np.stack([gradient, numeric, bound, off, resolving])


def _spread(index: Array, numbers: Array, most: int) -> list[int]:
    """Choose some of the elements, evenly by the size of the gradient, and the extreme ones."""
    if not len(index):
        return []
    ordered = index[np.argsort(numbers[0, index], kind="stable")]
    extreme = (index[np.argmax(numbers[row, index])] for row in (3, 4))
    return sorted(
        {*(int(each) for each in spread(ordered, most)), *(int(each) for each in extreme)}
    )


def _rounded(numbers: Array) -> Array:
    return np.asarray([float(f"{number:.{DIGITS}g}") for number in numbers])


def laid_out(runs: Iterable[LayoutRun]) -> tuple[Layout, ...]:
    """Sum up each layout, the same shapes once, of these what says more."""
    found: dict[tuple[tuple[str, str], ...], Layout] = {}
    for run in runs:
        if run.output:  # it returns no loss, whatever the shapes are
            continue
        shapes = {name: _written(shape) for name, shape in run.shapes.items()}
        told = Layout(
            form=FORMS[run.form],
            shapes=shapes,
            outcome=_outcome(run),
            reason="" if run.error is None else str(run.error),
        )
        key = tuple(sorted(shapes.items()))
        if key not in found or found[key].outcome == "runs":
            found[key] = told
    return tuple(found.values())


def _outcome(run: LayoutRun) -> str:
    if run.error is not None:
        return "raises"
    if run.differs or run.outer is not None or run.constant is not None:
        return "broadcasts"
    if run.value is None or run.aligned is None:
        return "runs"
    return "runs" if (relative_gap(run.value, run.aligned) > TOLERANCE).any() else "agrees"


def _written(shape: tuple[int | None, ...] | None) -> str:
    return "any" if shape is None else str(tuple(shape))
