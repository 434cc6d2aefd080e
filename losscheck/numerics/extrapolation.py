"""The limit of a sequence as its step goes to zero, with an estimate of its error.

A difference quotient at step h is the derivative plus a series in h (one-sided) or in h² (central).
Richardson's extrapolation removes the terms of the series one by one; C. J. F. Ridders (Accurate
computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4, 1982) arranges it as a
table and lets the entry with the least estimated error win. Two additions make the estimate safe
for functions that nobody promised to be smooth: an entry counts only if at least three steps take
part in it, and finer steps may contradict it.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from losscheck.model import Array

RATIO: Final = 4.0
"""Quotient of neighbouring steps: a power of two keeps the steps exact, and 4 spans 2^-3 to 2^-31
in 15 of them."""

MOST_COLUMNS: Final = 7
"""Depth of the table: seven columns remove terms up to h^14, and float64 has no digits for more."""

FEWEST_COLUMNS: Final = 2
"""Two columns take three steps: two steps can agree by accident, on both sides of a kink, say."""

LEAST_GAIN: Final = 1 / 16
"""A column may lower the error estimate by no more than this. It is what one column gains at the
widest steps of a central table (ratio 4, squared); a larger gain may be an accident."""

BLOCK: Final = 2048
"""Sequences tabled at a time: fifteen terms of each are 240 KiB; the caches hold the six arrays."""

NOISE_MARGIN: Final = 3.0
"""Finer steps contradict an entry only by what exceeds this many times their noise."""


@attrs.frozen(eq=False)
class Limit:
    """Limits of K sequences.

    Parameters
    ----------
    value
        (K,) float64, NaN where nothing could be decided.
    error
        (K,) float64, estimated absolute error, inf where nothing could be decided.
    """

    value: Array
    error: Array

    def split(self, parts: int) -> list[Limit]:
        """Cut K sequences into as many equal parts."""
        values, errors = np.split(self.value, parts), np.split(self.error, parts)
        return [Limit(value, error) for value, error in zip(values, errors, strict=True)]


def _contradict(estimate: Array, entries: Array, noise: Array) -> None:
    """Add to estimates by how much finer steps contradict each entry, beyond their noise."""
    # Row by row: NumPy's accumulate along a first axis is five times slower.
    low = np.full(entries.shape[1], -np.inf)
    high = np.full(entries.shape[1], np.inf)
    margin, apart = np.empty_like(low), np.empty_like(low)
    for row in range(len(entries) - 2, -1, -1):
        finer = entries[row + 1]
        np.multiply(noise[row + 1], NOISE_MARGIN, out=margin)
        np.fmax(low, np.subtract(finer, margin, out=apart), out=low)
        np.fmin(high, np.add(finer, margin, out=apart), out=high)
        np.subtract(low, entries[row], out=apart)
        np.fmax(apart, np.subtract(entries[row], high, out=margin), out=apart)
        estimate[row] += np.fmax(apart, 0.0, out=apart)


def limit(sequence: Array, noise: Array, ratio: float) -> Limit:
    """Extrapolate sequences to step zero.

    Parameters
    ----------
    sequence
        (N, K) float64, coarsest step first, steps in the ratio `RATIO`; non-finite terms fall out.
    noise
        (N, K) float64, bound on the error of each term that is not a series in the step.
    ratio
        By what the first term of the series shrinks from step to step: `RATIO` for a series in h,
        `RATIO`² for one in h².

    Returns
    -------
    Limit
        The entry of least estimated error of each sequence: the largest of the last correction and
        1/16 of the corrections before it, plus the noise carried through the table, plus what finer
        steps contradict.

    Examples
    --------
    >>> steps = 4.0 ** -np.arange(8.0)[:, None]
    >>> found = limit(np.expm1(steps) / steps, 1e-16 / steps, RATIO)
    >>> bool(abs(found.value[0] - 1) < found.error[0] < 1e-7)
    True
    """
    count = sequence.shape[1]
    found = Limit(np.full(count, np.nan), np.full(count, np.inf))
    with np.errstate(all="ignore"):
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            _fill(found.value[part], found.error[part], sequence[:, part], noise[:, part], ratio)
    return found


def _fill(value: Array, error: Array, sequence: Array, noise: Array, ratio: float) -> None:
    """Build the tables of a block, column by column, and keep the best entry of each.

    Columns are made in place: fresh arrays of this size would cost more than the arithmetic.
    """
    entries = np.where(np.isfinite(sequence), sequence, np.nan)
    noise = noise.copy()
    size, before, change, spare = (np.empty_like(entries) for _ in range(4))
    for column in range(1, min(MOST_COLUMNS, len(entries) - 1) + 1):
        gain = ratio**column
        rows = len(entries) - 1
        change, spare = change[:rows], spare[:rows]
        np.subtract(entries[1:], entries[:-1], out=change)
        entries = entries[1:]
        entries += np.divide(change, gain - 1, out=spare)
        np.multiply(noise[1:], gain, out=spare)
        spare += noise[:-1]
        spare /= gain - 1
        noise, spare = spare, noise
        before, size = size, np.abs(change, out=before[:rows])
        if column > 1:
            np.maximum(before[1:], before[:-1], out=change)
            change *= LEAST_GAIN
            np.maximum(size, change, out=size)
        if column >= FEWEST_COLUMNS:
            estimate = np.add(size, noise, out=change)
            _contradict(estimate, entries, noise)
            _least(value, error, entries, estimate)


def _least(value: Array, error: Array, entries: Array, estimate: Array) -> None:
    """Take over the entries of a column, in place, where they are surer than what is held."""
    for entry, estimated in zip(entries, estimate, strict=True):
        surer = estimated < error  # never where it is NaN
        np.copyto(value, entry, where=surer)
        np.copyto(error, estimated, where=surer)
