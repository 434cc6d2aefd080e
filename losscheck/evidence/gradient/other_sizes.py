"""Custom gradients at sizes that no other check has: wrong for some batches or widths alone.

TensorFlow's own gradients do not look at sizes; a custom gradient can. Where the graph has one, a
few more shapes are tried along a random direction; only where that differs is the shape traced for
blocks of cases and checked as the others are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from losscheck import cases
from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.check import GradientCheck, check
from losscheck.evidence.gradient.other_checkers import RETRACED
from losscheck.infer.spec import last_letter
from losscheck.model import Array
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import Agreement, compare
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.shapes import parse

OTHERS = ((3, 2), (2, 10))  # batch and last axis; large ones are looked at of every loss
LOOKED_AT = 2  # cases of a shape, each along a direction of its own
CHECKED = 16  # cases of a shape that turned out to be wrong
STEP = 2.0**-3  # widest step along the direction, whose elements have at most that size


def sized_checks(evidence: Evidence, checks: Sequence[GradientCheck]) -> tuple[GradientCheck, ...]:
    """Check the gradient at other sizes; gives those that are wrong, and nothing of the rest."""
    if not checks or not any(_has_custom_gradient(evidence, i) for i in range(2)):
        return ()
    found = []
    for sizes in _sizes(evidence):
        shapes = evidence.spec.shapes(sizes)
        if any(dict(i.shapes) == shapes for i in evidence.instances):
            continue
        try:
            block = _cases(evidence, shapes, evidence.spec.classes(sizes))
            if _wrong(evidence, block, checks[-1].scale):
                instance = evidence.instance_at(sizes)
                found.append(check(evidence, instance, block, checks[-1].scale))
        except (CallError, OutputError):  # LC402 says so
            continue
    return tuple(found)


def _has_custom_gradient(evidence: Evidence, index: int) -> bool:
    instances = evidence.instances
    instance = instances[min(index, len(instances) - 1)]
    if instance.wiring is None:
        return False
    return any(node.type == "IdentityN" and not node.backward for node in instance.wiring.nodes)


def _sizes(evidence: Evidence) -> list[Mapping[str, int]]:
    shapes = {a.name: parse(a.shape) for a in evidence.spec.arguments}
    letters = (evidence.spec.batch, last_letter(shapes))
    return [
        {**evidence.spec.sizes, **{k: n for k, n in zip(letters, sizes, strict=True) if k}}
        for sizes in OTHERS
    ]


def _cases(evidence: Evidence, shapes: Mapping[str, tuple[int, ...]], classes: int) -> CaseBlock:
    classes = min(classes, evidence.classes(evidence.main))  # a table of the loss's own may be less
    problem = Problem.of(evidence.spec.arguments, shapes, "float32", classes)
    return cases.ordinary(problem, CHECKED, evidence.case_seed)


def _wrong(evidence: Evidence, block: CaseBlock, scale: float) -> bool:
    """Say whether any of the first cases has another slope along a direction than its gradient."""
    name = evidence.spec.prediction.name
    rng = np.random.default_rng(evidence.seed)
    runner = evidence.programs.runner
    for case in range(min(LOOKED_AT, len(block))):
        inputs = {n: np.asarray(a[case], np.float64) for n, a in block.inputs.items()}
        direction = STEP * rng.choice((-1.0, 1.0), inputs[name].shape)
        gradient = runner.run(inputs, "graph").gradient
        if gradient is None or gradient.dtype != np.float64:
            return False
        # The ordinary numbers of every domain have room on both sides, not for the widest steps.
        reach = _reach(evidence, inputs[name], direction)

        def along(_case: Array, _coordinate: Array, t: Array) -> Array:
            moved = ({**inputs, name: inputs[name] + x * reach * direction} for x in t)  # noqa: B023
            return np.asarray([runner.run(m, "graph").value.sum() for m in moved])

        zero = np.zeros(1, np.int64)
        found = derivatives(along, zero, zero, np.zeros(1), -1.0, 1.0)
        slope = np.asarray([float(np.sum(gradient * reach * direction))])
        outcome = compare(slope, found, RETRACED, scale * reach * STEP).outcome
        if outcome[0] in (Agreement.MISMATCH, Agreement.OUTSIDE):
            return True
    return False


def _reach(evidence: Evidence, x: Array, direction: Array) -> float:
    """The longest step along a direction, at most 1, that stays in the prediction's box."""
    low, high = evidence.box
    room = np.fmin(x - low, high - x) / np.abs(direction)
    return float(min(1.0, room.min()))
