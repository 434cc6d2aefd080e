"""Whether samples depend on each other: some change places between batches, and nothing else may.

The loss of a sample alone does not tell: a batch of one may be computed otherwise, as where
`tf.squeeze` drops its axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from losscheck.model import Array

TOLERANCE = 1e-4  # relative difference of float32 results that summation order explains


def independent(run: Callable[[Mapping[str, Array]], Array], inputs: Mapping[str, Array]) -> bool:
    """Say whether no sample changes what another one adds to the loss of its batch.

    Parameters
    ----------
    run
        Batches to what the loss returns of each, (N, ...).
    inputs
        (N, B, ...) an argument, of two batches at least.
    """
    pairs = len(next(iter(inputs.values()))) // 2 * 2
    given = {name: array[:pairs] for name, array in inputs.items()}
    size = next(iter(given.values())).shape[1]
    before = _of_samples(run(given), size)
    for sample in range(size) if pairs else ():
        swapped = {name: array.copy() for name, array in given.items()}
        for name, array in given.items():
            swapped[name][0::2, sample] = array[1::2, sample]
            swapped[name][1::2, sample] = array[0::2, sample]
        after = _of_samples(run(swapped), size)
        if after.shape[1] == size > 1:  # a loss a sample: those of the others stay
            moved = np.delete(after - before, sample, axis=1)
        else:
            moved = (after - before)[0::2] + (after - before)[1::2]
        if not (np.abs(moved) <= TOLERANCE * np.abs(before).max()).all():
            return False
    return bool(pairs)


def _of_samples(returned: Array, size: int) -> Array:
    """(N, B) the loss of each sample, or (N, 1) the mean over all that is returned."""
    n = len(returned)
    flat = np.asarray(returned, np.float64).reshape(n, -1)
    if returned.shape[1:2] == (size,):
        return np.asarray(flat.reshape(n, size, -1).mean(axis=2))
    return np.asarray(flat.mean(axis=1, keepdims=True))
