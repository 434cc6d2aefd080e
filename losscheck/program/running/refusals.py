"""Cases on which a kernel raises, as the inverse of a singular matrix does, apart from the others.

A result of theirs is NaN. Whoever counts NaN asks `Program.runs` first, and a finding is run alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import silence, tensorflow
from losscheck.settings.budget import spend

Run = Callable[..., list[Array]]
ALIKE = (0.0, 1.0, -1.0, 1e9)  # predictions of which some tell whether a kernel raises


def refused(error: BaseException) -> bool:
    """Whether it is what a kernel raises on numbers."""
    return isinstance(error, tensorflow().errors.InvalidArgumentError)


def one_by_one(
    run: Run,
    cases: Iterable[Sequence[Array]],
    raising: Callable[[], None],
    sound: Sequence[Array] | None = None,
) -> list[Array]:
    """The results of every case, stacked; NaN where it raises, which is told.

    Where all do, they are raised. A sound case is run as soon as one raises: where it does so, too,
    it is no matter of numbers.
    """
    rows: list[list[Array] | None] = []
    known: list[Array] | None = None
    last: Exception | None = None
    for case in cases:
        spend()
        try:
            rows.append(run(*case))
            known = rows[-1]
        except Exception as error:
            if not refused(error):
                raise
            if known is None and sound is not None:
                known = run(*sound)
            rows.append(None)
            last = error
    if last is not None:
        if known is None:
            raise last
        raising()
    full = [_nothing(known) if row is None and known is not None else row for row in rows]
    return [np.stack(column) for column in zip(*full, strict=True)]


def not_raising(single: Run, arrays: Sequence[Array], values: Array) -> Array:
    """(N,) bool: the cases that do not raise by themselves; only those without a value may."""
    able = np.ones(len(values), bool)
    for i in np.flatnonzero(np.isnan(values.reshape(len(values), -1)).any(axis=1)):
        spend()
        able[i] = not _raises(single, [a[i] for a in arrays])
    return able


def _raises(single: Run, case: Sequence[Array]) -> bool:
    try:
        with silence():
            single(*case)
    except Exception as error:
        return refused(error)
    return False


def _nothing(results: list[Array]) -> list[Array]:
    return [np.full_like(a, np.nan if a.dtype.kind in "fcV" else 0) for a in results]


def alike(some: Inputs, prediction: str) -> dict[str, Array]:
    """Cases whose predictions are all the same number: a matrix of them has no inverse."""
    inputs = {name: np.round(array[: len(ALIKE)]) for name, array in some.items()}
    shape = inputs[prediction].shape
    numbers = np.reshape(ALIKE, (-1, *(1,) * (len(shape) - 1)))
    return {**inputs, prediction: np.broadcast_to(numbers, shape)}
