"""Where an operation comes from: the user's line and the columns of the expression on it.

While a loss is traced, TensorFlow calls back for every operation that it creates. The frames of the
Python stack at that moment, with the instruction each one stands at, give the exact expression
(PEP 657), which the traceback that TensorFlow itself keeps does not. Backward operations name the
forward operation that they belong to.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import linecache
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import attrs

from losscheck.model import Direction, Location
from losscheck.program.quiet import tensorflow

_GENERATED = "__autograph_generated"  # in the names of the files that AutoGraph writes
_BACKWARD = re.compile(r"(^|/)gradients(_\d+)?/")  # numbered where a gradient is derived again
_KERNEL = re.compile(r"\[Op:(\w+)\]")  # how TensorFlow ends what a kernel says
_NODE = re.compile(r"\{\{node (?:[^/}]+/)*([^/}]+?)(?:_\d+)?\}\}")  # the same in a graph
_TRACER = os.path.join(os.path.dirname(__file__), "trace.py")


@attrs.frozen
class Frame:
    """A place in code: a file and the span of an expression (lines from 1, columns from 0)."""

    file: str
    line: int
    end_line: int | None = None
    column: int | None = None
    end_column: int | None = None


@contextlib.contextmanager
def recording(into: dict[str, tuple[Frame, ...]], home: str) -> Iterator[None]:
    """Note the user's frames, innermost first, of every operation created meanwhile, by its name.

    Frames of code that AutoGraph wrote are noted, too.
    """
    from tensorflow.python.framework import op_callbacks

    seen: dict[int, tuple[CodeType, str]] = {}  # by id, since hashing code takes long

    def note(
        op_type: str,
        inputs: Any,
        attributes: Any,
        outputs: Any,
        op_name: Any = None,
        graph: Any = None,
    ) -> None:
        name = op_name or (outputs[0].op.name if graph is not None and outputs else None)
        if name is not None:
            into[name if isinstance(name, str) else name.decode()] = _frames(
                sys._getframe(1), home, seen
            )

    op_callbacks.add_op_callback(note)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(note)


def _frames(
    frame: FrameType | None, home: str, seen: dict[int, tuple[CodeType, str]]
) -> tuple[Frame, ...]:
    """The frames to keep; most of a deep stack are TensorFlow's, and known from other calls."""
    frames = []
    while frame is not None:
        code = frame.f_code
        known = seen.get(id(code))
        if known is None:
            known = seen[id(code)] = code, _whose(code.co_filename, home)
        if known[1] == "ours":  # what called the loss is no part of it
            break
        if known[1] == "kept":
            frames.append(_place(code, frame.f_lasti, frame.f_lineno))
        frame = frame.f_back
    return tuple(frames)


def _whose(file: str, home: str) -> str:
    if file == _TRACER:
        return "ours"
    return "kept" if _GENERATED in file or is_users(file, home) else "library"


def _place(code: CodeType, instruction: int, line: int) -> Frame:
    return _place_in(code.co_filename, code, instruction, line)


@functools.lru_cache(maxsize=4096)
def _place_in(file: str, code: CodeType, instruction: int, line: int) -> Frame:
    # Code that is alike is equal, in whatever file it stands.
    spans = list(code.co_positions())
    index = instruction // 2
    if not 0 <= index < len(spans) or spans[index][0] is None:
        return Frame(file, line)
    start, end, column, end_column = spans[index]
    # co_positions counts bytes of the UTF-8 line; Location counts characters.
    text = linecache.getline(file, start or line).encode()
    last = linecache.getline(file, end or line).encode()
    return Frame(
        file,
        start or line,
        end,
        None if column is None else len(text[:column].decode(errors="ignore")),
        None if end_column is None else len(last[:end_column].decode(errors="ignore")),
    )


@functools.cache
def _libraries() -> tuple[str, ...]:
    """Folders whose code is never the user's, unless the loss itself lives there."""
    specs = map(importlib.util.find_spec, ("keras", "numpy", "tensorflow"))  # imports none of them
    modules = [os.path.dirname(spec.origin) for spec in specs if spec and spec.origin]
    ours = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    return tuple(folder + os.sep for folder in (*modules, ours))


@functools.cache
def _standard_library() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple(os.path.realpath(paths[name]) + os.sep for name in ("stdlib", "platstdlib"))


def is_users(file: str, home: str) -> bool:
    """Say whether a file is the user's: below the loss's folder `home`, or in no library."""
    generated = file.startswith("<") and not file.startswith(("<stdin>", "<ipython"))
    if generated or _GENERATED in file:
        return False
    library = next((folder for folder in _libraries() if file.startswith(folder)), None)
    if library is not None:  # the user's own folder may hold a whole environment of libraries
        return home.startswith(library.rstrip(os.sep)) and file.startswith(home + os.sep)
    if home and file.startswith(home + os.sep):
        return True
    return "site-packages" in file or not os.path.realpath(file).startswith(_standard_library())


class Origins:
    """Maps the operations of a traced graph to the user's source."""

    def __init__(
        self, graph: Any, frames: dict[str, tuple[Frame, ...]], home: str, base: str
    ) -> None:
        self._graph = graph
        self._frames = frames
        self._home = home
        self._base = base

    def location(self, op_name: str) -> Location | None:
        """Give the user's expression behind an operation; None if none is known."""
        found = self._own(op_name)
        if found is None:
            return None
        direction = Direction.BACKWARD if is_backward(op_name) else Direction.FORWARD
        return locate(*found, direction, self._base)

    def frame(self, op_name: str) -> Frame | None:
        """Give the place of that expression, with its end; None if none is known."""
        found = self._own(op_name)
        return None if found is None else found[0]

    def _own(self, op_name: str) -> tuple[Frame, str] | None:
        """The user's frame behind an operation, and the type of the operation made there."""
        op = self._operation(op_name)
        if op is None:
            return None
        own = self._users_frame(op)
        while own is None and (forward := self._forward_of(op)) is not None:
            own, op = self._users_frame(forward), forward
        return None if own is None else (own, op.type)

    def users_own(self, op_name: str) -> bool:
        """Say whether the user's own code made an operation: true of a custom gradient's."""
        op = self._operation(op_name)
        return op is not None and self._users_frame(op) is not None

    def forward_name(self, op_name: str) -> str:
        """Name the forward operation that a backward one belongs to (itself for a forward one)."""
        op = self._operation(op_name)
        if op is None:
            return op_name
        while (forward := self._forward_of(op)) is not None:
            op = forward
        return str(op.name)

    def _operation(self, name: str) -> Any:
        try:
            return self._graph.get_operation_by_name(name)
        except (KeyError, ValueError):
            return None

    def _forward_of(self, op: Any) -> Any:
        if not is_backward(op.name):
            return None
        if op._original_op is not None:
            return op._original_op
        part = op.name.split("/")[1] if "/" in op.name else ""
        name = part.removesuffix("_grad")
        return self._operation(name) if part.endswith("_grad") else None

    def _users_frame(self, op: Any) -> Frame | None:
        for frame in self._frames.get(op.name, ()):
            if is_users(frame.file, self._home):
                return frame
        recorded = self._frames.get(op.name)
        if recorded is not None and not any(_GENERATED in frame.file for frame in recorded):
            return None
        # Innermost last; AutoGraph's frames are mapped back here.
        for entry in reversed(list(op.traceback or ())):
            if entry.filename == _TRACER:  # what called the loss is no part of it
                break
            if is_users(entry.filename, self._home):
                return Frame(entry.filename, entry.lineno)
        return None


def is_backward(op_name: str) -> bool:
    """Say whether an operation belongs to the gradient that losscheck asked for."""
    return _BACKWARD.search(op_name) is not None


def locate(frame: Frame, op: str, direction: Direction, base: str) -> Location:
    """Turn a frame into the Location of a finding; files below `base` are relative to it."""
    text = linecache.getline(frame.file, frame.line).rstrip("\n")
    column = None if frame.column is None else frame.column + 1
    end = None if frame.end_column is None else frame.end_column + 1
    if frame.end_line is not None and frame.end_line != frame.line:
        end = len(text) + 1
    return Location(
        file=relative(frame.file, base),
        line=frame.line,
        column=column,
        end_column=end,
        source=text,
        op=op,
        direction=direction.value,
    )


def cell(file: str) -> str:
    """Name a cell of a notebook as tracebacks do, ``In[3]``; "" where a file is none."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    named = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(file)
    return str(named[1]) if named else ""


def relative(file: str, base: str) -> str:
    """Write a path relative to `base` where it lies below it; a cell of a notebook by its name."""
    if name := cell(file):
        return name
    path, root = os.path.realpath(file), os.path.realpath(base)
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else path


def kernel(error: BaseException) -> str:
    """Name the type of the operation whose kernel raised; "" where something else did."""
    text = str(error) if isinstance(error, tensorflow().errors.OpError) else ""
    if found := _NODE.search(text):  # a node is named after its type, some with underscores
        name = found[1]
        return name if "_" not in name else "".join(map(str.capitalize, name.split("_")))
    named = _KERNEL.search(text)
    return named[1] if named else ""


def of_exception(error: BaseException, home: str, base: str) -> Location | None:
    """Find the innermost user's line in the traceback of an exception that a loss raised."""
    found = None
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_users(code.co_filename, home):
            found = _place(code, traceback.tb_lasti, traceback.tb_lineno)
        traceback = traceback.tb_next
    return None if found is None else locate(found, kernel(error), Direction.FORWARD, base)
