"""By how much numbers lead or trail each other: what decides a maximum, a sort or a top-k."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscheck.model import Array


def lead(values: Array, axes: Sequence[int]) -> Array:
    """Subtract from every number the largest other one along some axes.

    Parameters
    ----------
    values
        (M, ...) float64.
    axes
        Of one of the M, from 0 or from the end.

    Returns
    -------
    Array
        (M, Q) float64, positive for the one that is the maximum; Q = 0 where there are no others.

    Examples
    --------
    >>> lead(np.array([[1.0, 4.0, 2.0]]), [0])
    array([[-3.,  2., -2.]])
    """
    rank = values.ndim - 1
    last = np.moveaxis(values, [axis % rank + 1 for axis in axes], range(-len(axes), 0))
    rows = last.reshape(*last.shape[: last.ndim - len(axes)], -1)
    if rows.shape[-1] < 2:
        return np.zeros((len(values), 0))
    return margins(rows, 1)


def margins(values: Array, count: int) -> Array:
    """Subtract from every number the r-th largest of the others on the last axis, r = 1..count.

    Parameters
    ----------
    values
        (M, ..., n) float64.
    count
        Ranks that matter, as the k of a top-k.

    Returns
    -------
    Array
        (M, Q) float64: the sign says whether a number is among the r largest.

    Examples
    --------
    >>> margins(np.array([[1.0, 4.0, 2.0]]), 2)
    array([[-3.,  2., -2., -1.,  3.,  1.]])
    """
    falling = -np.sort(-values, axis=-1)
    found = []
    for rank in range(1, min(count, values.shape[-1] - 1) + 1):
        inside, outside = falling[..., rank - 1 : rank], falling[..., rank : rank + 1]
        with np.errstate(invalid="ignore"):
            gap = values - np.where(values >= inside, outside, inside)
        found.append(gap.reshape(len(values), -1))
    return np.concatenate(found or [np.zeros((len(values), 0))], axis=1)
