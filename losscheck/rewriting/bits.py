"""How many bits of a float32 result are wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from losscheck.model import Array

ALL = 32.0  # bits that are lost where a finite number came out as NaN or Inf
LARGEST = float(np.finfo(np.float32).max)
SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Error:
    """Bits lost over all points: log2 of 1 + the error in ulps."""

    mean: float
    maximum: float

    def __str__(self) -> str:
        return f"{self.mean:.1f} (at most {self.maximum:.1f})"


NONE = Error(0.0, 0.0)


def bits(given: Array, truth: Array, scale: Array | float = 0.0) -> Array:
    """Bits lost, element by element.

    Parameters
    ----------
    given
        float32 results.
    truth
        float64, the true numbers to more digits than float32 has; NaN where there is none.
    scale
        What is smaller than that may be off by as much as that may be.

    Returns
    -------
    Array
        float64: log2 of 1 + the error in ulps of the truth, 0 to `ALL`; 0 without a truth.
    """
    given, truth = np.broadcast_arrays(np.asarray(given, np.float64), truth)
    with np.errstate(all="ignore"):
        size = np.abs(truth)
        ulp = np.spacing(np.clip(size, scale, LARGEST).astype(np.float32)).astype(np.float64)
        # TensorFlow flushes what is smaller to 0.
        ulp = np.where(np.maximum(size, scale) < SMALLEST, SMALLEST, ulp)
        lost = np.log2(1.0 + np.abs(given - truth) / ulp)
    beyond = (size > LARGEST) & np.isinf(given) & (np.sign(given) == np.sign(truth))
    lost = np.where(beyond, 0.0, np.where(np.isfinite(given), np.minimum(lost, ALL), ALL))
    return np.asarray(np.where(np.isnan(truth), 0.0, lost))


def largest(numbers: Array) -> Array:
    """The largest size of a number in each case, as far as float32 goes, to compare all with."""
    sizes = np.where(np.isfinite(numbers), np.abs(numbers), 0.0).reshape(len(numbers), -1)
    found = np.minimum(sizes.max(axis=1, initial=0.0), LARGEST)
    return np.asarray(found.reshape(-1, *[1] * (numbers.ndim - 1)))


def median(numbers: Array) -> float:
    """The median size of finite numbers other than 0, as far as float32 goes."""
    sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    return min(float(np.median(sizes)), LARGEST) if sizes.size else 0.0


def error(lost: Array) -> Error:
    """Sum up bits lost at points."""
    return Error(float(np.mean(lost)), float(np.max(lost))) if lost.size else NONE


def rounded(numbers: Array) -> Array:
    """Round exact numbers to float64."""
    with np.errstate(all="ignore"):
        return np.asarray(np.frompyfunc(float, 1, 1)(numbers), np.float64)
