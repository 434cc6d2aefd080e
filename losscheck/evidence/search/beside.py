"""Sweeps beside the main ones: outside a domain that uses narrowed, and of batches of one.

A batch of one is run at its usual width where samples depend on each other. Elsewhere a row of a
batch is a batch of one; and the smallest instance has a single output besides, at which much is
constant or empty that is neither at any width that is trained on.
"""

from __future__ import annotations

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.evidence.gather import Evidence
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.evidence.shape.reruns import Parts
from losscheck.model import Argument, Array, Range
from losscheck.program.running.refusals import running
from losscheck.program.tracing.trace import CallError, OutputError

NARROWED = "narrowed"  # the form of what is found so
CASES = 256
LONE = 512  # ordinary samples, and as many of the working range


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


def lone(evidence: Evidence, parts: Parts | None) -> tuple[Sweep, ...]:
    """Run the first samples of batches alone; nothing where samples are alone in any batch."""
    if parts is None or not (parts.coupled.any() or not np.isfinite(parts.rows).all()):
        return ()
    spec, whole = evidence.spec, evidence.main_sweep
    shapes = spec.shapes(spec.one_sample)
    if any(dict(i.shapes) == shapes for i in evidence.instances):
        return ()
    try:
        instance = evidence.instance_at(spec.one_sample)
    except (CallError, OutputError):  # of a batch of one that is refused LC402 speaks
        return ()
    working = np.flatnonzero(whole.ranges == Range.WORKING)[:LONE]
    chosen = whole.cases.take(np.concatenate([usual(whole.ranges)[:LONE], working]))
    first = CaseBlock({name: a[:, :1] for name, a in chosen.inputs.items()}, chosen.ranges)
    swept = evidence.run(instance.program, first, "float32", "graph")
    return (swept.with_scale(whole.scale),)
