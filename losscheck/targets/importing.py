"""Importing the user's module or file, with every failure told as the user's own."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import os
import pkgutil
import sys
import sysconfig
import traceback
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from losscheck.model import UsageError
from losscheck.program.tracing.origin import cell


class FailedImportError(UsageError):
    """The user's module is there, and raises while it is imported."""


def put_on_path(directory: Path) -> None:
    """Put a folder, and its src/ if there is one, first on the import path."""
    for folder in (directory / "src", directory):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def lies_in(directory: Path, module: str) -> bool:
    """Say whether a module of this name lies in the folder or its src/."""
    return any(
        (folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file()
        for folder in (directory, directory / "src")
    )


def exists(module: str) -> bool:
    """Say whether a dotted module can be found, without importing anything.

    A part whose package says for itself where its modules lie is taken to exist.
    """
    try:
        _spec(module)
    except LookupError:
        return False
    return True


def file_of_module(module: str) -> Path | None:
    """Find the file of a dotted module without importing anything; None where none can be named."""
    try:
        spec = _spec(module)
    except LookupError:
        return None
    file = None if spec is None else spec.origin
    return Path(os.path.abspath(file)) if file and os.path.isfile(file) else None


def _spec(module: str) -> ModuleSpec | None:
    """Find a dotted module; `LookupError` where there is none.

    None for one whose package says for itself where its modules lie.
    """
    folders: Sequence[str] | None = None
    name, spec = "", None
    for part in module.split("."):
        name = f"{name}.{part}".lstrip(".")
        if name in sys.modules:
            spec = getattr(sys.modules[name], "__spec__", None)
            folders = getattr(sys.modules[name], "__path__", None)
            continue
        try:
            spec = (
                importlib.util.find_spec(name)
                if folders is None and "." not in name
                else PathFinder.find_spec(name, folders)
            )
        except (ImportError, ValueError):  # a loader of its own
            return None
        if spec is None:
            raise LookupError(name)
        folders = spec.submodule_search_locations
        if folders is None:  # it may make the rest of the name itself
            return spec if name == module else None
    return spec


def file_of(text: str, directory: Path) -> Path:
    """Find a file of the user.

    Raises
    ------
    UsageError
        If there is none; the message names those that come close.
    """
    file = Path(os.path.expanduser(text))
    file = (file if file.is_absolute() else directory / file).resolve()
    if not file.is_file():
        near = [found.name for found in file.parent.glob("*.py")] if file.parent.is_dir() else []
        raise UsageError(f"there is no file {text!r} in {directory}.{suggest(file.name, near)}")
    return file


def missing(module: str, directory: Path) -> UsageError:
    """Say that there is no such module, and which come close."""
    folders = [str(directory), str(directory / "src")]
    near = [found.name for found in pkgutil.iter_modules(folders)]
    parent, _, last = module.rpartition(".")
    if parent in sys.modules:
        package = sys.modules[parent]
        if hasattr(package, last):
            return UsageError(
                f"{parent!r} has {last!r}, but it is no module; write {parent}:{last}"
            )
        found = pkgutil.iter_modules(getattr(package, "__path__", []))
        near = [f"{parent}.{item.name}" for item in found]
    return UsageError(
        f"there is no module {module!r} on the import path, which begins with {directory}."
        f"{suggest(module, near)} A file is named by its path: path/{module.split('.')[-1]}.py:loss"
    )


def suggest(given: str, choices: list[str], otherwise: str = "") -> str:
    """Suggest the closest choices: a sentence after a space."""
    close = difflib.get_close_matches(given, choices, n=3)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else otherwise


def import_module(module: str, directory: Path) -> ModuleType:
    """Import a module of the user.

    Raises
    ------
    UsageError
        If there is none of this name, or importing it fails; the message has the user's line.
    """
    importlib.invalidate_caches()  # a file may be younger than what the import system remembers
    if not exists(module):
        raise missing(module, directory)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        name = error.name or ""
        if module == name or module.startswith(f"{name}."):
            raise missing(module, directory) from None
        raise _failed(module, error, directory) from error
    except (Exception, SystemExit) as error:
        raise _failed(module, error, directory) from error


def import_file(text: str, directory: Path) -> ModuleType:
    """Import a file of the user; the same file gives the same module, by whatever path it comes.

    Raises
    ------
    UsageError
        If there is no such file, or importing it fails; the message has the user's line.
    """
    file = file_of(text, directory)
    for module in list(sys.modules.values()):
        if module.__name__ != "__main__" and _file(module, file.name) == file:
            return module
    if (file.parent / "__init__.py").is_file():
        return _import_in_package(file, directory)
    return _import_alone(file, directory)


def _file(module: ModuleType, name: str) -> Path | None:
    """The file of a module; None where it is not called `name` and is no link."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return None
    # There are thousands of modules: to follow the links of all their folders takes a second.
    called = os.path.basename(file) == name or os.path.islink(file)
    return Path(file).resolve() if called else None


def _import_in_package(file: Path, directory: Path) -> ModuleType:
    """Import a file as the module that it is, so that its relative imports work."""
    root = file.parent
    while (root / "__init__.py").is_file():
        root = root.parent
    dotted = file.relative_to(root).with_suffix("").parts
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return import_module(".".join(dotted).removesuffix(".__init__"), directory)


def _import_alone(file: Path, directory: Path) -> ModuleType:
    # The name holds the path, so that two files losses.py in two folders are two modules.
    digest = hashlib.sha256(str(file).encode()).hexdigest()[:8]
    name = f"{file.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None  # a path that ends in .py always has a loader
    assert spec.loader is not None
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # its siblings, as when it is run as a script
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _failed(os.path.relpath(file, directory), error, directory) from error
    return module


def _failed(what: str, error: BaseException, directory: Path) -> FailedImportError:
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{shown(error.filename, directory)}:{error.lineno}"
        return FailedImportError(
            f"{what} cannot be imported: {type(error).__name__}: {error.msg} at {place}: "
            f"{(error.text or '').strip()}"
        )
    return FailedImportError(f"{what} cannot be imported: {raised(error, directory)}")


def raised(error: BaseException, directory: Path) -> str:
    """Tell an exception in one line: its type, its message, and the user's line that raised it."""
    message = str(error).strip()
    told = f"{type(error).__name__}: {message}" if message else type(error).__name__
    libraries = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen")
    own = os.path.dirname(os.path.dirname(__file__)) + os.sep
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if not frame.filename.startswith((*libraries, own))]
    if not users:
        return told
    last = users[-1]
    return f"{told} (at {shown(last.filename, directory)}:{last.lineno}: {last.line})"


def shown(file: str, directory: Path) -> str:
    """Name a file as reports do: relative to the working directory where it lies below it."""
    if name := cell(file):
        return name
    path = Path(file)
    below = path.is_absolute() and path.resolve().is_relative_to(directory)
    return path.resolve().relative_to(directory).as_posix() if below else file
