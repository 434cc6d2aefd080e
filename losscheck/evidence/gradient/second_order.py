"""Second derivatives: H·v against differences of gradients that were verified.

The slope of the loss along a direction v is a loss of its own, whose gradient is H·v: the checks of
gradients do the rest, error bounds, kinks and ties included.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, Population
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.check import EVALUATIONS, GradientCheck, check
from losscheck.infer import Inferred
from losscheck.infer.spec import Spec
from losscheck.model import Argument, Array, Location, Range
from losscheck.numerics.verdict import Point
from losscheck.program.derived import DIRECTION, slope
from losscheck.program.programs import Programs
from losscheck.program.running.program import SINGLE_CASES
from losscheck.program.running.ways import Way
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.program.tracing.wiring import PYTHON, Node, Wiring

DIRECTIONS = 3  # of random signs: what cancels in one does so in all three one time in eight
ORDINARY = 1_024  # coordinates of H·v at ordinary points, over all directions
WORKING = 384  # at working points
# Written to cut a gradient, or out of TensorFlow's sight.
_CUTS = PYTHON | {"StopGradient", "PreventGradient"}


@attrs.frozen(kw_only=True, eq=False)
class SecondOrderCheck(Population):
    """H·v of some cases along every direction, and what differences of the gradient say of it."""

    # (N,) bool: the gradient itself was verified; of others there is nothing to take differences
    # of.
    verified: Array
    directions: Array  # (K, *shape of the prediction) float64, of 1 and -1
    # H·v as the gradient of the slopes: N·K rows, the directions of a case one after the other.
    slopes: GradientCheck
    missing: bool  # TensorFlow gives no second derivative at all
    error: str  # what it raises instead of one, "" if nothing
    cut: CutOff  # what keeps the prediction from the second derivative, as far as the graph tells
    derived: Evidence
    rerun: Callable[[CaseBlock], SecondOrderCheck]

    @functools.cached_property
    def wrong_along(self) -> Array:
        """(N, K) bool: finite, and beyond the error bound."""
        check = self.slopes
        return self._of_cases(np.any(check.wrong & ~check.tie & ~check.edge, axis=1))

    @functools.cached_property
    def nonfinite_along(self) -> Array:
        """(N, K) bool: NaN or Inf where the differences settle on a finite number."""
        check = self.slopes
        smooth = check.comparison.point.reshape(check.gradient.shape) == Point.SMOOTH
        found = ~np.isfinite(check.gradient) & smooth & ~check.edge
        return self._of_cases(np.any(found, axis=1))

    @property
    def decided(self) -> Array:
        """(N,) bool: something could be said."""
        rows = np.any(self.slopes.decided, axis=1)
        return np.asarray(self._of_cases(rows).any(axis=1) | self.nonfinite_along.any(axis=1))

    def _of_cases(self, rows: Array) -> Array:
        return np.asarray(rows.reshape(len(self), -1) & self.verified[:, None])

    def directed(self, cases: CaseBlock) -> CaseBlock:
        """Put every direction beside every case."""
        return directed(cases, self.directions)


def second_order(
    evidence: Evidence, gradients: Sequence[GradientCheck]
) -> tuple[SecondOrderCheck, ...]:
    """Check second derivatives in a batch, and of one sample where that shows a fault as well.

    A batch sees what one sample sees and how elements act on one another, so that it alone is run
    for a loss without fault; a fault is read more easily in one sample.
    """
    found: list[SecondOrderCheck] = []
    for instance in reversed(evidence.instances):
        first = next((g for g in gradients if _at(evidence, g) is instance), None)
        if first is not None and (not found or _faulty(found[0])):
            made = _observe(evidence, instance, first)
            found = [made, *found] if made is not None else found
    return tuple(found)


def _at(evidence: Evidence, gradients: GradientCheck) -> Instance:
    return evidence.instance_of(gradients.cases)


def _faulty(check: SecondOrderCheck) -> bool:
    return bool(check.error or check.wrong_along.any() or check.nonfinite_along.any())


def _observe(
    evidence: Evidence, instance: Instance, first: GradientCheck
) -> SecondOrderCheck | None:
    """Check the cases of an instance whose gradients were verified; None where there are none."""
    derived = _derived(evidence, instance)
    try:
        program = derived.programs.double(derived.spec.shapes(derived.spec.sizes)).graphed
    except (CallError, OutputError):  # runs as a loss, but not once more inside another function
        return None
    directions = _directions(instance.shapes[evidence.spec.prediction.name], evidence.seed)
    verified = np.flatnonzero(first.verified)
    cases = _chosen(first.cases.take(verified), directions)
    if not len(cases):
        return None
    size = np.abs(derived.double(directed(cases, directions))[1])
    if program is None or program.settle() is not Way.VECTORIZED:
        most = SINGLE_CASES // (EVALUATIONS * directions.size)
        cases = cases.take(slice(0, max(1, most)))
    size = size[np.isfinite(size) & (size > 0)]
    # A curvature far below the gradient is none that a step of ordinary length would meet.
    scale = max(first.scale, float(np.median(size)) if len(size) else 0.0)
    missing = program is not None and program.traced.gradient is None
    error = program.traced.gradient_error if program is not None else ""
    cut = cut_off(derived.main)

    def observed(block: CaseBlock, certified: Array) -> SecondOrderCheck:
        return SecondOrderCheck(
            cases=block,
            verified=certified,
            directions=directions,
            slopes=check(derived, derived.main, directed(block, directions), scale),
            missing=missing,
            error=error,
            cut=cut,
            derived=derived,
            rerun=lambda others: observed(others, first.rerun(others).verified),
        )

    return observed(cases, np.ones(len(cases), bool))


def _derived(evidence: Evidence, instance: Instance) -> Evidence:
    """Lay out the evidence of the loss's slope along a direction, at the sizes of an instance."""
    spec = evidence.spec
    direction = Argument(
        name=DIRECTION,
        role="input",
        domain="sign",
        shape=spec.prediction.shape,
        dtype=spec.prediction.dtype,
        origin="known",
    )
    own = Spec(
        arguments=(*spec.arguments, direction),
        constants={},
        sizes=instance.sizes,
        narrow=instance.sizes,
    )
    return Evidence(
        inferred=Inferred(spec=own, programs=Programs(slope(evidence.programs.call))),
        dtypes=evidence.dtypes,
        modes_wanted=(),
        seed=evidence.seed,
        shared_seed=evidence.shared_seed,
    )


def _directions(shape: tuple[int, ...], seed: int) -> Array:
    """(K, *shape) of 1 and -1, each once; the first element is 1, since v and -v say the same."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (DIRECTIONS, int(np.prod(shape))))
    return np.unique(signs * signs[:, :1], axis=0).reshape(-1, *shape)


def directed(cases: CaseBlock, directions: Array) -> CaseBlock:
    """Put every direction beside every case: N·K cases, those of a case one after the other."""
    count = len(directions)
    repeated = cases.take(np.repeat(np.arange(len(cases)), count))
    along = np.tile(directions, (len(cases), *(1 for _ in directions.shape[1:])))
    return CaseBlock({**repeated.inputs, DIRECTION: along}, repeated.ranges)


def _chosen(cases: CaseBlock, directions: Array) -> CaseBlock:
    """Take as many ordinary and working cases as the coordinates of all directions allow."""
    index = []
    for reach, coordinates in ((Range.ORDINARY, ORDINARY), (Range.WORKING, WORKING)):
        most = max(2, coordinates // directions.size)
        index.append(np.flatnonzero(cases.ranges == reach)[:most])
    return cases.take(np.concatenate(index))


@attrs.frozen(kw_only=True)
class CutOff:
    """The operation without a derivative, the user's line of it, and whether the user wrote it.

    Without such an operation, the line is the last of the user's own backward code.
    """

    op: str = ""  # its TensorFlow type; "" where no operation is to blame
    location: Location | None = None
    custom: bool = False  # in the gradient function of a tf.custom_gradient


def cut_off(instance: Instance) -> CutOff:
    """Look for what the user wrote into the gradient, then for what TensorFlow cannot derive."""
    graph = instance.wiring
    if graph is None or instance.program.traced is None:
        return CutOff()
    origins = instance.program.traced.origins
    depends = graph.depends(graph.prediction)
    fed = [n for n in graph.forward if not depends.isdisjoint(n.inputs)]
    flat = [n for n in fed if n.floating and not n.differentiable]
    own = [n for n in _backward(graph) if origins.users_own(n.name)]
    cuts = [n for n in fed if n.type in _CUTS]
    for node in (*(n for n in cuts if n in own), *cuts):
        return CutOff(op=node.type, location=origins.location(node.name), custom=node in own)
    if own:
        return CutOff(location=origins.location(own[-1].name), custom=True)
    for node in flat:
        return CutOff(op=node.type, location=origins.location(node.name))
    return CutOff()


def _backward(graph: Wiring) -> list[Node]:
    ends = [graph.value] + ([graph.gradient] if graph.gradient else [])
    wanted = {node.name for end in ends for node in graph.ancestors(end) if node.backward}
    return [node for node in graph.nodes if node.name in wanted]
