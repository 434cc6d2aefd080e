"""Cases apart from the sweeps: those on which an operation raises, outside a domain, alone.

A batch of one is run at its usual width where samples depend on each other. Elsewhere a row of a
batch is a batch of one; and the smallest instance has a single output besides, at which much is
constant or empty that is neither at any width that is trained on.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock, spread
from losscheck.cases.problem import Problem
from losscheck.domains import Domain
from losscheck.domains.columns import Columns
from losscheck.domains.numbers import Numbers
from losscheck.evidence.gather import Evidence
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.evidence.shape.reruns import Parts
from losscheck.model import Argument, Array, Location, Range
from losscheck.program.running.refusals import Refusal, running
from losscheck.program.tracing.trace import CallError, OutputError

CALLED = 96  # cases of one size that are called by themselves

COMMON = 0.01  # of ordinary cases; inference takes no domain that this many are not finite in

Place = tuple[str, Location | None, bool]  # operation, line, far
NARROWED = "narrowed"  # the form of what is found so
CASES = 256
LONE = 512  # ordinary samples, and as many of the working range


@attrs.frozen(kw_only=True, eq=False)
class Refusals:
    """Cases on which the loss raises at one place."""

    cases: CaseBlock
    # What each case raises there; None where it does not raise, or elsewhere.
    raised: tuple[Refusal | None, ...]
    op: str  # the operation whose kernel raises; "" where Python does
    location: Location | None
    # Whether these cases hold numbers that are beyond the ordinary size in a domain without ends.
    far: bool
    # Whether they lie outside a domain that was chosen for what does not raise in it.
    narrowed: bool
    # The arguments whose domains nobody declared, where so many ordinary cases raise that they may
    # be the wrong ones.
    guessed: tuple[str, ...]
    evidence: Evidence

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def members(self) -> Array:
        """The cases that raise here."""
        return np.flatnonzero([found is not None for found in self.raised])

    @property
    def first(self) -> Refusal:
        """What the first of them raises."""
        return next(found for found in self.raised if found is not None)

    def rerun(self, cases: CaseBlock) -> Refusals:
        """Call other cases, and say which of them raise at the same place."""
        far = _far(self.evidence, cases)
        found = (called(self.evidence, cases, i) for i in range(len(cases)))
        here = tuple(
            one if one is not None and self._is_here(one, bool(far[i])) else None
            for i, one in enumerate(found)
        )
        return attrs.evolve(self, cases=cases, raised=here)

    def _is_here(self, found: Refusal, far: bool) -> bool:
        return (found.op, found.location) == (self.op, self.location) and (self.far or not far)


def refusals(evidence: Evidence) -> tuple[Refusals, ...]:
    """Call cases that the sweeps left out, and tell the places that raise."""
    return tuple(
        place
        for narrowed, block in _left_out(evidence)
        for place in _places(evidence, block, narrowed)
    )


def _places(evidence: Evidence, refused: CaseBlock, narrowed: bool) -> Iterable[Refusals]:
    cases = refused.take(_spread(refused.ranges))
    far, guessed = _far(evidence, cases), _guessed(evidence, refused)
    places: dict[Place, dict[int, Refusal]] = {}
    for i in range(len(cases)):
        if (one := called(evidence, cases, i)) is not None:
            places.setdefault((one.op, one.location, bool(far[i])), {})[i] = one
    for (op, location, large), those in places.items():
        yield Refusals(
            cases=cases.take(np.asarray(list(those))),
            raised=tuple(those.values()),
            op=op,
            location=location,
            far=large,
            narrowed=narrowed,
            guessed=guessed,
            evidence=evidence,
        )


def _guessed(evidence: Evidence, refused: CaseBlock) -> tuple[str, ...]:
    """The arguments whose inferred domains may be the wrong ones, as ordinary cases raise."""
    instance = evidence.instance_of(refused)
    shapes = dict(instance.shapes)
    same = [
        s for s in evidence.swept if {n: a.shape[1:] for n, a in s.cases.inputs.items()} == shapes
    ]
    able = sum(int((s.ranges == Range.ORDINARY).sum()) for s in same if s.dtype == "float32")
    raising = int((refused.ranges == Range.ORDINARY).sum())
    if raising <= COMMON * (able + raising):
        return ()
    return tuple(a.name for a in evidence.spec.arguments if a.origin == "inferred")


def called(evidence: Evidence, cases: CaseBlock, index: int) -> Refusal | None:
    """Call one case eagerly; what raised, or None."""
    case = {name: np.asarray(array[index], np.float32) for name, array in cases.inputs.items()}
    try:
        evidence.programs.runner.run(case, "eager")
    except CallError as error:
        return Refusal.of(error, evidence.programs.call.home)
    except OutputError:
        pass
    return None


def _left_out(evidence: Evidence) -> Iterable[tuple[bool, CaseBlock]]:
    """The cases of each size on which something raises, and whether a domain leaves them out."""
    assert evidence.sweeps  # which put them apart
    yield from ((False, block) for block in evidence.refused.get("float32", ()))
    _, raising = beyond(evidence)
    if len(raising):
        yield True, raising


def _spread(ranges: Array) -> Array:
    """Some cases of each range, evenly spread."""
    index = [
        spread(members, CALLED // 3)
        for reach in np.unique(ranges)
        if len(members := np.flatnonzero(ranges == reach))
    ]
    return np.concatenate(index)


def _far(evidence: Evidence, cases: CaseBlock) -> Array:
    """(N,) bool: some number is larger than ordinary ones in a domain without ends."""
    ends = _ends(tuple((a.name, a.domain) for a in evidence.spec.arguments))
    far = np.zeros(len(cases), bool)
    for name, array in cases.inputs.items():
        sizes = np.abs(np.asarray(array, np.float64))
        far |= (sizes > ends[name]).reshape(len(cases), -1).any(axis=1)
    return far


@functools.lru_cache(maxsize=64)
def _ends(arguments: tuple[tuple[str, str], ...]) -> Mapping[str, float]:
    """The largest ordinary size in each domain; infinite where the domain itself has ends."""
    found = {}
    for name, text in arguments:
        domain = domains.parse(text)
        parts = domain.parts if isinstance(domain, Columns) else (domain,)
        found[name] = max(_end(part) for part in parts)
    return found


def _end(domain: Domain) -> float:
    if isinstance(domain, Numbers) and not np.isfinite(domain.bounds).all():
        return max(map(abs, domain.usual))
    return np.inf


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
