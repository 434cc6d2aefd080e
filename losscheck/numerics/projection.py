"""Directional derivatives: a whole gradient held against a few numbers.

The derivative along a random direction takes as many evaluations as that of one coordinate,
whatever the size of the prediction, and an error in any one coordinate of the gradient shows in it
undiminished: in Σ g·d each coordinate keeps its own share. What limits it is the rounding of the
loss alone, so the bound comes from the ladder, and with it the size of the smallest error that
would have been seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics.rungs import FINEST, OFFSETS, STEPS, Samples

Along: TypeAlias = Callable[[Array, Array], Array]
"""along(probe (M,) int64, t (M,) float64) -> (M, blocks) float64: what each block of the loss is
where the prediction has moved by t times the direction of that probe."""

COARSE: Final = 7
"""Rungs of the first look, steps 2^-3 to 2^-15 of the scale: a smooth loss needs no finer ones."""

LEVELS: Final = 128
"""Magnitudes of a direction are 128 to 255 of 256ths: eight bits, so that x + t·d is exact."""

CONFIDENCE: Final = 5.0
"""Errors of relative size e add up to at most this times e·|g∘d| over random signs, by Hoeffding's
inequality but for 2·exp(-12.5) = 7e-6 of directions."""


def directions(
    scale: Array, count: int, seed: int, lower: Array | float, upper: Array | float, x: Array
) -> Array:
    """Draw directions along which a prediction may move both ways.

    Parameters
    ----------
    scale
        (n,) float64, powers of two: the natural scale of each element.
    count
        How many.
    lower, upper
        The domain, which no step leaves: an element at an end of it stays where it is.
    x
        (n,) float64.

    Returns
    -------
    Array
        (count, n) float64. Signs are Rademacher's; magnitudes differ, for with equal ones two
        errors of opposite sign cancel along half of all directions.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.integers(-LEVELS, LEVELS, (count, len(scale)), dtype=np.int8)
    # -128 to 127 becomes -255 to -128 and 128 to 255.
    sizes = (drawn + np.where(drawn < 0, 1.0 - LEVELS, LEVELS)) / (2 * LEVELS)
    room = np.fmin(x - lower, upper - x)
    return np.asarray(sizes * np.where(room >= scale * STEPS[0], scale, 0.0))


def climb_along(along: Along, probes: int, settled: Callable[[Samples], Array]) -> Samples:
    """Evaluate the loss along directions, by as few steps as settle it.

    Parameters
    ----------
    along
        The loss.
    probes
        How many directions there are.
    settled
        Says (probes,) bool of the wide steps whether they are good enough; the other directions
        get the fine steps, too.

    Returns
    -------
    Samples
        Of probes·blocks points, a direction after the other, for `quotients.derive`.

    Examples
    --------
    >>> from losscheck.numerics.quotients import derive
    >>> def along(probe, t):
    ...     return np.exp(t[:, None] * np.array([1.0, 2.0]))
    >>> samples = climb_along(along, 1, lambda samples: np.ones(1, bool))
    >>> found = derive(samples, np.ones(2), np.zeros(2))
    >>> bool(np.all(np.abs(found.value - [1.0, 2.0]) <= 10 * found.error))
    True
    """
    fine = OFFSETS * FINEST
    # The noise of the loss is that of the point: one direction, forwards, measures it for all.
    near = along(np.zeros(6, dtype=np.int64), np.concatenate([np.zeros(1), fine]))
    blocks = near.shape[1]
    steps = np.concatenate([STEPS, fine[-1:], fine[:1]])
    width = np.tile(steps[:, None], probes * blocks)
    samples = Samples(
        x=np.zeros(probes * blocks),
        centre=np.tile(near[0], probes),
        up=np.full(width.shape, np.nan),
        down=np.full(width.shape, np.nan),
        above=width,
        below=width,
        fine_up=np.tile(near[1:], probes),
        fine_down=np.tile(near[1:], probes),
    )
    _fill(along, samples, np.arange(probes), slice(0, COARSE), blocks)
    open_ = np.flatnonzero(~settled(samples))
    if len(open_):
        _fill(along, samples, open_, slice(COARSE, len(STEPS)), blocks)
    return samples


def summed(samples: Samples, blocks: int) -> Samples:
    """Add the blocks of each direction up: the samples of the loss as a whole."""

    def total(values: Array) -> Array:
        return np.asarray(values.reshape(*values.shape[:-1], -1, blocks).sum(axis=-1))

    return attrs.evolve(
        samples,
        x=samples.x[::blocks],
        above=samples.above[:, ::blocks],
        below=samples.below[:, ::blocks],
        **{name: total(getattr(samples, name)) for name in ("centre", "up", "down")},
        **{name: total(getattr(samples, name)) for name in ("fine_up", "fine_down")},
    )


def _fill(along: Along, samples: Samples, probes: Array, rungs: slice, blocks: int) -> None:
    """Evaluate some rungs of some probes."""
    steps = STEPS[rungs]
    probe = np.repeat(probes, 2 * len(steps))
    values = along(probe, np.tile(np.concatenate([steps, -steps]), len(probes)))
    values = values.reshape(len(probes), 2, len(steps), blocks)
    for i, p in enumerate(probes):
        columns = slice(p * blocks, (p + 1) * blocks)
        samples.up[rungs, columns], samples.down[rungs, columns] = values[i]


@attrs.frozen
class Step:
    """One step that serves as well as a ladder: forwards from the point, or about it."""

    size: float
    central: bool


CHEAP: Final = 1 / 16
"""Error of a forward step, over what is looked for, up to which the step backwards is saved."""


def best_step(samples: Samples, point: int, value: float, off: float) -> Step:
    """Choose the step whose quotient alone comes closest to a known derivative.

    Parameters
    ----------
    samples, point
        The ladder, and which of its points.
    value
        Its derivative.
    off
        What is looked for with the step: a forward one must be closer by far.
    """
    up, down, centre = samples.up[:, point], samples.down[:, point], samples.centre[point]
    step = samples.above[:, point]
    with np.errstate(invalid="ignore"):
        forward = np.abs((up - centre) / step - value)
        central = np.abs((up - down) / (2 * step) - value)
    ahead, about = (np.where(np.isfinite(e), e, np.inf) for e in (forward, central))
    row = int(np.argmin(ahead))
    if ahead[row] <= CHEAP * abs(off):
        return Step(float(step[row]), False)
    return Step(float(step[int(np.argmin(about))]), True)
