"""How a program comes by a loss that was handed over as an object: imported, or written out."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sys
import textwrap
from collections.abc import Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

import attrs

from losscheck.targets import reading

DEEPEST = 8  # functions that call each other and are written out


@attrs.frozen
class Written:
    """Lines of a program that make `loss`; those that import stand first."""

    imports: tuple[str, ...]
    lines: tuple[str, ...]


UNWRITTEN = Written((), ("# `loss` is what losscheck was handed; give it that name here.",))


class _CannotBeWrittenError(Exception):
    """The loss holds something that no line of Python says."""


def name(obj: Any) -> str:
    """Name an object in reports: a function by its own name, else as its module holds it.

    What no module holds is named by its function or its class.
    """
    own = getattr(obj, "__qualname__", "<lambda>")
    if own.endswith("<lambda>") and (held := _held(obj)) is not None:
        return f"{held[0]}:{held[1]}"
    if isinstance(obj, functools.partial):
        return name(obj.func)
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    code = getattr(named, "__code__", None)  # text that was run by `exec` may belong to no module
    home = named.__module__ or getattr(code, "co_filename", "<unknown>")
    return f"{home}:{named.__qualname__}"


def written(obj: Any) -> Written | None:
    """Write how a program comes by an object; None where its name in reports says it."""
    held = _held(obj)
    if held is not None and held[0] != "__main__" and name(obj) == f"{held[0]}:{held[1]}":
        return None
    lines: dict[str, None] = {}  # a set that keeps its order
    try:
        _define("loss", obj, lines, 0)
    except _CannotBeWrittenError:
        return UNWRITTEN
    imports = sorted(line for line in lines if line.startswith(("import ", "from ")))
    return Written(tuple(imports), tuple(line for line in lines if line not in imports))


def _held(obj: Any) -> tuple[str, str] | None:
    """The module whose top level binds an object, and under which name; None where none does."""
    function = obj
    while isinstance(function, functools.partial):
        function = function.func
    own, home = getattr(obj, "__qualname__", ""), getattr(function, "__module__", None) or ""
    bound = vars(sys.modules.get(home, ModuleType("")))
    if bound.get(own) is obj:
        return home, own
    names = (key for key, value in bound.items() if value is obj and key.isidentifier())
    return next(((home, key) for key in names), None)


def _define(target: str, obj: Any, lines: dict[str, None], depth: int) -> None:
    """Add the lines after which `target` is the object."""
    if depth > DEEPEST:
        raise _CannotBeWrittenError
    if isinstance(obj, ModuleType):
        same = obj.__name__ == target
        lines[f"import {obj.__name__}" + ("" if same else f" as {target}")] = None
    elif (held := _held(obj)) is not None and held[0] != "__main__":
        lines[f"from {held[0]} import {held[1]}" + _as(held[1], target)] = None
    elif _literal(obj):
        lines[f"{target} = {obj!r}"] = None
    elif isinstance(obj, functools.partial):
        _define(f"{target}_of", obj.func, lines, depth + 1)
        given = [f"{target}_of", *(_said(value) for value in obj.args)]
        given += [f"{key}={_said(value)}" for key, value in obj.keywords.items()]
        lines["import functools"] = None
        lines[f"{target} = functools.partial({', '.join(given)})"] = None
    elif isinstance(obj, FunctionType):
        _write_out(target, obj, lines, depth)
    elif isinstance(obj, type):
        _write_class(target, obj, lines, depth)
    else:
        _make(target, obj, lines, depth)


def _as(given: str, target: str) -> str:
    return "" if given == target else f" as {target}"


def _write_out(target: str, function: FunctionType, lines: dict[str, None], depth: int) -> None:
    """Write a function as its source has it, after what it needs."""
    node = reading.definition(function)
    if node is None or isinstance(node, ast.AsyncFunctionDef):
        raise _CannotBeWrittenError
    _define_needs(node, function, [function], lines, depth)
    if isinstance(node, ast.Lambda):
        lines[f"{target} = {ast.unparse(node)}"] = None
        return
    try:
        source = textwrap.dedent(inspect.getsource(function)).rstrip()
    except (OSError, TypeError) as error:
        raise _CannotBeWrittenError from error
    lines[f"\n\n{source}\n\n"] = None
    if node.name != target:
        lines[f"{target} = {node.name}"] = None


def _write_class(target: str, cls: type, lines: dict[str, None], depth: int) -> None:
    """Write a class as its source has it, after what its bases and methods need."""
    methods = [value for value in vars(cls).values() if isinstance(value, FunctionType)]
    found = reading.class_definition(cls, methods)
    if found is None:
        raise _CannotBeWrittenError
    node, source = found
    _define_needs(node, cls, methods, lines, depth)
    lines[f"\n\n{source}\n\n"] = None
    if node.name != target:
        lines[f"{target} = {node.name}"] = None


def _define_needs(
    node: ast.AST,
    whole: Any,
    functions: Sequence[FunctionType],
    lines: dict[str, None],
    depth: int,
) -> None:
    for used, value in _needs(node, functions).items():
        if value is not whole:
            _define(used, value, lines, depth + 1)


def _needs(node: ast.AST, functions: Sequence[FunctionType]) -> Mapping[str, Any]:
    """What a function, or a class with these, takes from around it, by name."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    own = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    cells: dict[str, Any] = {}
    around: dict[str, Any] = {}
    for function in functions:
        cells |= zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        around |= function.__globals__
    found: dict[str, Any] = {}
    for used in dict.fromkeys(n.id for n in names if n.id not in own):
        if used in cells:
            found[used] = cells[used].cell_contents
        elif used in around:
            found[used] = around[used]
        elif not hasattr(builtins, used):
            raise _CannotBeWrittenError
    return found


def _make(target: str, obj: Any, lines: dict[str, None], depth: int) -> None:
    """Make an instance of a class with the very attributes of an object."""
    state = getattr(obj, "__dict__", None)
    cls = type(obj)
    if state is None or cls.__module__ == "builtins":
        raise _CannotBeWrittenError
    _define(cls.__name__, cls, lines, depth + 1)
    if callable(getattr(obj, "get_config", None)):
        lines[f"{target} = {cls.__name__}.from_config({_said(_config(obj))})"] = None
        return
    lines[f"{target} = object.__new__({cls.__name__})"] = None
    if state:
        attributes = ", ".join(f"{key!r}: {_said(value)}" for key, value in state.items())
        lines[f"vars({target}).update({{{attributes}}})"] = None


def _config(obj: Any) -> Any:
    """What an object is made of again, where nothing that it holds is lost on the way."""
    try:
        config = obj.get_config()
        again = vars(type(obj).from_config(config))
    except Exception as error:  # the user's own code
        raise _CannotBeWrittenError from error
    kept = {key: value for key, value in vars(obj).items() if not key.startswith("_")}
    if any(not _literal(value) or again.get(key) != value for key, value in kept.items()):
        raise _CannotBeWrittenError
    return config


def _said(value: Any) -> str:
    if not _literal(value):
        raise _CannotBeWrittenError
    return repr(value)


def _literal(value: Any) -> bool:
    """Say whether Python reads back from its repr what a value is."""
    if callable(value):
        return False
    try:
        again = ast.literal_eval(repr(value))
        return type(again) is type(value) and bool(again == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
