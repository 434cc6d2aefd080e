"""How well a gradient was verified, over all that was looked at, and what would have been seen.

A verdict is worth what it could have found. Each error is put into one element at a time of the
gradients of ordinary points, and judged by the bound that the true gradient was judged by; where
nothing could be decided it is not caught. Nothing is put into a gradient that is wrong as it is:
what it was seen by says more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.check import GradientCheck
from losscheck.evidence.gradient.float32 import median_digits
from losscheck.evidence.gradient.large_case import CaseVerdict
from losscheck.evidence.gradient.other_checkers import Opinions
from losscheck.evidence.gradient.projected import median_size
from losscheck.evidence.gradient.terms import terms
from losscheck.model import Array, GradientSummary, Range, SelfTest
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.verdict import Agreement, Point
from losscheck.program.probing import Probe, Readout
from losscheck.program.running.ways import Way

COUNTS = 1e-2  # of the ordinary gradient: an error in a smaller element matters to nobody
SAMPLED = 64  # elements of a large prediction that an error is put into
SCALED = "one element scaled by 1.001"
FLIPPED = "one element's sign flipped"
DROPPED = "one term of the loss dropped"
TERMS = 3  # of the loss that are dropped, one at a time


def self_test(evidence: Evidence, checks: Sequence[GradientCheck]) -> tuple[SelfTest, ...]:
    """Put errors into gradients and count what is caught.

    Returns
    -------
    tuple of SelfTest
        One a kind of error, of those that could be put anywhere.
    """
    if any((check.wrong & ~check.tie).any() for check in checks):
        return ()
    alterations: dict[str, Callable[[Array], Array]] = {
        SCALED: lambda gradient: gradient * 1.001,
        FLIPPED: lambda gradient: -gradient,
    }
    counts = {
        fault: np.sum([_altered(check, alter) for check in checks], axis=0)
        for fault, alter in alterations.items()
    }
    batch = [check for check in checks if not check.verdicts][-1:]
    dropped = [_dropped(evidence, check) for check in batch]
    counts[DROPPED] = np.sum([np.zeros(2, int), *dropped], axis=0)
    return tuple(
        SelfTest(fault=fault, tried=int(tried), caught=int(caught))
        for fault, (tried, caught) in counts.items()
        if tried
    )


def _altered(check: GradientCheck, alter: Callable[[Array], Array]) -> Array:
    """(2,) how many elements were altered, and how many of them were found wrong."""
    if check.verdicts:
        sampled = [_sampled(verdict, alter) for verdict in check.verdicts]
        return np.asarray(np.sum([np.zeros(2, int), *sampled], axis=0))
    gradient = check.gradient.ravel()
    return _caught(check, alter(gradient), _usable(check, gradient))


def _sampled(verdict: CaseVerdict, alter: Callable[[Array], Array]) -> Array:
    """(2,) the same of some elements of a large prediction."""
    gradient, comparison = verdict.gradient, verdict.comparison
    able = np.flatnonzero(np.abs(gradient) >= COUNTS * median_size(gradient))
    able = able[:: max(1, len(able) // SAMPLED)][:SAMPLED]
    changed = alter(gradient[able])
    made = verdict.projections
    if made is not None:
        pairs = zip(able, changed, strict=True)
        caught = sum(made.catches(int(i), float(g)) for i, g in pairs)
    else:
        off = np.abs(changed - verdict.value[able]) > comparison.bound[able]
        caught = int((off & (comparison.outcome[able] == Agreement.VERIFIED)).sum())
    return np.asarray([len(able), caught])


def _usable(check: GradientCheck, size: Array) -> Array:
    """(N·n,) bool: at an ordinary point, no kink, and large enough for an error to matter."""
    kink = check.comparison.point == Point.KINK
    ordinary = np.repeat(check.ranges == Range.ORDINARY, check.gradient.shape[1])
    return np.asarray(ordinary & ~kink & (np.abs(size) >= COUNTS * check.scale))


def _caught(check: GradientCheck, changed: Array, where: Array) -> Array:
    comparison = check.comparison
    off = np.abs(changed - check.found.value) > comparison.bound
    found = where & off & (comparison.outcome == Agreement.VERIFIED)
    return np.asarray([where.sum(), found.sum()])


def _dropped(evidence: Evidence, check: GradientCheck) -> Array:
    """(2,) elements that lose a term of the loss, and how many of them were found wrong.

    What a term contributes is differentiated numerically, as the backward pass would have it.
    """
    instance = evidence.instance_of(check.cases)
    program = evidence.programs.double(instance.shapes).graphed
    counted = np.zeros(2, int)
    if program is None or program.way() is not Way.VECTORIZED or not len(check):
        return counted
    probe = Probe(program, {name: array[0] for name, array in check.cases.inputs.items()})
    found = terms(probe, program.wiring)
    n = check.gradient.shape[1]
    for term in [] if found is None else _terms(found):
        share = _share(evidence, probe, term, n)
        first = np.zeros(len(check) * n)
        first[:n] = np.where(np.isfinite(share), share, 0.0)
        where = _usable(check, first)
        counted = counted + _caught(check, check.gradient.ravel() - first, where)
    return np.asarray(counted)


def _terms(found: Readout) -> list[Readout]:
    """Some of what the loss adds up: its tensors, or the elements of the only one."""
    pairs = list(zip(found.tensors, found.weights, found.sizes, strict=True))
    if len(pairs) > 1:
        return [Readout((tensor,), (weight,)) for tensor, weight, _ in pairs[:TERMS]]
    tensor, weight, size = pairs[0]
    alone = np.eye(size)[:: max(1, size // TERMS)][:TERMS] * weight
    return [Readout((tensor,), (one,)) for one in alone]


def _share(evidence: Evidence, probe: Probe, term: Readout, n: int) -> Array:
    """(n,) the derivative of one term at the first case."""

    def evaluate(case: Array, coordinate: Array, value: Array) -> Array:
        points = np.tile(probe.x, (len(value), 1))
        points[np.arange(len(value)), coordinate] = value
        return probe.at(term, points)[:, 0]

    low, high = evidence.edges(np.arange(n))
    zero = np.zeros(n, int)
    edges = np.fmin(low, probe.x), np.fmax(high, probe.x)
    return derivatives(evaluate, zero, np.arange(n), probe.x, *edges).value


def summary(desk: Desk) -> GradientSummary | None:
    """Sum up the gradient checks of a loss; None where there are none."""
    checks: tuple[GradientCheck, ...] = desk.get("gradients")
    if not checks:
        return None
    digits = np.concatenate([check.comparison.digits for check in checks])
    digits = digits[np.isfinite(digits)]
    verified = [int((c.comparison.outcome == Agreement.VERIFIED).sum()) for c in checks]
    sizes = [c.gradient.shape[1] for c, count in zip(checks, verified, strict=True) if count]
    opinions: Opinions = desk.get("opinions")
    return GradientSummary(
        digits=round(float(np.median(digits)), 1) if len(digits) else None,
        max_error=max(_max_error(check) for check in checks),
        compute_gradient_max_error=opinions.compute_gradient_error,
        points=sum(verified),
        float32_digits=median_digits(desk.get("float32")),
        forward_mode_max_error=opinions.forward_error,
        largest=max(sizes, default=None),
        self_test=self_test(desk.evidence, checks),
    )


def _max_error(check: GradientCheck) -> float:
    """The largest difference from the numeric derivative, over max(|g|, ordinary gradient)."""
    size = np.fmax(np.abs(check.gradient.ravel()), max(check.scale, np.finfo(float).tiny))
    decided = check.decided.ravel()
    return float(np.max((check.comparison.difference / size)[decided], initial=0.0))
