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


def _contradiction(entries: Array, noise: Array) -> Array:
    """By how much finer steps of the same column contradict each entry, beyond their noise."""
    low = np.fmax.accumulate((entries - NOISE_MARGIN * noise)[::-1])[::-1]
    high = np.fmin.accumulate((entries + NOISE_MARGIN * noise)[::-1])[::-1]
    beyond = np.zeros_like(entries)
    beyond[:-1] = np.fmax(0.0, np.fmax(low[1:] - entries[:-1], entries[:-1] - high[1:]))
    return beyond


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
    entries = np.where(np.isfinite(sequence), sequence, np.nan)
    value = np.full(entries.shape[1], np.nan)
    error = np.full(entries.shape[1], np.inf)
    correction: Array | None = None
    with np.errstate(all="ignore"):
        for column in range(1, min(MOST_COLUMNS, len(entries) - 1) + 1):
            gain = ratio**column
            change = entries[1:] - entries[:-1]
            entries = entries[1:] + change / (gain - 1)
            noise = (gain * noise[1:] + noise[:-1]) / (gain - 1)
            size = np.abs(change)
            if correction is not None:
                before = np.maximum(correction[1:], correction[:-1])
                size = np.maximum(size, LEAST_GAIN * before)
            correction = size
            if column >= FEWEST_COLUMNS:
                estimate = correction + noise + _contradiction(entries, noise)
                value, error = _least(value, error, entries, estimate)
    return Limit(value, error)


def _least(value: Array, error: Array, entries: Array, estimate: Array) -> tuple[Array, Array]:
    """Take over the entries of a column where they are surer than what was held."""
    estimate = np.where(np.isfinite(estimate), estimate, np.inf)
    row = np.argmin(estimate, axis=0)[None]
    least = np.take_along_axis(estimate, row, axis=0)[0]
    entry = np.take_along_axis(entries, row, axis=0)[0]
    return np.where(least < error, entry, value), np.minimum(least, error)
