"""The same check of gradients where no other looks: weighted from upstream, and at other sizes.

TensorFlow hands the last op of an unreduced loss an upstream gradient of ones, and of a scalar loss
a single one: a custom gradient around the whole loss that ignores it is right there, and wrong
under sample weights, loss weights and loss scaling. The loss times fixed numbers far from 1 goes
through the same check as the loss itself.

TensorFlow's own gradients do not look at sizes; a custom gradient can. Where the graph has one, a
few more shapes are tried along a random direction; only where that differs is the shape traced for
blocks of cases and checked as the others are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from losscheck import cases
from losscheck.cases.blocks import CaseBlock, Population, spread
from losscheck.cases.problem import Problem
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.check import GradientCheck, check
from losscheck.evidence.gradient.other_checkers import RETRACED
from losscheck.infer.spec import last_letter
from losscheck.model import Array
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import Agreement, compare
from losscheck.program.derived import WeightedPrograms
from losscheck.program.running.ways import Way
from losscheck.program.tracing.trace import Call, CallError, OutputError
from losscheck.settings.shapes import parse

FACTORS = (3.0, 0.625, 20.0, 0.1875, 7.0, 0.375)  # odd numbers times powers of two, far from 1
CASES = 64  # looked at: the points were verified already, this asks for one thing alone
COORDINATES = 1_024  # of them at most
SLOW = 2  # cases of a loss that cannot be traced or vectorized
SAME = 1e-9  # relative: the gradient did not move with the upstream gradient at all
OTHERS = ((3, 2), (2, 10))  # batch and last axis; large ones are looked at of every loss
LOOKED_AT = 2  # cases of a shape, each along a direction of its own
CHECKED = 16  # cases of a shape that turned out to be wrong
STEP = 2.0**-3  # widest step along the direction, whose elements have at most that size


@attrs.frozen(kw_only=True, eq=False)
class UpstreamCheck(Population):
    """The gradient of the loss times an upstream gradient, at points that were verified without.

    Attributes
    ----------
    cases
        Of the loss, the upstream gradient left out: it is the same for all.
    weighted
        The check of the loss times `upstream`, of as many cases.
    wrong
        (N, n) bool: differs, though the gradient itself is right there.
    ignored
        (N, n) bool: and is the same as without.
    call
        The weighted loss.
    """

    weighted: GradientCheck
    wrong: Array
    ignored: Array
    upstream: Array
    call: Call
    rerun: Callable[[CaseBlock], UpstreamCheck]

    @property
    def prediction(self) -> str:
        """The argument that the gradient is taken of."""
        return self.weighted.prediction


def upstream_check(evidence: Evidence, checks: Sequence[GradientCheck]) -> UpstreamCheck | None:
    """Check the loss times an upstream gradient.

    None where nothing is verified without, and where TensorFlow derived all of the gradient: what
    it derives multiplies by the upstream gradient.
    """
    able = [c for c in checks if c.gradient.shape[1] <= COORDINATES and c.verified.any()]
    small = [c for c in able if not c.verdicts]  # a batch suffices, and is cheaper to trace
    plain = max(small or able, key=lambda c: c.gradient.shape[1], default=None)
    if plain is None:
        return None
    most = min(CASES, max(2, COORDINATES // max(1, plain.gradient.shape[1])))
    rows = spread(np.flatnonzero(plain.verified), most)
    instance = evidence.instance_of(plain.cases)
    program, wiring = instance.program, instance.wiring
    plainly = program.traced is not None and program.traced.plain
    if plainly and wiring is not None and not wiring.runs_python:
        return None
    if program.way() is not Way.VECTORIZED:
        rows = rows[:SLOW]
    derived, upstream = _derived(evidence, instance, plain.cases)
    cases, right = plain.cases.take(rows), ~plain.edge[rows]
    try:
        return _observe(derived, upstream, plain, cases, plain.gradient[rows], right)
    except CallError:  # a loss that takes no call of a single case
        return None


def _derived(evidence: Evidence, instance: Instance, cases: CaseBlock) -> tuple[Evidence, Array]:
    """The evidence of the weighted loss, and the numbers it is weighted by."""
    shape = instance.program.run(cases.take(np.zeros(1, int)).inputs).value.shape[1:]
    upstream = np.resize(np.asarray(FACTORS, np.float32), shape)
    programs = WeightedPrograms(evidence.programs, instance.shapes, upstream)
    inferred = attrs.evolve(evidence.inferred, programs=programs)
    return attrs.evolve(evidence, inferred=inferred), upstream


def _observe(
    derived: Evidence,
    upstream: Array,
    plain: GradientCheck,
    cases: CaseBlock,
    gradient: Array,
    right: Array,
) -> UpstreamCheck:
    """Check some cases, of which `gradient` is the loss's own and `right` (N, n) where that is."""
    # A weighted gradient is as much larger, and so is what the rounding of constants makes of it.
    scale = plain.scale * float(np.abs(upstream).max(initial=1.0))
    found = check(derived, derived.instance_of(cases), cases, scale)
    wrong = found.wrong & ~found.tie & ~found.frozen & ~found.mirrored & right
    same = np.abs(found.gradient - gradient) <= SAME * np.abs(gradient)

    def rerun(others: CaseBlock) -> UpstreamCheck:
        again = plain.rerun(others)
        verified = again.verified[:, None] & ~again.edge
        return _observe(derived, upstream, plain, others, again.gradient, verified)

    return UpstreamCheck(
        cases=cases,
        weighted=found,
        wrong=np.asarray(wrong),
        ignored=np.asarray(wrong & same),
        upstream=upstream,
        call=derived.programs.call,
        rerun=rerun,
    )


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
