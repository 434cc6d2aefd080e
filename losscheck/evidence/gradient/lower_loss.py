"""Whether another prediction would have a lower loss beside the same labels."""

from __future__ import annotations

import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.disagreement import NEGLIGIBLE
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.model import Array

OTHERS = 32  # ordinary predictions that are tried
FEWEST = 8  # the same beside many cases
RUNS = 1 << 16  # of the loss, for all cases together


def better(evidence: Evidence, sweep: Sweep, cases: CaseBlock) -> tuple[Array, Array]:
    """Say whether there is something to learn at a case.

    A sample may be at its best though its loss is not small: losses may be signed, scaled by a
    label, a weight or an advantage, or bounded from below by a clip.

    Returns
    -------
    tuple
        (N,) bool each. The loss is lower with the prediction of some ordinary case, or with one
        that equals another argument, the rest of the case being the same. And: it is the same
        with all of them, as where a label leaves the sample out, but not 0.
    """
    here = sweep.rerun(cases).totals
    lower, apart = np.zeros(len(cases), bool), np.zeros(len(cases), bool)
    least = NEGLIGIBLE * np.fmax(sweep.scale.value, np.abs(here))
    for predictions in _others(evidence, sweep, cases):
        inputs = {**cases.inputs, sweep.prediction: predictions}
        there = sweep.rerun(CaseBlock(inputs, cases.ranges)).totals
        with np.errstate(invalid="ignore"):
            lower |= here - there > least
            apart |= np.abs(here - there) > least
    return lower, ~apart & (np.abs(here) > least)


def _others(evidence: Evidence, sweep: Sweep, cases: CaseBlock) -> list[Array]:
    """Predictions to set in place of those of all cases, each (N, *shape)."""
    own = cases.inputs[sweep.prediction]
    ordinary = usual(sweep.ranges)
    count = min(len(ordinary), max(FEWEST, min(OTHERS, RUNS // max(1, len(cases)))))
    picked = ordinary[np.linspace(0, len(ordinary) - 1, count).astype(int)]
    found = [
        np.broadcast_to(one, own.shape).astype(own.dtype)
        for one in sweep.cases.inputs[sweep.prediction][picked]
    ]
    domain = domains.parse(evidence.spec.prediction.domain)
    for name, array in cases.inputs.items():
        if name != sweep.prediction and array.shape == own.shape:
            equal = domain.project(domain.clip(np.asarray(array, np.float64)))
            found.append(equal.astype(own.dtype))
    return found
