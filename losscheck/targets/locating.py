"""From a target's text to the object that it names, whatever that is."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from losscheck.model import UsageError
from losscheck.targets import importing
from losscheck.targets.reference import Reference, parse


def locate(reference: Reference, directory: Path) -> Any:
    """Import the place that a reference names, and find the object in it.

    Raises
    ------
    UsageError
        If there is no such place or no such name; the message says what comes close.
    """
    directory = directory.resolve()
    importing.put_on_path(directory)
    return attribute(import_place(reference, directory), reference)


def check_place(reference: Reference, directory: Path) -> None:
    """Complain of a module or file that is not there, before anything is imported.

    Raises
    ------
    UsageError
        The message says what comes close.
    """
    if reference.is_file:
        importing.file_of(reference.place, directory)
    elif not importing.exists(reference.place):
        raise importing.missing(reference.place, directory)


def file_of_place(text: str, directory: Path) -> Path | None:
    """Find the file that a target names, by path or as a module, before anything is imported.

    None where it is no file: a name that Keras knows, a package without a file.
    """
    reference = parse(text)
    if reference.is_file:
        return importing.file_of(reference.place, directory)
    return importing.file_of_module(reference.place)


def import_place(reference: Reference, directory: Path) -> ModuleType:
    """Import the module or file of a reference."""
    from losscheck.program import resolve

    check_place(reference, directory)
    resolve.prepare()
    if reference.is_file:
        return importing.import_file(reference.place, directory)
    return importing.import_module(reference.place, directory)


def attribute(module: ModuleType, reference: Reference) -> Any:
    """Find the (dotted) name of a reference in its module."""
    obj: Any = module
    shown = reference.place
    for name in reference.names:
        try:
            obj = getattr(obj, name)
        except AttributeError:
            own = [n for n, value in vars(obj).items() if _may_be_loss(n, value, module)]
            listed = ", ".join(own[:8])  # as many as fit on a line or two
            otherwise = f" It has {listed}." if own else " It defines nothing that can be called."
            hint = importing.suggest(name, own, otherwise)
            raise UsageError(f"{reference.text!r}: {shown} has no {name!r}.{hint}") from None
        shown += f".{name}" if obj is not module else ""
    return obj


def _may_be_loss(name: str, value: Any, module: ModuleType) -> bool:
    if name.startswith("__") or not callable(value):
        return False
    # What the module imported is not worth suggesting; instances do not say where they were made.
    named = inspect.isroutine(value) or inspect.isclass(value)
    return not named or value.__module__ == module.__name__
