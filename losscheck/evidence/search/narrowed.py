"""What a loss gives outside the domain that its own uses narrowed: NaN there is worth a word."""

from __future__ import annotations

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.evidence.gather import Evidence
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Argument, Array, Range

NARROWED = "narrowed"  # the form of what is found so
CASES = 256


def narrowed(evidence: Evidence) -> tuple[Sweep, ...]:
    """Run ordinary points of the wider domain that lie outside the one that was chosen.

    Returns
    -------
    tuple of Sweep
        One, or none where no domain was narrowed.
    """
    if not evidence.spec.wider:
        return ()
    instance = evidence.instances[0]
    arguments = widened(evidence)
    problem = Problem.of(arguments, instance.shapes, "float32", evidence.classes(instance))
    rng = np.random.default_rng((evidence.seed, 8))
    block = problem.judge(problem.draw(CASES, Range.ORDINARY, rng))
    block = block.take(outside(evidence, block))
    if not len(block):
        return ()
    return (evidence.run(instance.program, block, "float32", "graph"),)


def widened(evidence: Evidence) -> tuple[Argument, ...]:
    """The arguments, the prediction with the domain that it would have had."""
    spec = evidence.spec
    return tuple(
        attrs.evolve(a, domain=spec.wider, met=None) if a.role == "y_pred" else a
        for a in spec.arguments
    )


def outside(evidence: Evidence, block: CaseBlock) -> Array:
    """(N,) bool: the prediction lies outside the domain that was chosen."""
    prediction = evidence.spec.prediction
    codes = domains.parse(prediction.domain).classify(block.inputs[prediction.name])
    return np.asarray(codes == domains.OUTSIDE)
