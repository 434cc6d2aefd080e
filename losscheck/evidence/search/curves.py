"""Loss and gradient along one prediction: what the page draws."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from losscheck import domains
from losscheck.domains.layout import flat
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.breaks import breaks
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Curve, Inputs, Range
from losscheck.program.running.runnable import Runnable
from losscheck.program.running.ways import Way

POINTS = 161  # along the curve, besides those at which a loss may break
LABELS = 2  # curves
BROKEN = 16  # places where cases were not finite, at the most


def curves(evidence: Evidence) -> tuple[Curve, ...]:
    """Follow the first element of the prediction over its ordinary range, for two labels.

    A row that sums to 1 is followed from its first class to its second. A fault at a single point
    lies between any two of a grid: the curve goes through 0, through the label, and through places
    where cases of the sweep were not finite. Where a single sample of a single element always
    gives the same, as the softmax of one class does, a batch is followed. There are no curves where
    no case was run: drawing is no reason to.
    """
    if not evidence.swept:
        return ()
    found: tuple[Curve, ...] = ()
    for instance, sweep in zip(evidence.instances, evidence.sweeps, strict=False):
        found = _of_instance(evidence, instance, sweep)
        if any(len(np.unique(curve.value)) > 1 for curve in found):
            break
    return found


def _of_instance(evidence: Evidence, instance: Instance, sweep: Sweep) -> tuple[Curve, ...]:
    ordinary = np.flatnonzero(sweep.ranges == 0)
    if not len(ordinary) or not sweep.has_gradient:
        return ()
    label = evidence.spec.named("y_true")
    broken = _broken(sweep)
    found: list[Curve] = []
    seen: set[bytes] = set()
    for index in ordinary[:64]:
        base = sweep.cases.take(np.asarray([index])).inputs
        own = np.zeros(0) if label is None else base[label.name][0]
        key = own[:1].tobytes()  # of the sample that is followed
        if key in seen or len(found) == LABELS:
            continue
        seen.add(key)
        line = _Line(evidence, instance, base)
        places = np.asarray([0.0, *np.ravel(own)[:1], *broken], np.float64)
        name = "" if label is None else _named(label.name, own)
        found.append(line.curve(name, line.places(places)))
    return tuple(found)


class _Line:
    """The cases in which the first element of one prediction moves, and all else is held."""

    def __init__(self, evidence: Evidence, instance: Instance, base: Inputs) -> None:
        self._instance = instance
        self._programs = evidence.programs
        self._prediction = evidence.spec.prediction
        self._domain = domains.parse(self._prediction.domain)
        self._base = base

    def curve(self, label: str, x: Array) -> Curve:
        """Run the loss along the line, and in float64 beside it where that takes no time."""
        value, gradient = self._run(self._instance.program, x)
        curve = Curve(label=label, x=x, value=value, gradient=gradient)
        shapes = self._instance.shapes
        double = self._programs.double(shapes)
        quick = double.settle() is Way.VECTORIZED and not self._instance.program.draws
        if not quick or not self._programs.has_double(shapes):
            return curve
        # The same numbers as in float32, or they would differ by what these were rounded.
        value, gradient = self._run(double, x.astype(np.float32).astype(np.float64))
        return attrs.evolve(
            curve,
            value_double=_rounded(value),
            gradient_double=_rounded(gradient),
            breaks=breaks(lambda at: self._run(double, at), x),
        )

    def places(self, wanted: Array) -> Array:
        """(N,) positions along the line, those of `wanted` that lie within its ends among them."""
        if not self._domain.movable:
            return np.linspace(0.0, 1.0, POINTS)
        width = (self._domain.width or 1,)
        sample = np.asarray(self._domain.ordinary(256, width, seed=0, classes=2))[:, 0]
        low, high = (float(end.flat[0]) for end in self._domain.limits(width))
        x = np.linspace(max(low, sample.min()), min(high, sample.max()), POINTS)
        if np.isfinite([low, high]).all():  # to the very ends, where losses break
            x = np.linspace(low, high, POINTS)
        return np.union1d(x, wanted[(wanted >= x[0]) & (wanted <= x[-1])])

    def _run(self, program: Runnable, x: Array) -> tuple[Array, Array]:
        """(N,) value and gradient at positions."""
        inputs = {name: np.repeat(array, len(x), axis=0) for name, array in self._base.items()}
        outcome = program.run({**inputs, self._prediction.name: self._rows(x)})
        gradient = np.asarray(outcome.gradient, np.float64).reshape(len(x), -1)[:, 0]
        return outcome.total, gradient

    def _rows(self, x: Array) -> Array:
        """(N, *shape) predictions."""
        base = np.asarray(self._base[self._prediction.name], np.float64)
        rows = np.repeat(base, len(x), axis=0)
        cells = rows.reshape(len(x), -1)
        if not self._domain.movable:  # a row that sums to 1
            rest = cells[:, 1:].sum(axis=1)
            cells[:, 1:] *= ((1 - x) / np.where(rest > 0, rest, 1.0))[:, None]
        cells[:, 0] = x
        return rows


def _rounded(numbers: Array) -> Array:
    """Keep as many digits as tell float32 apart: more cannot be seen, and take room."""
    return np.asarray([float(f"{number:.9g}") for number in numbers])


def _broken(sweep: Sweep) -> Array:
    """(N,) float64, where the first element of the prediction lay in cases that were not finite."""
    finite = sweep.forward_finite & np.isfinite(sweep.flat_gradient).all(axis=1)
    bad = ~finite & (sweep.ranges <= Range.WORKING)
    first = flat(np.asarray(sweep.cases.inputs[sweep.prediction]))[:, :1]
    places, counts = np.unique(first[bad], return_counts=True)
    return np.asarray(places[np.argsort(-counts, kind="stable")][:BROKEN], np.float64)


def _named(name: str, label: Array) -> str:
    """Name a label: ``y_true = 1``; of a batch that of its first sample."""
    if label.size == 1:
        return f"{name} = {float(label.ravel()[0]):.3g}"
    if len(label) > 1:
        name, label = f"{name}[0]", label[0]
    short: Any = {"all": lambda number: f"{float(number):.3g}"}
    return f"{name} = {np.array2string(np.asarray(label), separator=', ', formatter=short)}"
