"""Data of one's own: batches from a file or a callable, as rows under the names of arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.user_data.batches import Batch, Batches, read
from losscheck.model import Array, UsageError
from losscheck.settings.settings import did_you_mean

__all__ = ["Batches", "Data", "arrange", "names_of", "read"]
MOST_ROWS = 1 << 16  # that are looked at: more say little of a domain, and no more are run
MOST_NUMBERS = 1 << 24  # in them: 64 MiB of float32


@attrs.frozen(kw_only=True, eq=False)
class Data:
    """Rows of data by argument."""

    source: str  # what gave them, for messages
    rows: Mapping[str, Array]  # for each argument (N, ...) float32, all finite; at least one row
    total: int  # how many rows there were, those included that are not in `rows`
    notes: tuple[str, ...] = ()  # what was left out, and why

    def __len__(self) -> int:
        return len(next(iter(self.rows.values())))


def names_of(batches: Batches, order: Sequence[str], known: Sequence[str] = ()) -> tuple[str, ...]:
    """Name the arguments that batches hold, in the order of their arrays.

    Parameters
    ----------
    order
        The arguments that data may be given for: labels, predictions, then the others.
    known
        Names of arguments of other losses, which data for several losses may hold as well.

    Raises
    ------
    UsageError
        For a name that is no argument, or more arrays than arguments.
    """
    names = batches.names
    if names is None:
        count = len(batches.batches[0])
        if count > len(order):
            raise UsageError(
                f"{batches.source} gives tuples of {count} arrays, but the loss takes "
                f"{len(order)}: {', '.join(order)}"
            )
        return tuple(order[:count])
    for name in names:
        if name not in order and name not in known:
            hint = did_you_mean(name, tuple(order))
            if not hint and name.startswith("arr_"):  # what numpy.savez calls arrays without names
                hint = f" Name the arrays: numpy.savez(file, {'=..., '.join(order[:2])}=...)."
            raise UsageError(
                f"{batches.source} has an array {name!r}, but the loss has no such argument; its "
                f"arguments are {', '.join(order)}.{hint}"
            )
    return tuple(name for name in names if name in order)


def arrange(batches: Batches, names: Sequence[str], seed: int) -> Data:
    """Put batches behind each other, and take a sample where there are many rows.

    Rows with a NaN or an infinity are left out: no domain has those. Labels that are NaN on
    purpose, to be masked, are no fault of a loss; how it takes them is not looked at here.

    Parameters
    ----------
    seed
        Of the sample.

    Raises
    ------
    UsageError
        Where arrays are no numbers, differ in length, or hold no usable row.
    """
    source = batches.source
    parts = [_named(batch, names) for batch in batches.batches]
    for i, part in enumerate(parts):
        where = f"batch {i} of {source}" if len(parts) > 1 else source
        _check(part, where)
    alike, notes = _alike(parts, source)
    if batches.more:
        notes.append(f"data: the first {len(parts)} batches of {source}; there are more")
    whole = {name: np.concatenate([part[name] for part in alike]) for name in names}
    total = len(whole[names[0]])
    if total == 0:
        raise UsageError(f"{source} holds no row: its arrays are empty")
    kept = _sample(whole, total, seed)
    if len(kept) < total:
        notes.append(f"data: a sample of {len(kept):,} of the {total:,} rows of {source}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and left out
        rows = {name: np.asarray(array[kept], np.float32) for name, array in whole.items()}
    rows = _finite(rows, source, notes)
    for array in rows.values():
        array.flags.writeable = False
    return Data(source=source, rows=rows, total=total, notes=tuple(notes))


def _named(batch: Batch, names: Sequence[str]) -> dict[str, Array]:
    if isinstance(batch, Mapping):
        return {name: batch[name] for name in names}
    return dict(zip(names, batch, strict=True))


def _check(part: Mapping[str, Array], where: str) -> None:
    for name, array in part.items():
        if array.dtype.kind not in "buif" and array.dtype.name != "bfloat16":
            kind = {"O": "objects", "U": "texts", "S": "texts", "c": "complex numbers"}
            raise UsageError(
                f"{where}: {name} holds {kind.get(array.dtype.kind, array.dtype.name)}; numbers or "
                "truth values were expected"
            )
        if array.ndim == 0:
            raise UsageError(
                f"{where}: {name} is a single number; its first axis must be the batch. A constant "
                f"is declared: {{ {name} = {{ value = {array.item()} }} }} in the configuration"
            )
    lengths = {name: len(array) for name, array in part.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UsageError(f"{where}: the arrays differ in length along the batch: {told}")


def _alike(
    parts: Sequence[Mapping[str, Array]], source: str
) -> tuple[list[Mapping[str, Array]], list[str]]:
    """Keep the batches whose rows have the shapes of those of the first one."""
    kinds = [{name: array.shape[1:] for name, array in part.items()} for part in parts]
    alike = [part for part, kind in zip(parts, kinds, strict=True) if kind == kinds[0]]
    if len(alike) == len(parts):
        return alike, []
    left = len(parts) - len(alike)
    return alike, [
        f"data: {left} of {len(parts)} batches of {source} were left out, since their rows have "
        "other shapes than those of the first"
    ]


def _sample(whole: Mapping[str, Array], total: int, seed: int) -> Array:
    width = sum(math.prod(array.shape[1:]) for array in whole.values())
    most = max(1, min(MOST_ROWS, MOST_NUMBERS // max(1, width)))
    if total <= most:
        return np.arange(total)
    # In their order: neighbours of a batch stay near each other.
    return np.sort(np.random.default_rng((seed, 8)).choice(total, most, replace=False))


def _finite(rows: dict[str, Array], source: str, notes: list[str]) -> dict[str, Array]:
    count = len(next(iter(rows.values())))
    bad = {name: ~np.isfinite(array).reshape(count, -1).all(axis=1) for name, array in rows.items()}
    every = np.logical_or.reduce(list(bad.values()))
    if not every.any():
        return rows
    told = ", ".join(f"{int(hit.sum()):,} in {name}" for name, hit in bad.items() if hit.any())
    what = f"NaN, infinite or beyond float32 ({told})"
    if every.all():
        raise UsageError(
            f"{source}: every one of the {count:,} rows holds a number that is {what}. Such rows "
            "are left out, and none remains: give rows without, or replace what marks a gap"
        )
    notes.append(
        f"data: {int(every.sum()):,} of {count:,} rows of {source} were left out, since they hold "
        f"numbers that are {what}"
    )
    return {name: array[~every] for name, array in rows.items()}
