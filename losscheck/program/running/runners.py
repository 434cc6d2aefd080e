"""Graphs that take many cases by one call: by tf.functions, behind the call of one, as one batch.

In the graph of a function TensorFlow rewrites more than in that of a session: it makes log(1 + x) a
log1p, for one. The function is written down as TensorFlow stores it, since tracing one takes longer
than all else about it.

Stacks are for graphs that cannot be vectorized: the recursion of CTC, a dynamic program, a loop.
That samples do not see each other is not proved but tried: some cases of the first blocks, and some
of all that come out NaN or infinite, are run by themselves as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import tensorflow
from losscheck.program.running.execution import Cut, Run, as_array, mapped
from losscheck.program.running.state import Stand

_NAME = "case"

AGREEMENT = 1e-2  # relative and absolute; a kernel may round otherwise, half types most

TRIED = 48  # cases of the first blocks that are run by themselves

DOUBTED = 4  # the same of those that are not finite, in every block


def called(cut: Cut) -> Cut:
    """The same tensors, given by the call of a function."""
    tf = tensorflow()
    given = [cut.graph.get_tensor_by_name(name) for name in (*cut.feeds, *cut.captured)]
    wanted = [cut.graph.get_tensor_by_name(name) for name in cut.tensors]
    function = _function(cut.graph, given, wanted)

    definition = tf.compat.v1.GraphDef()
    definition.CopyFrom(_library(cut.graph))
    definition.library.function.append(function)
    for i, tensor in enumerate(given):
        node = definition.node.add(name=f"given_{i}", op="Placeholder")
        node.attr["dtype"].type = tensor.dtype.as_datatype_enum
        node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
    stateful = function.signature.is_stateful
    call = definition.node.add(
        name=_NAME,
        op="StatefulPartitionedCall" if stateful else "PartitionedCall",
        input=[f"given_{i}" for i in range(len(given))],
    )
    call.attr["Tin"].list.type.extend(tensor.dtype.as_datatype_enum for tensor in given)
    call.attr["Tout"].list.type.extend(tensor.dtype.as_datatype_enum for tensor in wanted)
    call.attr["f"].func.name = _NAME
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(definition, name="")
    names = [f"given_{i}:0" for i in range(len(given))]
    return Cut(
        graph=graph,
        feeds=tuple(names[: len(cut.feeds)]),
        tensors=tuple(f"{_NAME}:{i}" for i in range(len(wanted))),
        captured=dict(zip(names[len(cut.feeds) :], cut.captured.values(), strict=True)),
    )


def _function(graph: Any, given: list[Any], wanted: list[Any]) -> Any:
    """The definition of a function from some tensors of a graph to others."""
    from tensorflow.python.framework.graph_to_function_def import graph_to_function_def

    function = graph_to_function_def(graph, _between(graph, given, wanted), given, wanted)
    function.signature.name = _NAME
    for i, tensor in enumerate(given):  # TensorFlow rewrites only what it knows the shapes of
        shapes = function.arg_attr[i].attr["_output_shapes"].list.shape
        shapes.add().CopyFrom(tensor.shape.as_proto())
    return function


def _between(graph: Any, given: list[Any], wanted: list[Any]) -> list[Any]:
    """The operations that lead from some tensors to others, in order of creation."""
    names = {tensor.name for tensor in given}
    places = {tensor.op.name for tensor in given if tensor.op.type == "Placeholder"}
    stack = [tensor.op for tensor in wanted if tensor.name not in names]
    found: set[str] = set()
    while stack:
        op = stack.pop()
        if op.name in found or op.name in places:
            continue
        found.add(op.name)
        stack.extend(tensor.op for tensor in op.inputs if tensor.name not in names)
        stack.extend(op.control_inputs)
    return [op for op in graph.get_operations() if op.name in found]


def _library(graph: Any) -> Any:
    """The functions that a graph calls, without its operations."""
    definition = graph.as_graph_def()
    del definition.node[:]
    return definition


class CoupledError(Exception):
    """A case in a stack gives something else than by itself."""


@attrs.define(eq=False)
class Stack:
    """A block of cases as one batch of all their samples."""

    _run: Run  # the loss for a batch of any size
    _single: Run | None  # the same for one case; None where nothing is run once more
    _tried: int = 0

    def __call__(self, *arrays: Array) -> list[Array]:
        """Arrays of (N, B, ...) in and out.

        Raises
        ------
        CoupledError
            Some case gives something else by itself.
        """
        n, batch = arrays[0].shape[:2]
        merged = (a.reshape(n * batch, *a.shape[2:]) for a in arrays)
        results = self._run(*merged)
        if any(len(result) != n * batch for result in results):
            raise CoupledError("what it returns does not grow with the batch")
        results = [r.reshape(n, batch, *r.shape[1:]) for r in results]
        if self._single is None:
            return results
        for row in self._doubtful(results, n):
            alone = self._single(*(a[row] for a in arrays))
            if not agree([result[row] for result in results], alone):
                raise CoupledError(f"case {row} of {n} gives something else by itself")
        return results

    def _doubtful(self, results: Sequence[Array], n: int) -> list[int]:
        """The cases to be run by themselves as well."""
        some = np.unique(np.linspace(0, n - 1, min(n, TRIED - self._tried)).astype(int))
        self._tried += len(some)
        finite = [np.isfinite(np.asarray(r, float)).reshape(n, -1).all(axis=1) for r in results]
        bad = np.flatnonzero(~np.all(finite, axis=0))
        bad = bad[np.unique(np.linspace(0, len(bad) - 1, min(len(bad), DOUBTED)).astype(int))]
        return [int(row) for row in np.union1d(some, bad)]


def agree(block: Sequence[Array], alone: Sequence[Array]) -> bool:
    """Say whether a case gives in a block what it gives by itself, up to rounding."""
    pairs = [
        (np.asarray(b, float), np.asarray(a, float)) for b, a in zip(block, alone, strict=True)
    ]
    return all(
        b.shape == a.shape and np.allclose(b, a, rtol=AGREEMENT, atol=AGREEMENT, equal_nan=True)
        for b, a in pairs
    )


def by_function(cut: Cut, *, plain: bool) -> Run:
    """One case by one call of a tf.function, which can read variables."""
    tf = tensorflow()
    run = tf.function(lambda *arrays: cut.embed([*arrays, *outside(cut)]), autograph=False)

    def call(*arrays: Array) -> list[Array]:
        _reset(cut)
        with _optimizer(plain):
            return [as_array(result) for result in run(*(tf.constant(a) for a in arrays))]

    return call


def blocks_by_function(cut: Cut, mode: str, probe: Sequence[Array]) -> Run:
    """Vectorize a case, in a mode of `Program.run`; `probe` is a block of one."""
    tf = tensorflow()

    def block(*arrays: Any) -> tuple[Any, ...]:
        taken = outside(cut)
        return tuple(mapped(cut, arrays, taken))

    specs = [tf.TensorSpec((None, *a.shape[1:]), tf.as_dtype(a.dtype)) for a in probe]
    run = tf.function(
        block,
        input_signature=None if mode == "xla" else specs,
        autograph=False,
        jit_compile=mode == "xla",
    )

    def call(*arrays: Array) -> list[Array]:
        _reset(cut)
        with _optimizer(mode == "plain"):
            return [as_array(result) for result in run(*arrays)]

    return call


def under_xla(cut: Cut) -> Run:
    """The graph of a cut, compiled by XLA: arrays in and out."""
    tf = tensorflow()
    taken = cut.values if cut.sessions else list  # what it reads of variables may change
    run = tf.function(
        lambda *tensors: cut.embed(tensors if cut.sessions else [*tensors, *outside(cut)]),
        autograph=False,
        jit_compile=True,
    )

    def call(*arrays: Array) -> list[Array]:
        _reset(cut)
        given = (tf.constant(array) for array in (*arrays, *taken()))
        return [as_array(result) for result in run(*given)]

    return call


def _reset(cut: Cut) -> None:
    """Let each run begin with what the user's variables hold."""
    for outer in cut.captured.values():
        if isinstance(outer, Stand):
            outer.reset()


def outside(cut: Cut) -> list[Any]:
    """What a loss took from outside, for its place inside the function that is being traced."""
    tf = tensorflow()
    graph = tf.compat.v1.get_default_graph()
    found = []
    for name, outer in cut.captured.items():
        wanted = cut.graph.get_tensor_by_name(name).dtype
        same = outer.dtype in (wanted, tf.resource, tf.variant)
        if isinstance(outer, Stand):
            outer = outer.handle
        found.append(graph.capture(outer) if same else tf.cast(outer, wanted))
    return found


_META = "disable_meta_optimizer"


class _optimizer:  # noqa: N801  (a context manager, read as a word)
    """Switch TensorFlow's graph rewriting off while a "plain" function runs."""

    def __init__(self, plain: bool) -> None:
        self._plain = plain

    def __enter__(self) -> None:
        if self._plain:
            optimizer = tensorflow().config.optimizer
            self._before = optimizer.get_experimental_options().get(_META, False)
            optimizer.set_experimental_options({_META: True})

    def __exit__(self, *error: object) -> None:
        if self._plain:
            tensorflow().config.optimizer.set_experimental_options({_META: self._before})
