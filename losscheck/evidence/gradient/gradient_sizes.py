"""How large gradients are beside ordinary ones: near-dead ones, and spikes."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, Population, spread
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.dead import Small, throughout
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.model import Array, Range

HUGE = 1e6  # times the ordinary gradient (design.md, LC107)
STEEP = 1e3  # times the ordinary loss, that it would change by over the ordinary predictions
FAINT = 1e-6  # of it
LARGE = 50.0  # percentile of the ordinary losses, those of 0 left out, above which one is large
OTHERS = 16  # ordinary labels that a faint prediction is tried with
LOOKED_AT = 256  # faint cases whose neighbourhood is tried


@attrs.frozen(kw_only=True, eq=False)
class GradientSizes(Population):
    """Cases of one sample whose gradient is finite and of an unusual size."""

    sweep: Sweep
    size: Array  # (N,) the largest element
    # (N,) bool: above a million times the ordinary gradient though no number of the case is larger
    # than ordinary ones are, and steep for the loss as well. That of a square at 1e9 grows with its
    # input and surprises nobody, and where ordinary gradients are next to nothing one of 0.01 is no
    # spike.
    huge: Array
    # (N,) bool: not 0, and below a millionth of it throughout a neighbourhood while the loss is
    # large, whatever the label; even times its distance, since that of log(1 + d^2) falls as 1 / d
    # and is not lost.
    faint: Array
    rerun: Callable[[CaseBlock], GradientSizes]


def gradient_sizes(evidence: Evidence) -> GradientSizes | None:
    """Measure the gradients of one sample; None where there are none."""
    sweep = evidence.sweeps[0]
    if not sweep.has_gradient:
        return None
    ordinary = usual(sweep.ranges)
    losses = sweep.totals[ordinary]
    losses = losses[np.isfinite(losses) & (losses != 0.0)]  # a mask may leave nothing of others
    large = float(np.percentile(losses, LARGE)) if len(losses) else np.inf
    bounds = {
        name: float(np.abs(array[ordinary].astype(np.float64)).max(initial=0.0))
        for name, array in sweep.cases.inputs.items()
    }
    return _observe(evidence, sweep, large, bounds)


def _observe(
    evidence: Evidence, sweep: Sweep, large: float, bounds: dict[str, float]
) -> GradientSizes:
    size = np.abs(sweep.flat_gradient.astype(np.float64)).max(axis=1, initial=0.0)
    usable = sweep.forward_finite & np.isfinite(size) & (sweep.ranges <= Range.WORKING)
    within = np.ones(len(sweep), bool)
    for name, array in sweep.cases.inputs.items():
        rows = np.abs(array.reshape(len(sweep), -1).astype(np.float64))
        within &= (rows <= bounds[name]).all(axis=1)
    scale = sweep.scale.gradient
    return GradientSizes(
        cases=sweep.cases,
        sweep=sweep,
        size=size,
        huge=usable
        & within
        & (size > HUGE * scale)
        & (size * bounds[sweep.prediction] > STEEP * sweep.scale.value),
        faint=_faint(evidence, sweep, large, bounds[sweep.prediction], usable, size),
        rerun=lambda cases: _observe(evidence, sweep.rerun(cases), large, bounds),
    )


def _faint(
    evidence: Evidence, sweep: Sweep, large: float, bound: float, usable: Array, size: Array
) -> Array:
    limit = FAINT * sweep.scale.gradient
    name = sweep.prediction
    far = np.abs(sweep.cases.inputs[name].astype(np.float64)).reshape(len(sweep), -1).max(axis=1)
    reach = np.fmax(far / max(bound, np.finfo(float).tiny), 1.0)
    faint = usable & (sweep.totals > large) & (size > 0) & (size * reach < limit)
    candidates = spread(np.flatnonzero(faint), LOOKED_AT)
    found = np.zeros(len(sweep), bool)
    if not len(candidates):
        return found

    def small(gradient: Array) -> Array:
        return np.asarray(np.abs(gradient.astype(np.float64)).max(axis=1, initial=0.0) < limit)

    cases = sweep.cases.take(candidates)
    still = throughout(evidence, sweep, cases, small)
    if not still.any():
        return found
    still[still] = _whatever_the_label(evidence, sweep, large, cases.take(still), small)
    found[candidates] = still
    return found


def _whatever_the_label(
    evidence: Evidence, sweep: Sweep, large: float, cases: CaseBlock, small: Small
) -> Array:
    """(N,) bool: as small with the labels and weights of ordinary cases, where the loss is large.

    A gradient that is small because the label or the weight is says nothing of the prediction.
    """
    n, others = len(cases), _ordinary(evidence)
    k = len(others)
    inputs = {
        name: np.tile(array, (n, *(1,) * (array.ndim - 1))) for name, array in others.inputs.items()
    }
    inputs[sweep.prediction] = np.repeat(cases.inputs[sweep.prediction], k, axis=0)
    seen = sweep.rerun(CaseBlock(inputs, np.repeat(cases.ranges, k)))
    faint = small(seen.flat_gradient).reshape(n, k)
    lossy = (seen.totals > large).reshape(n, k)
    return np.asarray((faint | ~lossy).all(axis=1) & (faint & lossy).any(axis=1))


def _ordinary(evidence: Evidence) -> CaseBlock:
    sweep = evidence.sweeps[0]
    return sweep.cases.take(usual(sweep.ranges)[:OTHERS])
