"""Arguments that a loss takes as a dict or a tuple of tensors, read off what it does with them.

A tensor that is indexed with a string, asked for its items or unpacked into names raises; the same
call with a dict or a tuple in its place goes on. What is read of that dict are its keys.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

import attrs

from losscheck.program.quiet import silence, tensorflow
from losscheck.program.tracing.origin import is_users
from losscheck.program.tracing.trace import Call

ANY_KEY = "name"  # in place of a key that the loss does not name
MOST_READ = 8  # accesses that are followed
_METHODS = frozenset({"items", "keys", "values", "get", "pop"})
_LEAF = (4, 3)  # the shape of what is read of them: its size does not matter


@attrs.frozen
class Structure:
    """What a loss takes in place of one tensor: a dict with keys, or a tuple of some length."""

    keys: tuple[str, ...] = ()  # none for a tuple
    length: int = 0
    named: bool = True  # whether the loss names the keys


def structures(call: Call, error: BaseException) -> dict[str, Structure]:
    """Say which arguments of a loss are no tensors; {} where `error` has another reason.

    Parameters
    ----------
    error
        What it raised when every argument was a tensor.
    """
    call = attrs.evolve(call, integers=())
    found: dict[str, Any] = {}
    raised: BaseException | None = error
    for _ in range(MOST_READ):
        asked = _asked(raised, call.home)
        if asked is None:
            break
        for name in call.names:
            after = _outcome(call, {**found, name: asked()}) if name not in found else raised
            if not _is_same(after, raised, call.home):
                found[name], raised = asked(), after
                break
        else:
            break
    if found:
        _outcome(call, found)  # reads the keys
    read = {name: _read(given) for name, given in found.items()}
    if not all(isinstance(key, str) for each in read.values() for key in each.keys):
        return {}
    if all(each.named for each in read.values()):
        return read
    return {n: attrs.evolve(s, named=s.keys != (ANY_KEY,)) for n, s in read.items()}


class _Read(dict[str, Any]):
    """A dict that has every key that is asked for, and keeps which those were."""

    named = True

    def __missing__(self, key: str) -> Any:
        self[key] = _leaf()
        return self[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        return self[key]

    def keys(self) -> Any:
        self._fill()
        return super().keys()

    def values(self) -> Any:
        self._fill()
        return super().values()

    def items(self) -> Any:
        self._fill()
        return super().items()

    def _fill(self) -> None:
        if not len(self):
            self.named = False
            self[ANY_KEY] = _leaf()


def _leaf() -> Any:
    tf = tensorflow()
    return tf.ones(_LEAF, tf.float32)


def _read(given: Any) -> Structure:
    if isinstance(given, _Read):
        return Structure(keys=tuple(dict.keys(given)), named=given.named)
    return Structure(length=given)


def _asked(error: BaseException | None, home: str) -> Callable[[], Any] | None:
    """What an exception asks for in place of a tensor: makes a dict, or a length; None: neither."""
    if error is None:
        return None
    if isinstance(error, AttributeError):
        asks = error.name in _METHODS and tensorflow().is_tensor(error.obj)
        return _Read if asks else None
    if not isinstance(error, TypeError):
        return None
    failing = _instruction(error, home)
    if failing is None:
        return None
    if failing.opname == "BINARY_SUBSCR" or failing.argrepr == "[]":
        return _Read
    # A loop over a symbolic tensor raises the same, at another instruction.
    symbolic = isinstance(error, tensorflow().errors.OperatorNotAllowedInGraphError)
    length = failing.arg if symbolic and failing.opname == "UNPACK_SEQUENCE" else 0
    return (lambda: length) if length else None


def _instruction(error: BaseException, home: str) -> dis.Instruction | None:
    """The instruction of the user's innermost frame that raised."""
    frames = [f for f in _frames(error.__traceback__) if is_users(_file(f), home)]
    if not frames:
        return None
    code, at = frames[-1].tb_frame.f_code, frames[-1].tb_lasti
    return next((i for i in dis.get_instructions(code) if i.offset == at), None)


def _file(frame: TracebackType) -> str:
    return frame.tb_frame.f_code.co_filename


def _frames(traceback: TracebackType | None) -> Iterable[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_same(one: BaseException | None, other: BaseException | None, home: str) -> bool:
    if one is None or other is None:
        return one is other
    return (type(one), str(one), _place(one, home)) == (
        type(other),
        str(other),
        _place(other, home),
    )


def _place(error: BaseException, home: str) -> tuple[tuple[str, int], ...]:
    """Where it was raised: the user's frames."""
    users = [frame for frame in _frames(error.__traceback__) if is_users(_file(frame), home)]
    return tuple((_file(frame), frame.tb_lasti) for frame in users)


def _outcome(call: Call, given: Mapping[str, Any]) -> BaseException | None:
    """What the loss raises while it is traced, given these in place of tensors; None: nothing."""
    tf = tensorflow()

    def within() -> None:
        call([_handed(given[name]) if name in given else _leaf() for name in call.names])

    try:
        with silence(), call.state.kept():
            tf.function(within, autograph=False).get_concrete_function()
    except Exception as error:
        return error
    return None


def _handed(given: Any) -> Any:
    return given if isinstance(given, _Read) else tuple(_leaf() for _ in range(given))
