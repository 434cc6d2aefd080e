"""Changes in the words of a module: TensorFlow by its own name for it, else Keras' operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import ModuleType

import attrs

from losscheck.advice.change import Change
from losscheck.findings.names import Names

_CALL = re.compile(r"\btf\.(?:\w+\.)*(\w+)")
_DTYPE = re.compile(r"b?float\d+|u?int\d+|bool")
# Names that keras.ops has for what TensorFlow calls otherwise; "reduce_sum" is "sum" there.
_KERAS = {
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "atan2": "arctan2",
    "clip_by_value": "clip",
    "pow": "power",
    "reduce_variance": "var",
}
IMPORT = "import tensorflow as tf"


def in_words_of(names: Names, change: Change) -> Iterator[Change]:
    """Write a change, which names TensorFlow "tf", as its module would: the likeliest first.

    A module that knows neither TensorFlow nor Keras by a name, but some of their functions, imports
    it where the change is made.
    """
    if names.tensorflow:
        yield _rewritten(change, lambda match: f"{names.tensorflow}.{match[0][3:]}")
        return
    if ops := _operations(names):
        yield _rewritten(change, lambda match: _in_keras(match[1], ops))
    if "tf" in names.local:  # imported by a change before it
        yield change
    elif any(_CALL.search(text) for text in (change.new, *change.before)):
        yield attrs.evolve(change, before=(IMPORT, *change.before))
    elif not ops:
        yield change


def _rewritten(change: Change, write: Callable[[re.Match[str]], str]) -> Change:
    new, *before = (_CALL.sub(write, text) for text in (change.new, *change.before))
    return attrs.evolve(change, new=new, before=tuple(before))


def _operations(names: Names) -> str:
    """What the module calls keras.ops; "" where it has no name for it."""
    for name, value in names.module.items():
        if isinstance(value, ModuleType) and name not in names.local:
            if value.__name__ == "keras.ops":
                return name
            if value.__name__ == "keras":
                return f"{name}.ops"
    return ""


def _in_keras(function: str, ops: str) -> str:
    if _DTYPE.fullmatch(function):
        return f'"{function}"'
    return f"{ops}.{_KERAS.get(function, function.removeprefix('reduce_'))}"
