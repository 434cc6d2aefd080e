"""Reading batches: from an .npz file, from what a callable yields, or as they are handed over."""

from __future__ import annotations

import itertools
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, UsageError

# Batches that are taken of a callable, which may go on forever: 64 of 1,024 rows hold as many rows
# as are ever looked at.
MOST_BATCHES = 64
MOST_BYTES = 4 * 1024**3  # of a file, unpacked
_ARRAY = b"\x93NUMPY"  # how a file with one array begins
_BROKEN = (zipfile.BadZipFile, zlib.error, MemoryError, NotImplementedError, RuntimeError)
FORMS = (
    "Give a file batch.npz with arrays named like the arguments, or my_module:batches, a function "
    "without arguments that yields batches: dicts by argument, or tuples (y_true, y_pred, ...)."
)

Batch = Mapping[str, Array] | tuple[Array, ...]


@attrs.frozen(kw_only=True, eq=False)
class Batches:
    """Batches as they came."""

    source: str  # what gave them, for messages
    # At least one: arrays by argument, or in the order (y_true, y_pred, ...); all of one kind.
    batches: tuple[Batch, ...]
    more: bool = False  # whether there were more than `MOST_BATCHES`

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names of the arrays; None where they come in the order of the arguments."""
        first = self.batches[0]
        return None if isinstance(first, tuple) else tuple(first)


def read(given: Any, directory: Path) -> Batches:
    """Read batches.

    Parameters
    ----------
    given
        The path of an .npz file or "my_module:batches"; or the thing itself: arrays by argument, a
        tuple of arrays, something that gives batches, or a function that does.
    directory
        The working directory, which paths are relative to.

    Raises
    ------
    UsageError
        If there is no such thing, or it gives no batches.
    """
    if isinstance(given, os.PathLike) or (isinstance(given, str) and given.endswith(".npz")):
        return _file(os.fspath(given), directory)
    if isinstance(given, str):
        return _named(given, directory)
    if _is_batch(given):
        return Batches(source="the data", batches=(_batch(given, "the data"),))
    return _yielded(given, "the data", directory)


def _file(text: str, directory: Path) -> Batches:
    path = directory / os.path.expanduser(text)
    if not path.is_file():
        near = [found.name for found in path.parent.glob("*.npz")] if path.parent.is_dir() else []
        raise UsageError(f"there is no data file {text!r} in {directory}.{_suggest(path, near)}")
    try:
        _check_size(path, text)
        with np.load(path, allow_pickle=False) as opened:
            arrays = {name: _member(opened, name, text) for name in opened.files}
    except (OSError, ValueError, EOFError, *_BROKEN) as error:
        raise UsageError(
            f"{text} is no .npz file ({error}). Write it with "
            "numpy.savez(file, y_true=..., y_pred=...)"
        ) from error
    if not arrays:
        raise UsageError(f"{text} holds no array. {FORMS}")
    return Batches(source=text, batches=(arrays,))


def _check_size(path: Path, text: str) -> None:
    """Complain of what is no archive, and of more numbers than can be held once it is unpacked."""
    with path.open("rb") as opened:
        if opened.read(len(_ARRAY)) == _ARRAY:
            raise UsageError(
                f"{text} holds a single array, no arrays by name. Write it with "
                "numpy.savez(file, y_true=..., y_pred=...)"
            )
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MOST_BYTES:
        raise UsageError(
            f"{text} holds {size / 1e6:,.0f} MB, and at most {MOST_BYTES / 1e6:,.0f} MB are read. "
            "Take some of the rows: a few thousand say as much"
        )


def _member(opened: Any, name: str, text: str) -> Array:
    try:
        return np.asarray(opened[name])
    except ValueError as error:  # NumPy refuses objects, which may run anything when they are read
        raise UsageError(
            f"{text}: the array {name!r} holds objects, not numbers ({error}). Rows of different "
            "lengths make such arrays: pad them, or leave them out"
        ) from error


def _named(text: str, directory: Path) -> Batches:
    """Find what a text such as "my_module:batches" names, and take its batches."""
    from losscheck.targets.locating import locate
    from losscheck.targets.reference import parse

    try:
        reference = parse(text)
    except UsageError:
        raise UsageError(f"{text!r} is no data. {FORMS}") from None
    if not reference.names:
        raise UsageError(f"{text!r} names a module, no data in it. {FORMS}")
    found = locate(reference, directory)
    if reference.call is not None:
        found = _called(
            found, text, directory, *reference.call.positional, **reference.call.keywords
        )
    elif _is_batch(found):
        return Batches(source=text, batches=(_batch(found, text),))
    return _yielded(found, text, directory)


def _yielded(given: Any, source: str, directory: Path) -> Batches:
    made = _called(given, source, directory) if callable(given) else given
    if _is_batch(made):  # a function that returns one batch, not a generator
        return Batches(source=source, batches=(_batch(made, source),))
    if isinstance(made, str | bytes) or not isinstance(made, Iterable):
        raise UsageError(
            f"{source} gives {type(made).__name__} {made!r:.60}, which is no batches. {FORMS}"
        )
    from losscheck.targets.importing import raised

    try:
        taken = list(itertools.islice(made, MOST_BATCHES + 1))
    except Exception as error:
        raise UsageError(f"{source} raised {raised(error, directory)}") from error
    if not taken:
        raise UsageError(f"{source} yields no batch. {FORMS}")
    batches = tuple(
        _batch(batch, f"batch {i} of {source}") for i, batch in enumerate(taken[:MOST_BATCHES])
    )
    _check_alike(batches, source)
    return Batches(source=source, batches=batches, more=len(taken) > MOST_BATCHES)


def _called(function: Any, source: str, directory: Path, *given: Any, **named: Any) -> Any:
    from losscheck.targets.importing import raised

    try:
        return function(*given, **named)
    except Exception as error:
        raise UsageError(f"{source}: calling it raised {raised(error, directory)}") from error


def _is_batch(given: Any) -> bool:
    """Say whether this is one batch: arrays by name, or a tuple of arrays."""
    if isinstance(given, tuple):
        return bool(given) and not any(isinstance(part, tuple | list | Mapping) for part in given)
    return isinstance(given, Mapping)


def _batch(given: Any, where: str) -> Batch:
    if isinstance(given, Mapping):
        return {str(name): _array(part, f"{where}: {name}") for name, part in given.items()}
    if isinstance(given, tuple | list):
        return tuple(_array(part, f"{where}: array {i}") for i, part in enumerate(given))
    raise UsageError(
        f"{where} is {type(given).__name__} {given!r:.60}; a dict by argument or a tuple "
        "(y_true, y_pred, ...) was expected"
    )


def _array(given: Any, where: str) -> Array:
    try:
        return np.asarray(given)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise UsageError(f"{where}: {type(given).__name__} makes no array ({error})") from error


def _check_alike(batches: tuple[Batch, ...], source: str) -> None:
    """Complain where batches name different arrays."""
    kinds = [sorted(batch) if isinstance(batch, Mapping) else len(batch) for batch in batches]
    for i, kind in enumerate(kinds):
        if kind != kinds[0]:
            first, other = (
                f"arrays {', '.join(k)}" if isinstance(k, list) else f"a tuple of {k} arrays"
                for k in (kinds[0], kind)
            )
            raise UsageError(f"{source}: batch 0 has {first}, batch {i} has {other}")


def _suggest(path: Path, near: list[str]) -> str:
    from losscheck.targets.importing import suggest

    return suggest(path.name, near)
