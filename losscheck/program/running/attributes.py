"""What Python keeps on an object of a loss's, saved before a run and put back behind it.

Only what is copied without a trace is saved: numbers, texts, and lists and mappings of them. All
else is left alone, and nothing of this raises into the run of the loss.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from losscheck.program.quiet import keras_module, tensorflow

PLAIN = (bool, int, float, str, type(None))
LARGEST = 1 << 16  # elements of what is saved without being known to change


class Attributes:
    """The plain attributes of one object, as they are now.

    Parameters
    ----------
    attributes
        Its `__dict__`.
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes
        self._before = dict(attributes)
        self._contents: dict[str, Callable[[], None]] = {}
        for name, value in self._before.items():
            with contextlib.suppress(Exception):
                if name not in _of_layers() and (put_back := _saved(value)) is not None:
                    self._contents[name] = put_back

    def put_back(self) -> None:
        """Make the object hold what it held.

        One that was built in the meantime, as layers are when they are first called, stays so: its
        variables are there, and what it says of itself is true.
        """
        now = list(self._attributes.items())
        if any(value is not self._before.get(name) and _lasting(value) for name, value in now):
            return
        for name, put_back in self._contents.items():
            with contextlib.suppress(Exception):
                put_back()
                if self._attributes.get(name, self) is not self._before[name]:
                    self._attributes[name] = self._before[name]


def _saved(value: Any) -> Callable[[], None] | None:
    """What gives a value its contents again; None of what is not plain."""
    if isinstance(value, dict):
        pairs = dict(value)
        return functools.partial(_fill_mapping, value, pairs) if _plain(*pairs.values()) else None
    if isinstance(value, list):
        members = list(value)
        return functools.partial(_fill_list, value, members) if _plain(*members) else None
    if isinstance(value, set):
        unique = set(value)
        return functools.partial(_fill_set, value, unique) if _plain(*unique) else None
    plain = _plain(*value) if isinstance(value, tuple) else isinstance(value, PLAIN)
    return (lambda: None) if plain else None


def _plain(*members: Any) -> bool:
    return len(members) <= LARGEST and all(isinstance(member, PLAIN) for member in members)


def _fill_list(held: list[Any], members: list[Any]) -> None:
    # Past what a subclass does on a change, as the lists of Keras tell their layer.
    list.__setitem__(held, slice(None), members)


def _fill_mapping(held: dict[Any, Any], pairs: dict[Any, Any]) -> None:
    dict.clear(held)
    dict.update(held, pairs)


def _fill_set(held: set[Any], members: set[Any]) -> None:
    set.clear(held)
    set.update(held, members)


@functools.cache
def _of_layers() -> frozenset[str]:
    """Names of what every layer says of itself, as whether it is built."""
    return frozenset(vars(keras_module().Layer(name="any")))


def _lasting(value: Any) -> bool:
    """Whether it is, or holds, what is made once: a variable, or what has variables."""
    tf, keras = tensorflow(), keras_module()
    with contextlib.suppress(Exception):  # a proxy may compute its class
        return isinstance(value, tf.Variable | tf.Module | keras.Variable | keras.Layer)
    return False
