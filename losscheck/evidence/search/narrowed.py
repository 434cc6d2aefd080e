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
from losscheck.program.running.refusals import running

NARROWED = "narrowed"  # the form of what is found so
CASES = 256


def narrowed(evidence: Evidence) -> tuple[Sweep, ...]:
    """Run ordinary points of the wider domain that lie outside the one that was chosen.

    Returns
    -------
    tuple of Sweep
        One, or none where no domain was narrowed, or where the loss raises on all of them.
    """
    able, _ = beyond(evidence)
    if not len(able):
        return ()
    return (evidence.run(evidence.instances[0].program, able, "float32", "graph"),)


def beyond(evidence: Evidence) -> tuple[CaseBlock, CaseBlock]:
    """Those points, and of these the ones on which an operation raises, apart."""
    instance = evidence.instances[0]
    arguments = widened(evidence) if evidence.spec.wider else evidence.spec.arguments
    problem = Problem.of(arguments, instance.shapes, "float32", evidence.classes(instance))
    if not evidence.spec.wider:
        return problem.nothing(), problem.nothing()
    rng = np.random.default_rng((evidence.seed, 8))
    block = problem.judge(problem.draw(CASES, Range.ORDINARY, rng))
    block = block.take(outside(evidence, block))
    able = running(instance.program, block.inputs)
    return block.take(able), block.take(~able)


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
