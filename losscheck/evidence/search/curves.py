"""Loss and gradient along one prediction: what the page draws."""

from __future__ import annotations

import numpy as np

from losscheck import domains
from losscheck.domains.layout import flat
from losscheck.evidence.gather import Evidence
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Curve, Range

POINTS = 161  # along the curve, besides those at which a loss may break
LABELS = 2  # curves
BROKEN = 16  # places where cases were not finite, at the most


def curves(evidence: Evidence) -> tuple[Curve, ...]:
    """Follow the first element of the prediction over its ordinary range, for two labels.

    A row that sums to 1 is followed from its first class to its second. A fault at a single point
    lies between any two of a grid: the curve goes through 0, through the label, and through places
    where cases of the sweep were not finite. There are no curves where no case was run: drawing is
    no reason to.
    """
    if not evidence.swept:
        return ()
    instance, sweep = evidence.instances[0], evidence.sweeps[0]
    prediction = evidence.spec.prediction
    ordinary = np.flatnonzero(sweep.ranges == 0)
    if not len(ordinary) or not sweep.has_gradient:
        return ()
    label = evidence.spec.named("y_true")
    domain = domains.parse(prediction.domain)
    broken = _broken(sweep)
    found: list[Curve] = []
    seen: set[bytes] = set()
    for index in ordinary[:64]:
        base = sweep.cases.take(np.asarray([index]))
        key = b"" if label is None else base.inputs[label.name].tobytes()
        if key in seen or len(found) == LABELS:
            continue
        seen.add(key)
        own = [] if label is None else [float(np.ravel(base.inputs[label.name])[0])]
        places = np.asarray([0.0, *own, *broken])
        x, rows = _along(domain, np.asarray(base.inputs[prediction.name], np.float64), places)
        inputs = {n: np.repeat(a, len(x), axis=0) for n, a in base.inputs.items()}
        outcome = instance.program.run({**inputs, prediction.name: rows})
        found.append(
            Curve(
                label=""
                if label is None
                else f"{label.name} = {_short(base.inputs[label.name][0])}",
                x=x,
                value=outcome.total,
                gradient=np.asarray(outcome.gradient, np.float64).reshape(len(x), -1)[:, 0],
            )
        )
    return tuple(found)


def _broken(sweep: Sweep) -> Array:
    """(N,) float64, where the first element of the prediction lay in cases that were not finite."""
    finite = sweep.forward_finite & np.isfinite(sweep.flat_gradient).all(axis=1)
    bad = ~finite & (sweep.ranges <= Range.WORKING)
    first = flat(np.asarray(sweep.cases.inputs[sweep.prediction]))[:, :1]
    places, counts = np.unique(first[bad], return_counts=True)
    return np.asarray(places[np.argsort(-counts, kind="stable")][:BROKEN], np.float64)


def _along(domain: domains.Domain, base: Array, places: Array) -> tuple[Array, Array]:
    """(N,) positions, `places` within their ends among them, and (N, *shape) predictions."""
    if not domain.movable:
        x = np.linspace(0.0, 1.0, POINTS)
        rows = np.repeat(base, POINTS, axis=0)
        cells = rows.reshape(POINTS, -1)
        rest = cells[:, 1:].sum(axis=1)
        cells[:, 1:] *= ((1 - x) / np.where(rest > 0, rest, 1.0))[:, None]
        cells[:, 0] = x
        return x, cells.reshape(rows.shape)
    sample = np.asarray(domain.ordinary(256, (domain.width or 1,), seed=0, classes=2))[:, 0]
    low, high = (float(end.flat[0]) for end in domain.limits((domain.width or 1,)))
    x = np.linspace(max(low, sample.min()), min(high, sample.max()), POINTS)
    if np.isfinite([low, high]).all():  # to the very ends, where losses break
        x = np.linspace(low, high, POINTS)
    x = np.union1d(x, places[(places >= x[0]) & (places <= x[-1])])
    rows = np.repeat(base, len(x), axis=0)
    cells = rows.reshape(len(x), -1)
    cells[:, 0] = x
    return x, cells.reshape(rows.shape)


def _short(array: Array) -> str:
    if array.size == 1:
        return f"{float(array.ravel()[0]):.3g}"
    return np.array2string(np.asarray(array), precision=3, separator=", ")
