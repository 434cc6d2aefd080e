"""Cases stacked along the batch: one call for many, where no sample sees another.

For graphs that cannot be vectorized: the recursion of CTC, a dynamic program, a loop. That samples
do not see each other is not proved but tried: some cases of the first blocks, and some of all that
come out NaN or infinite, are run by themselves as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.running.execution import Run

AGREEMENT = 1e-2  # relative and absolute; a kernel may round otherwise, half types most
TRIED = 48  # cases of the first blocks that are run by themselves
DOUBTED = 4  # the same of those that are not finite, in every block


class CoupledError(Exception):
    """A case in a stack gives something else than by itself."""


@attrs.define(eq=False)
class Stack:
    """A block of cases as one batch of all their samples.

    Parameters
    ----------
    run
        The loss for a batch of any size.
    single
        The same for one case; None where nothing is run once more.
    """

    _run: Run
    _single: Run | None
    _tried: int = 0

    def __call__(self, *arrays: Array) -> list[Array]:
        """Arrays of (N, B, ...) in and out.

        Raises
        ------
        CoupledError
            Some case gives something else by itself.
        """
        n, batch = arrays[0].shape[:2]
        merged = (a.reshape(n * batch, *a.shape[2:]) for a in arrays)
        results = self._run(*merged)
        if any(len(result) != n * batch for result in results):
            raise CoupledError("what it returns does not grow with the batch")
        results = [r.reshape(n, batch, *r.shape[1:]) for r in results]
        if self._single is None:
            return results
        for row in self._doubtful(results, n):
            alone = self._single(*(a[row] for a in arrays))
            if not agree([result[row] for result in results], alone):
                raise CoupledError(f"case {row} of {n} gives something else by itself")
        return results

    def _doubtful(self, results: Sequence[Array], n: int) -> list[int]:
        """The cases to be run by themselves as well."""
        some = np.unique(np.linspace(0, n - 1, min(n, TRIED - self._tried)).astype(int))
        self._tried += len(some)
        finite = [np.isfinite(np.asarray(r, float)).reshape(n, -1).all(axis=1) for r in results]
        bad = np.flatnonzero(~np.all(finite, axis=0))
        bad = bad[np.unique(np.linspace(0, len(bad) - 1, min(len(bad), DOUBTED)).astype(int))]
        return [int(row) for row in np.union1d(some, bad)]


def agree(block: Sequence[Array], alone: Sequence[Array]) -> bool:
    """Say whether a case gives in a block what it gives by itself, up to rounding."""
    pairs = [
        (np.asarray(b, float), np.asarray(a, float)) for b, a in zip(block, alone, strict=True)
    ]
    return all(
        b.shape == a.shape and np.allclose(b, a, rtol=AGREEMENT, atol=AGREEMENT, equal_nan=True)
        for b, a in pairs
    )
