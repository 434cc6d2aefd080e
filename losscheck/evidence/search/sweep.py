"""A sweep: value and gradient of many cases at one shape, dtype and mode, and what is ordinary."""

from __future__ import annotations

import functools
from collections.abc import Callable

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, Population, spread
from losscheck.cases.exhaustive import Lattice
from losscheck.domains.layout import flat
from losscheck.model import Array, Range
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import Outcome

KEPT = 1_024  # failing cases of each range, evenly spread


@attrs.frozen(kw_only=True)
class Scale:
    """What is ordinary: medians over ordinary points, held fixed while a case is shrunk."""

    # Median of the non-zero sizes; 1.0 where there are none.
    value: float
    gradient: float
    # 25th percentile of the ordinary losses: a loss above it is far from its minimum.
    high_loss: float


@attrs.frozen(kw_only=True, eq=False)
class Sweep(Population):
    """Value and gradient of a block of cases in one dtype and mode."""

    dtype: str
    mode: str
    prediction: str
    totals: Array  # (N,) float64, the loss summed over what it returns; finite only if all of it is
    value_nan: Array  # (N,) bool: some of what the loss returns is NaN
    value_inf: Array  # (N,) bool: some of it is infinite and none NaN
    gradient: Array  # (N, *shape of the prediction)
    has_gradient: bool
    scale: Scale
    # Gives (value, gradient) of chosen cases in float64.
    double: Callable[[CaseBlock], tuple[Array, Array]]
    rerun: Callable[[CaseBlock], Sweep]

    def with_scale(self, other: Scale) -> Sweep:
        """Take what is ordinary from another sweep of the same loss where that is larger."""
        scale = attrs.evolve(
            self.scale,
            value=max(self.scale.value, other.value),
            gradient=max(self.scale.gradient, other.gradient),
        )
        return attrs.evolve(
            self, scale=scale, rerun=lambda cases: self.rerun(cases).with_scale(other)
        )

    @functools.cached_property
    def forward_finite(self) -> Array:
        """(N,) bool: the loss is finite."""
        return np.asarray(~(self.value_nan | self.value_inf))

    @property
    def flat_gradient(self) -> Array:
        """(N, n) the gradient, a row a case."""
        return flat(self.gradient)


def sweep(
    run: Callable[[CaseBlock], Outcome],
    cases: CaseBlock,
    *,
    dtype: str,
    mode: str,
    prediction: str,
    has_gradient: bool,
    double: Callable[[CaseBlock], tuple[Array, Array]],
    scale: Scale | None = None,
    outcome: Outcome | None = None,
) -> Sweep:
    """Run a block of cases and note what came out.

    Parameters
    ----------
    run
        Gives what comes of a block.
    scale
        What is ordinary; measured on the ordinary cases of this block where it is None.
    outcome
        What came of these cases; they are run where it is None.
    """
    outcome = run(cases) if outcome is None else outcome
    numbers = flat(np.asarray(outcome.value)).astype(np.float64)
    nan = np.asarray(np.isnan(numbers).any(axis=1))
    inf = np.asarray(np.isinf(numbers).any(axis=1) & ~nan)
    gradient = np.asarray(outcome.gradient)
    totals = outcome.total
    settled = scale or measure(totals, flat(gradient), cases.ranges)

    def rerun(others: CaseBlock) -> Sweep:
        return sweep(
            run,
            others,
            dtype=dtype,
            mode=mode,
            prediction=prediction,
            has_gradient=has_gradient,
            double=double,
            scale=settled,
        )

    return Sweep(
        cases=cases,
        dtype=dtype,
        mode=mode,
        prediction=prediction,
        totals=totals,
        value_nan=nan,
        value_inf=inf,
        gradient=gradient,
        has_gradient=has_gradient,
        scale=settled,
        double=double,
        rerun=rerun,
    )


def measure(totals: Array, gradient: Array, ranges: Array) -> Scale:
    """Measure what is ordinary on the ordinary cases of a block.

    Parameters
    ----------
    totals, gradient, ranges
        (N,), (N, n) and (N,).
    """
    ordinary = usual(ranges)
    values = totals[ordinary]
    values = values[np.isfinite(values)]
    slopes = np.abs(gradient[ordinary].astype(np.float64)).ravel()
    return Scale(
        value=_median_size(values),
        gradient=_median_size(slopes[np.isfinite(slopes)]),
        high_loss=float(np.percentile(values, 25)) if len(values) else 0.0,
    )


USUAL = 4_096  # ordinary points at the head of every block of cases, spread evenly


def usual(ranges: Array) -> Array:
    """Indices of the ordinary points that are spread evenly; landmarks follow them."""
    return np.flatnonzero(ranges == Range.ORDINARY)[:USUAL]


def _median_size(numbers: Array) -> float:
    sizes = np.abs(numbers)
    sizes = sizes[sizes > 0]
    return float(np.median(sizes)) if len(sizes) else 1.0


@attrs.frozen(kw_only=True, eq=False)
class Scan:
    """What came of a lattice."""

    cases: int
    # Some of those whose loss or gradient is not finite; None where there are none.
    failing: CaseBlock | None
    what: str  # the cases, in words

    @property
    def passed(self) -> int:
        """Cases that were run and not kept."""
        return self.cases - (0 if self.failing is None else len(self.failing))


def scan(program: Program, points: Lattice, inside: Callable[[CaseBlock], Array]) -> Scan:
    """Run the cases of a lattice.

    Parameters
    ----------
    inside
        Tells which cases a loss can be called with at all.
    """
    cases, parts = 0, []
    for inputs in points.parts():
        block = CaseBlock(inputs, np.zeros(len(next(iter(inputs.values()))), np.uint8))
        able = inside(block)
        if not able.all():
            block = block.take(able)
        if not len(block):
            continue
        cases += len(block)
        outcome = program.run(block.inputs, "graph")
        flat = outcome.gradient.reshape(len(block), -1)
        bad = ~(np.isfinite(outcome.total) & np.isfinite(flat).all(axis=1))
        if bad.any():
            parts.append(block.take(bad))
    failing = _some(points.problem.judge(CaseBlock.concat(parts).inputs)) if parts else None
    return Scan(cases=cases, failing=failing, what=points.what)


def _some(block: CaseBlock) -> CaseBlock:
    """Keep some of each range, evenly spread over the numbers."""
    chosen = []
    for reach in Range:
        chosen.append(spread(np.flatnonzero(block.ranges == reach), KEPT))
    return block.take(np.sort(np.concatenate(chosen)))
