"""A gradient against directional derivatives, and bisection down to the element that is wrong.

The derivative of the loss as a whole along a direction says whether the gradient is right. Where
the loss adds up terms, each block of them says so of its own part of the prediction, with less
rounding around it; that holds only where no term reaches into another block, which need not be
known beforehand: blocks that reach into each other disagree with the gradient nearly everywhere,
and then the whole has the say.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.evidence.gradient.terms import candidates
from losscheck.model import Array
from losscheck.numerics.projection import (
    CONFIDENCE,
    best_step,
    climb_along,
    directions,
    summed,
)
from losscheck.numerics.quotients import Derivatives, derive
from losscheck.numerics.rungs import Samples
from losscheck.numerics.verdict import Agreement, Comparison, compare
from losscheck.program.probing import Probe, Readout

PROBES = 3  # an error that one direction hides by chance (1 in 256 for a pair) shows in another
FEWER = 2  # of a large prediction
GROUPS = 64  # blocks at most: their ladders stay cheaper than the loss
RESOLVED = 0.1  # of an ordinary element: what must show for a direction to verify anything
FINE = 1e-5  # of the same: what satisfies the wide steps, so that no finer ones are taken
FINE_LARGE = 0.01  # the same of a large prediction, where every step costs as much as the loss
LOCAL = 0.5  # share of the blocks that may be off if the fault is to lie in them
FOUND = 4  # wrong elements that are looked for; one of a large prediction
SAMPLED = 1 << 16  # elements that the median share is taken of


@attrs.frozen(kw_only=True, eq=False)
class Projections:
    """Directional derivatives of every block of a prediction."""

    directions: Array  # (P, n)
    gradient: Array  # (n,) as the program gives it
    # The ordinary share of an element in them: the median of |g·s| where it is not 0.
    ordinary: float
    readout: Readout  # the blocks
    # Of P·blocks points, a direction after the other: what the gradient gives, and the loss.
    slopes: Array
    samples: Samples
    found: Derivatives
    comparison: Comparison

    @property
    def blocks(self) -> int:
        """How many there are."""
        return self.readout.blocks

    @property
    def wrong(self) -> Array:
        """(P·blocks,) bool."""
        return is_wrong(self.comparison)

    @property
    def verified(self) -> Array:
        """(P·blocks,) bool: right, and an error of a tenth of an ordinary element would show."""
        return self.clear(RESOLVED)

    def clear(self, share: float) -> Array:
        """(P·blocks,) bool: right, and an error of this share of an ordinary element shows."""
        sharp = self.comparison.bound <= share * self.ordinary
        return np.asarray((self.comparison.outcome == Agreement.VERIFIED) & sharp)

    @property
    def right(self) -> Array:
        """(blocks,) bool: verified along a direction, and wrong along none."""
        right = self._each(self.verified).any(axis=0) & ~self._each(self.wrong).any(axis=0)
        return np.asarray(right)

    def _each(self, points: Array) -> Array:
        return np.asarray(points.reshape(-1, self.blocks))

    @property
    def resolution(self) -> float:
        """The smallest error of one element that shows, over an ordinary element."""
        bound = self.comparison.bound.reshape(-1, self.blocks)
        return float(np.max(np.min(bound, axis=0)) / self.ordinary)

    def catches(self, element: int, gradient: float) -> bool:
        """Say whether the gradient's element would be found wrong if it were this."""
        block = element // (len(self.gradient) // self.blocks)
        points = np.arange(len(self.directions)) * self.blocks + block
        change = (gradient - self.gradient[element]) * self.directions[:, element]
        off = np.abs(self.slopes[points] + change - self.found.value[points])
        return bool((off > self.comparison.bound[points])[self.verified[points]].any())


def scales(x: Array, low: Array, high: Array) -> Array:
    """(n,) the natural scale of each element: a power of two within its distance to the edges."""
    room = np.fmin(np.where(x > low, x - low, np.inf), np.where(high > x, high - x, np.inf))
    size = np.fmin(np.fmax(1.0, np.abs(x)), room)
    mantissa, exponent = np.frexp(size)
    return np.where(mantissa > 0, np.ldexp(0.5, exponent), 0.0)


@attrs.frozen(kw_only=True, eq=False)
class Projector:
    """Holds the gradient of one case against directional derivatives."""

    probe: Probe
    # (n,) float64: as the program gives it; the domain of each element.
    gradient: Array
    low: Array
    high: Array
    floor: float  # relative error that each element's comparison may have (numerics.verdict)
    magnitude: float  # the largest number that the loss works with
    seed: int

    def project(self, terms: Readout | None, shape: Sequence[int]) -> tuple[Projections, ...]:
        """Take directional derivatives, those of the blocks before those of the whole.

        Returns
        -------
        tuple of Projections
            The first that is not refuted has the say; the last is of the loss as a whole.
        """
        x = self.probe.x
        scale = scales(x, self.low, self.high)
        probes = FEWER if self.probe.large else PROBES
        fine = FINE_LARGE if self.probe.large else FINE
        drawn = directions(scale, probes, self.seed, self.low, self.high, x)
        ordinary = median_size(self.gradient * scale)
        blocks = candidates(shape, terms.sizes, GROUPS)[:1] if terms is not None else []
        readout = attrs.evolve(terms, blocks=blocks[0]) if terms and blocks else self.probe.whole
        slopes, squares = _expected(drawn, self.gradient, readout.blocks)
        judge = functools.partial(self._judge, drawn, ordinary)

        def both(samples: Samples) -> tuple[Projections, ...]:
            made = judge(readout, samples, slopes.ravel(), squares.ravel())
            if readout.blocks == 1 or made.clear(fine).all():
                return (made,)
            total = summed(samples, readout.blocks)
            whole = judge(self.probe.whole, total, slopes.sum(axis=1), squares.sum(axis=1))
            return (made, whole)

        def settled(samples: Samples) -> Array:
            clear = [m.clear(fine).reshape(probes, -1).all(axis=1) for m in both(samples)]
            return np.asarray(np.any(clear, axis=0))

        def along(which: Array, t: Array) -> Array:
            return self.probe.along(readout, drawn, which, t)

        return both(climb_along(along, probes, settled))

    def _judge(
        self,
        drawn: Array,
        ordinary: float,
        readout: Readout,
        samples: Samples,
        slopes: Array,
        squares: Array,
    ) -> Projections:
        found = derive(samples, np.full(len(slopes), self.magnitude), np.zeros(len(slopes)))
        # Each element may be off by the floor; over random signs that adds up like a random walk.
        spread = np.fmax(CONFIDENCE * np.sqrt(squares), ordinary)
        return Projections(
            directions=drawn,
            gradient=self.gradient,
            ordinary=ordinary,
            readout=readout,
            slopes=slopes,
            samples=samples,
            found=found,
            comparison=compare(slopes, found, self.floor, spread),
        )

    def suspects(self, made: Projections) -> Array:
        """Halve wrong blocks down to one element each.

        Returns
        -------
        Array
            Flat indices, still to be confirmed.

        Notes
        -----
        What a part is off by is the sum of what its halves are off by, so one half is evaluated,
        and the search goes on in the one that is off by more: one or two evaluations a level, at
        the step that served the whole part best.
        """
        off = (made.comparison.difference * made.wrong).reshape(-1, made.blocks)
        order = np.argsort(-off.max(axis=0), kind="stable")
        chosen = order[: 1 if self.probe.large else FOUND]
        found = [
            self._halved(made, int(np.argmax(off[:, block])), int(block))
            for block in chosen
            if off[:, block].any()
        ]
        return np.unique(np.asarray(found, int))

    def _halved(self, made: Projections, which: int, block: int) -> int:
        point, width = which * made.blocks + block, len(self.gradient) // made.blocks
        first, last = block * width, (block + 1) * width
        direction, value = made.directions[which], float(made.found.value[point])
        whole = float(self.gradient[first:last] @ direction[first:last]) - value
        step = best_step(made.samples, point, value, whole)
        centre = float(made.samples.centre[point])
        while last - first > 1:
            middle = (first + last) // 2
            part = np.zeros_like(direction)
            part[first:middle] = direction[first:middle]
            t = np.array([step.size, -step.size] if step.central else [step.size])
            values = self.probe.along(made.readout, part[None], np.zeros(len(t), int), t)[:, block]
            rise = (values[0] - values[1]) / 2 if step.central else values[0] - centre
            half = float(self.gradient[first:middle] @ direction[first:middle]) - rise / step.size
            if abs(half) >= abs(whole - half):
                last, whole = middle, half
            else:
                first, whole = middle, whole - half
        return first

    def alone(self, elements: Array, ordinary: float) -> tuple[Derivatives, Comparison]:
        """Differentiate the whole loss by some elements, one at a time, and judge the gradient."""
        scale = scales(self.probe.x, self.low, self.high)[elements]
        directions_ = np.zeros((len(elements), len(self.gradient)))
        directions_[np.arange(len(elements)), elements] = scale

        def judged(samples: Samples) -> tuple[Derivatives, Comparison]:
            found = derive(samples, np.full(len(elements), self.magnitude), np.zeros(len(elements)))
            slopes = self.gradient[elements] * scale
            return found, compare(slopes, found, self.floor, ordinary * scale)

        samples = climb_along(
            lambda which, t: self.probe.along(self.probe.whole, directions_, which, t),
            len(elements),
            lambda samples: judged(samples)[1].outcome != Agreement.INCONCLUSIVE,
        )
        found, comparison = judged(samples)
        per = {
            name: np.asarray(getattr(found, name)) / scale
            for name in ("value", "error", "left", "left_error", "right", "right_error")
        }
        difference, bound = comparison.difference / scale, comparison.bound / scale
        return (
            attrs.evolve(found, **per),
            attrs.evolve(comparison, difference=difference, bound=bound),
        )


def is_wrong(comparison: Comparison) -> Array:
    """(K,) bool: off by more than the bound."""
    return np.isin(comparison.outcome, (Agreement.MISMATCH, Agreement.OUTSIDE))


def median_size(numbers: Array) -> float:
    """Median of the sizes that are not 0, over a regular sample of many; 1 where there are none."""
    sizes = np.abs(numbers[:: max(1, len(numbers) // SAMPLED)])
    sizes = sizes[(sizes > 0) & np.isfinite(sizes)]
    return float(np.median(sizes)) if len(sizes) else 1.0


def _expected(drawn: Array, gradient: Array, blocks: int) -> tuple[Array, Array]:
    """(P, blocks) the gradient along every direction, and the squares of its elements' shares."""
    parts = (drawn * gradient).reshape(len(drawn), blocks, -1)
    return parts.sum(axis=2), np.einsum("pbi,pbi->pb", parts, parts)
