"""What a loss took from outside, and what it keeps from call to call, saved before it is run.

The variables that it assigns are known once it is traced. Of a loss that cannot be traced they are
looked for in its closures, its globals and its object, and numbers and lists that Python keeps on
an object are put back as well.

Only what is copied without a trace is saved: numbers, texts, and lists and mappings of them. All
else is left alone, and nothing of this raises into the run of the loss.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import keras_module, tensorflow

DEEPEST = 4  # attributes of attributes that are looked at
LIBRARIES = ("builtins", "functools", "numpy", "tensorflow", "types", "typing")
PLAIN = (bool, int, float, str, type(None))
LARGEST = 1 << 16  # elements of what is saved without being known to change


class State:
    """The state of one loss."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._assigned: dict[int, Reading] = {}
        self._traced = False

    def note(self, assigned: Iterable[Reading]) -> None:
        """Take note of the variables that a trace assigns."""
        self._traced = True
        for reading in assigned:
            self._assigned.setdefault(id(reading.resource), reading)

    @property
    def assigns(self) -> bool:
        """Whether the loss is known to assign a variable."""
        return bool(self._assigned)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Put back behind a run what it has changed; what cannot be read is left alone."""
        held = []
        for reading in [*self._assigned.values()] if self._traced else self._found:
            with contextlib.suppress(Exception):  # of a variable without a value yet
                held.append((reading, reading.now()))
        objects = [Attributes(attributes) for attributes in self._objects]
        try:
            yield
        finally:
            assign = tensorflow().raw_ops.AssignVariableOp
            for reading, value in held:
                with contextlib.suppress(Exception):  # it may be gone
                    assign(resource=reading.resource, value=value)
            for attributes in objects:
                attributes.put_back()

    @functools.cached_property
    def _reached(self) -> list[Any]:
        """The loss, and what it reaches by closures, globals and attributes."""
        found: dict[int, Any] = {}
        waiting: list[tuple[Any, int]] = [(self._function, 0)]
        while waiting:
            thing, depth = waiting.pop()
            if id(thing) not in found and depth <= DEEPEST:
                found[id(thing)] = thing
                with contextlib.suppress(Exception):  # it may compute what is asked of it
                    waiting += [(further, depth + 1) for further in _further(thing)]
        return list(found.values())

    @functools.cached_property
    def _objects(self) -> list[dict[str, Any]]:
        """The attributes of the objects of the user's that the loss reaches."""
        return [vars(thing) for thing in self._reached if _of_the_user(thing)]

    @functools.cached_property
    def _found(self) -> list[Reading]:
        """The variables that the loss reaches."""
        found: dict[int, Reading] = {}
        for thing in self._reached:
            with contextlib.suppress(Exception):  # as above, and some have no value yet
                for v in _variables(thing):
                    if (v.shape.num_elements() or 0) <= LARGEST:
                        found[id(v)] = Reading(v.handle, v.dtype)
        return list(found.values())


def _further(thing: Any) -> Iterator[Any]:
    for cell in getattr(thing, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # not assigned yet
            yield cell.cell_contents
    if (code := getattr(thing, "__code__", None)) is not None:
        around = thing.__globals__
        yield from (around[name] for name in code.co_names if name in around)
    for name in ("__self__", "__wrapped__", "func", "python_function"):
        if (inner := getattr(thing, name, None)) is not None:
            yield inner
    if isinstance(thing, list | tuple) and len(thing) <= LARGEST:
        yield from thing
    elif isinstance(thing, dict):
        yield from thing.values()
    elif _of_the_user(thing):
        yield from vars(thing).values()


def _of_the_user(thing: Any) -> bool:
    """Whether an object may keep what Python changes: no class, function, module or tensor."""
    kind = type(thing)
    if isinstance(thing, type) or kind.__module__.split(".")[0] in LIBRARIES:
        return False
    with contextlib.suppress(Exception):
        return isinstance(vars(thing), dict)
    return False


def _variables(thing: Any) -> list[Any]:
    """The variables of TensorFlow that something is, or holds."""
    tf, keras = tensorflow(), keras_module()
    if isinstance(thing, keras.Variable):
        return _variables(thing.value)
    if isinstance(thing, tf.Variable):
        return [thing]
    if isinstance(thing, tf.Module | keras.Layer | keras.Metric):
        return [found for variable in thing.variables for found in _variables(variable)]
    return [thing.state] if isinstance(thing, tf.random.Generator) else []


class Attributes:
    """The plain attributes of one object, as they are now."""

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


@attrs.frozen(eq=False)
class Reading:
    """What is read from a variable, at the time when it is asked for."""

    resource: Any  # its handle
    dtype: Any  # tf.DType

    def now(self) -> Any:
        """The tensor that it holds now."""
        return tensorflow().raw_ops.ReadVariableOp(resource=self.resource, dtype=self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The numbers that it holds now."""
        return np.asarray(self.now().numpy(), dtype)


class Stand:
    """A variable in the place of one of the user's, which a loss changes where nothing sees it.

    Parameters
    ----------
    reading
        What the user's holds.
    draws
        Whether random numbers are drawn by it: then each run draws others, as with the user's. Any
        other is before each run what the user's was.
    """

    def __init__(self, reading: Reading, *, draws: bool) -> None:
        tf = tensorflow()
        self.dtype = tf.resource
        self._initial = reading.now()
        self._variable = tf.Variable(self._initial, trainable=False)
        self._draws = draws

    @property
    def handle(self) -> Any:
        """What takes the place of the user's in a graph."""
        return self._variable.handle

    def reset(self) -> None:
        """Let it be what the user's variable was."""
        if not self._draws:
            self._variable.assign(self._initial)


def captured(graph: Any, captures: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """What fills the captured places of a graph, by the name of a tensor.

    A variable that is only read is filled in behind the operation that reads it, so that no handle
    is left; one that is more than read leaves all as they are.

    Parameters
    ----------
    graph
        The graph that runs; the names in it are those of the traced one.
    captures
        (tensor outside, placeholder inside)
    """
    found: dict[str, Any] = {}
    whole = {inner.name: outer for outer, inner in captures}
    for name, outer in whole.items():
        if outer.dtype != tensorflow().resource:
            found[name] = outer
            continue
        readers = graph.get_tensor_by_name(name).consumers()
        if any(op.type != "ReadVariableOp" for op in readers):
            return whole
        for op in readers:
            found[op.outputs[0].name] = Reading(outer, op.outputs[0].dtype)
    return found
