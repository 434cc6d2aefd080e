"""Running graphs by tf.functions: for XLA, and for losses that read variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from losscheck.model import Array
from losscheck.program.quiet import tensorflow
from losscheck.program.running.captured import Stand
from losscheck.program.running.execution import Cut, Run, as_array, mapped


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
