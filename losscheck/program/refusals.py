"""Cases on which a kernel raises, as the inverse of a singular matrix does, apart from the others.

A result of theirs is NaN. Whoever counts NaN asks `Program.runs` first, and a finding is run alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from losscheck.budget import spend
from losscheck.model import Array
from losscheck.program.quiet import tensorflow

Run = Callable[..., list[Array]]
FAILING = 2_000  # calls that raise until enough is known, which takes half a second


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

    Where all do, they are raised, unless a sound case is known beside them.
    """
    rows: list[list[Array] | None] = []
    last: Exception | None = None
    for case in cases:
        spend()
        try:
            rows.append(run(*case))
        except Exception as error:
            if not refused(error):
                raise
            rows.append(None)
            last = error
    known = next((row for row in rows if row is not None), None)
    if known is None and last is not None:
        if sound is None:
            raise last
        known = run(*sound)
    if last is not None:
        raising()
    full = [_nothing(known) if row is None and known is not None else row for row in rows]
    return [np.stack(column) for column in zip(*full, strict=True)]


def in_halves(run: Run, single: Run, arrays: Sequence[Array]) -> tuple[list[Array], Array]:
    """The results of a block that raises, and (N,) bool: the cases that have some.

    It is halved, its head first, until only what raises by itself is left; where very much does,
    what was not reached is left out as well.

    Raises
    ------
    Exception
        Every case raises, or one raises in a block of its own and not by itself.
    """
    found: list[Array] | None = None
    able = np.zeros(len(arrays[0]), bool)
    waiting, last, failed = [(0, len(arrays[0]))], None, 0
    while waiting and failed < FAILING:
        start, end = waiting.pop()
        spend()
        try:
            part = run([a[start:end] for a in arrays])
        except Exception as error:
            if end - start > 1:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
            elif not refused(error) or not _raises(single, [a[start] for a in arrays]):
                raise
            last = error
            failed += 1
            continue
        able[start:end] = True
        if found is None:
            found = [
                np.repeat(row, len(arrays[0]), axis=0) for row in _nothing([p[:1] for p in part])
            ]
        for whole, piece in zip(found, part, strict=True):
            whole[start:end] = piece
    if found is None:
        assert last is not None
        raise last
    return found, able


def not_raising(single: Run, arrays: Sequence[Array], values: Array) -> Array:
    """(N,) bool: the cases that do not raise by themselves; only those without a value may."""
    able = np.ones(len(values), bool)
    for i in np.flatnonzero(np.isnan(values.reshape(len(values), -1)).any(axis=1)):
        spend()
        able[i] = not _raises(single, [a[i] for a in arrays])
    return able


def _raises(single: Run, case: Sequence[Array]) -> bool:
    try:
        single(*case)
    except Exception as error:
        return refused(error)
    return False


def _nothing(results: list[Array]) -> list[Array]:
    return [np.full_like(a, np.nan if a.dtype.kind in "fcV" else 0) for a in results]
