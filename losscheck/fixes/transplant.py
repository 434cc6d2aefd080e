"""The user's functions with the code of a changed file, for a time.

A changed file is compiled, and every function that came of the file is given the code that it has
there: whoever holds the function, as a method, in a closure or a Loss, runs the changed code.
Nothing of the module is run again, so that nothing is registered, printed or read twice, and
afterwards all is as it was.
"""

from __future__ import annotations

import contextlib
import functools
import linecache
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from losscheck.targets.loss import within

DEEPEST = 6  # objects in objects that are looked into for functions
MOST = 20_000  # objects that are looked at


class TransplantError(Exception):
    """The changed code cannot be run; the message says why."""


@contextlib.contextmanager
def transplanted(changed: Mapping[str, str], roots: Sequence[Any]) -> Iterator[None]:
    """Let the functions of files run changed code meanwhile.

    Parameters
    ----------
    changed
        The new text of each file, by its absolute path.
    roots
        Objects that lead to functions beside the modules of these files: the loss.

    Raises
    ------
    TransplantError
        No function in memory is what the file says, or it needs what it does not hold.
    """
    codes: dict[str, Mapping[tuple[str, int], CodeType]] = {}
    for file, text in changed.items():
        codes[file] = _pairs(file, "".join(linecache.getlines(file)), text)
    held: list[tuple[FunctionType, CodeType]] = []
    for function in _functions(set(changed), roots):
        old = function.__code__
        new = codes[old.co_filename].get((old.co_qualname, old.co_firstlineno))
        if new is not None and new.co_freevars == old.co_freevars:
            held.append((function, new))
    if not held:
        raise TransplantError("no function of the changed file is in memory as it is written")
    kept = [(function, function.__code__) for function, _ in held]
    try:
        for function, code in held:
            function.__code__ = code
        with _read_as(changed):
            yield
    finally:
        for function, code in kept:
            function.__code__ = code


@contextlib.contextmanager
def _read_as(changed: Mapping[str, str]) -> Iterator[None]:
    """Let the lines of files be those of their new text meanwhile.

    AutoGraph has lines read from the disk anew before it converts a function.
    """
    entries = {
        file: (len(text), None, text.splitlines(keepends=True), file)
        for file, text in changed.items()
    }
    cached = {file: linecache.cache.pop(file, None) for file in changed}
    update = linecache.updatecache

    def updated(filename: str, module_globals: dict[str, Any] | None = None) -> list[str]:
        if filename not in entries:
            return update(filename, module_globals)
        linecache.cache[filename] = entries[filename]
        return entries[filename][2]

    linecache.updatecache = updated
    try:
        yield
    finally:
        linecache.updatecache = update
        for file, entry in cached.items():
            linecache.cache.pop(file, None)
            if entry is not None:
                linecache.cache[file] = entry


def _pairs(file: str, old: str, new: str) -> dict[tuple[str, int], CodeType]:
    """The code of each function of a changed file, by its name and line in the file as it is."""
    before, after = (tuple(within(_compiled(text, file))) for text in (old, new))
    if [code.co_qualname for code in before] != [code.co_qualname for code in after]:
        raise TransplantError("the changed file defines other functions")
    return {(b.co_qualname, b.co_firstlineno): a for b, a in zip(before, after, strict=True)}


@functools.lru_cache(maxsize=4)  # the file as it is, once for all changes
def _compiled(text: str, file: str) -> CodeType:
    return compile(text, file, "exec", dont_inherit=True)


def _functions(files: set[str], roots: Sequence[Any]) -> list[FunctionType]:
    """Every function of these files that the loss or their modules lead to."""
    modules = [m for m in list(sys.modules.values()) if getattr(m, "__file__", None) in files]
    waiting: list[tuple[Any, int]] = [(root, 0) for root in (*roots, *modules)]
    seen: set[int] = set()
    found: list[FunctionType] = []
    while waiting and len(seen) < MOST:
        thing, depth = waiting.pop()
        if id(thing) in seen or depth > DEEPEST:
            continue
        seen.add(id(thing))
        if isinstance(thing, FunctionType) and thing.__code__.co_filename in files:
            found.append(thing)
        waiting += [(further, depth + 1) for further in _further(thing, files)]
    return found


def _further(thing: Any, files: set[str]) -> Iterator[Any]:
    """What an object leads to."""
    match thing:
        case FunctionType():
            yield from (_cell(cell) for cell in thing.__closure__ or ())
            yield from vars(thing).values()
            if thing.__code__.co_filename in files:
                yield from (thing.__globals__.get(name) for name in thing.__code__.co_names)
        case MethodType():
            yield from (thing.__func__, thing.__self__)
        case functools.partial():
            yield from (thing.func, *thing.args, *thing.keywords.values())
        case staticmethod() | classmethod():
            yield thing.__func__
        case property():
            yield from (thing.fget, thing.fset)
        case ModuleType():
            if getattr(thing, "__file__", None) in files:
                yield from list(vars(thing).values())
        case dict():
            yield from list(thing.values())
        case list() | tuple():
            yield from thing
        case type():
            if getattr(sys.modules.get(thing.__module__), "__file__", None) in files:
                yield from list(vars(thing).values())
        case _:
            with contextlib.suppress(Exception):  # an attribute may be computed
                yield getattr(thing, "python_function", None)
            yield type(thing)
            attributes = getattr(thing, "__dict__", None)
            if isinstance(attributes, dict):
                yield from list(attributes.values())


def _cell(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None
