"""Samples whose whole gradient is 0, here and around, though their loss is not small."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock, Population, spread
from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.disagreement import NEGLIGIBLE
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.evidence.shape.reruns import Parts
from losscheck.infer.spec import last_letter
from losscheck.model import Array, Range
from losscheck.numerics.ulps import LEAST, ulp
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.shapes import parse

LOOKED_AT = 4_096  # cases whose neighbourhood is tried
NEAR = 1e-3  # size of the neighbourhood, relative to the number or to its distance to an edge
TINY = 1e-12  # absolute size of it at an edge at 0: no clip of probabilities is narrower
PASSING = 64  # ulps of a prediction, or of 1, within which a zero of the gradient is a single point
TILES = 3  # outputs that a sample of one is repeated to
FEW = 8  # labels are grouped where each occurs so often on average
Small = Callable[[Array], Array]
ALL = 0.99  # share of a label's cases that makes the label itself dead
OTHERS = 32  # ordinary predictions that are tried
FEWEST = 8  # the same beside many cases
RUNS = 1 << 16  # of the loss, for all cases together


@attrs.frozen(kw_only=True, eq=False)
class DeadGradients(Population):
    """Which cases of the smallest instance are dead."""

    sweep: Sweep
    dead: Array  # (N,) bool: 0 in float64, too
    rounded: Array  # (N,) bool: 0 in float32 alone
    vanishing: Array  # (N,) bool: the same, and the true gradient is too small for float32
    # Of the ordinary cases, those left out whose loss is the same for every prediction, and those
    # of labels that never give a gradient: an empty mask or a missing class makes some losses
    # constant, which is no clip.
    share: float
    rerun: Callable[[CaseBlock], DeadGradients]


def dead_gradients(evidence: Evidence) -> DeadGradients | None:
    """Look for dead cases in the sweep of one sample; None where there is no gradient at all."""
    sweep = evidence.sweeps[0]
    return _observe(evidence, sweep) if sweep.has_gradient else None


def dead_batches(evidence: Evidence, parts: Parts | None) -> DeadGradients | None:
    """Look for dead batches where samples depend on each other, as at labels of one class.

    A statistic of one sample alone is constant in many losses, and says little of them. None where
    a batch is no more than its samples.
    """
    sweep = evidence.main_sweep
    if parts is None or not parts.coupled.any() or not sweep.has_gradient:
        return None
    return _observe(evidence, sweep) if len(evidence.instances) > 1 else None


def _observe(evidence: Evidence, sweep: Sweep) -> DeadGradients:
    found, constant = _dead(evidence, sweep)
    index = np.flatnonzero(found)
    found[index] = ~_passing(evidence, sweep.cases.take(index), sweep.prediction)
    index = np.flatnonzero(found)
    size = np.zeros(len(sweep))
    if len(index):
        gradient = evidence.double(sweep.cases.take(index))[1].reshape(len(index), -1)
        size[index] = np.abs(gradient).max(axis=1, initial=0.0)
    dead, faint = found & ~(size > 0), (size > 0) & (size < LEAST[sweep.dtype])
    return DeadGradients(
        cases=sweep.cases,
        sweep=sweep,
        dead=dead,
        rounded=found & ~dead & ~faint,
        vanishing=found & faint,
        share=_share(evidence, sweep, dead & ~constant),
        rerun=lambda cases: _observe(evidence, sweep.rerun(cases)),
    )


def _dead(evidence: Evidence, sweep: Sweep) -> tuple[Array, Array]:
    """(N,) bool each: dead, of those that were looked at; and so whatever the prediction."""
    zero = ~np.any(sweep.flat_gradient, axis=1) & sweep.forward_finite
    found = zero & (sweep.totals > sweep.scale.high_loss) & (sweep.ranges <= Range.WORKING)
    candidates = np.flatnonzero(found)
    index = candidates
    if len(candidates) > LOOKED_AT:  # the usual ones, which shares are taken of, and some others
        others = spread(candidates, LOOKED_AT)
        index = np.union1d(np.intersect1d(candidates, usual(sweep.ranges)), others)
    dead, constant = np.zeros(len(sweep), bool), np.zeros(len(sweep), bool)
    if len(index):
        index = index[throughout(evidence, sweep, sweep.cases.take(index), _zero)]
    if len(index):
        lower, constant[index] = better(evidence, sweep, sweep.cases.take(index))
        dead[index] = lower | constant[index]
    return dead, constant


def _zero(gradient: Array) -> Array:
    return np.asarray(~np.any(gradient, axis=1))


def throughout(evidence: Evidence, sweep: Sweep, cases: CaseBlock, small: Small) -> Array:
    """(N,) bool: the gradient is small at points around, too, and with every output repeated.

    Parameters
    ----------
    small
        (N, n) gradients to (N,) bool.
    """
    name = sweep.prediction
    still = _around(evidence, cases, name, lambda block: sweep.rerun(block).flat_gradient, small)
    return np.asarray(still & _repeated(evidence, cases, name, small))


def _around(
    evidence: Evidence,
    cases: CaseBlock,
    name: str,
    gradient: Callable[[CaseBlock], Array],
    small: Small,
) -> Array:
    """(N,) bool: the gradient is small at points around, too."""
    below, above = _beside(evidence, cases, name)
    return np.asarray(small(gradient(below)) & small(gradient(above)))


def _beside(evidence: Evidence, cases: CaseBlock, name: str) -> list[CaseBlock]:
    """The same cases a little below and a little above."""
    x = np.asarray(cases.inputs[name], np.float64)
    low, high = evidence.box
    room = np.fmin(x - low, high - x)
    base = np.fmin(room, np.fmax(np.abs(x), 1.0))
    step = np.fmax(np.fmax(NEAR * base, ulp(x)), TINY)
    rng = np.random.default_rng(evidence.seed)
    found = []
    for sign in (-1.0, 1.0):
        # Elements move by different amounts: moved alike they may stay on a ray of zeros.
        moved = np.clip(x + sign * step * rng.uniform(0.5, 1.0, x.shape), low, high)
        inputs = {**cases.inputs, name: moved.astype(np.float32)}
        found.append(CaseBlock(inputs, cases.ranges))
    return found


def _passing(evidence: Evidence, cases: CaseBlock, name: str) -> Array:
    """(N,) bool: the true gradient passes through 0 a few roundings of the prediction away.

    Beside an edge of the domain what lies around is as near as that: all of it rounds to the 0 of a
    single point, such as the top of a hill.
    """
    if not len(cases):
        return np.zeros(0, bool)
    sides = _beside(evidence, cases, name)
    below, here, above = (_flat(evidence.double(block)[1]) for block in (sides[0], cases, sides[1]))
    apart = _flat(sides[1].inputs[name]).astype(np.float64) - _flat(sides[0].inputs[name])
    size = np.fmax(np.fmax(np.abs(below), np.abs(above)), np.abs(here)).max(axis=1)
    change = np.abs(above - below).max(axis=1)
    few = PASSING * np.fmax(ulp(_flat(cases.inputs[name])), ulp(np.ones(1))).max(axis=1)
    return np.asarray((size > 0) & (np.abs(apart).max(axis=1) * size <= few * change))


def _flat(array: Array) -> Array:
    return np.asarray(array).reshape(len(array), -1)


def _repeated(evidence: Evidence, cases: CaseBlock, name: str, small: Small) -> Array:
    """(N,) bool: small as well with every output repeated.

    With a single output some losses are constant (a cosine, a correlation): what does not survive
    repetition says nothing of the loss as it is used.
    """
    shapes = {a.name: parse(a.shape) for a in evidence.spec.arguments}
    letter = last_letter(shapes)
    instance = evidence.instance_of(cases)
    if not letter or instance.sizes.get(letter) != 1:
        return np.ones(len(cases), bool)
    wide = evidence.spec.shapes({**instance.sizes, letter: TILES})
    try:
        program = evidence.programs.at(wide)
    except (CallError, OutputError):
        return np.ones(len(cases), bool)
    tiled = CaseBlock(_tiled(cases, wide), cases.ranges)

    def gradient(block: CaseBlock) -> Array:
        return np.asarray(program.run(block.inputs).gradient).reshape(len(block), -1)

    return np.asarray(small(gradient(tiled)) & _around(evidence, tiled, name, gradient, small))


def _tiled(cases: CaseBlock, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    n = len(cases)
    return {
        name: np.ascontiguousarray(np.broadcast_to(array, (n, *shapes[name])))
        for name, array in cases.inputs.items()
    }


def _share(evidence: Evidence, sweep: Sweep, dead: Array) -> float:
    ordinary = usual(sweep.ranges)
    if not len(ordinary):
        return 0.0
    counted = dead[ordinary]
    prediction = evidence.spec.prediction
    guessed = prediction.origin == "inferred" and counted.mean() < ALL
    if guessed and not domains.parse(prediction.domain).representative:
        return 0.0
    labels = [
        sweep.cases.inputs[a.name][ordinary].reshape(len(ordinary), -1)
        for a in evidence.spec.arguments
        if a.role != "y_pred" and domains.parse(a.domain).integral
    ]
    if labels:  # classes and masks: few different ones, each with many predictions
        rows = np.concatenate(labels, axis=1)
        _, group = np.unique(rows, axis=0, return_inverse=True)
        group = group.ravel()
        size = np.bincount(group)
        share = np.bincount(group, weights=counted) / size
        constant = share >= ALL
        if not constant.all() and len(size) * FEW <= len(rows):
            counted = counted & ~constant[group]
    return float(counted.mean())


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
    picked = spread(ordinary, max(FEWEST, min(OTHERS, RUNS // max(1, len(cases)))))
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
