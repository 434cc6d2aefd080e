"""Running a traced program for many cases at a time.

`tf.vectorized_map` turns the graph of one case into the graph of a block of them: hundreds of
nanoseconds a case instead of hundreds of microseconds. It cannot vectorise data-dependent control
flow, and it gives every row of a random op its own numbers; `tf.map_fn` takes its place there.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.precision import graph_def
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.trace import Call, Traced


class Way(enum.StrEnum):
    """How many cases are run by one call."""

    VECTORIZED = "vectorized_map"
    MAPPED = "map_fn"


BLOCK_ELEMENTS = 1 << 19  # elements of all inputs in one block; keeps a 100-op graph below 500 MiB
BLOCK_CASES = 1 << 15
AGREEMENT = 1e-2  # relative and absolute; a vectorised kernel may round otherwise, half types most
XLA_BLOCK = 1 << 10  # smaller blocks are padded to it: XLA compiles anew for each size
SMALL = 64  # elements of a prediction whose backward pass costs less than a graph without it
FEW = 16  # cases that are run one by one where a block of them would have to be vectorized first
MAPPED_CASES = 2_000  # what map_fn runs in about half a second (160 to 550 microseconds a case)


@attrs.frozen(kw_only=True, eq=False)
class Outcome:
    """Value and gradient of a block of cases, in the dtype that they were computed in."""

    value: Array  # (N, *shape of what the loss returns)
    gradient: Array  # (N, *shape of the prediction); zeros where no gradient reaches it

    @property
    def total(self) -> Array:
        """(N,) the loss summed over what it returns, which is what the gradient belongs to."""
        flat = self.value.reshape(len(self.value), -1)
        # Two infinities of opposite sign make NaN here, as they do in Keras' reduction.
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(flat.astype(np.float64).sum(axis=1))


class Program:
    """A traced loss that can be run for blocks of cases, whole or up to any tensor inside.

    Parameters
    ----------
    traced
        The traced loss.
    call
        How it is called: the names of its arguments and which is the prediction.
    definition
        Its graph, as traced or rewritten to another precision.
    """

    def __init__(self, traced: Traced, call: Call, definition: Any = None) -> None:
        self.traced = traced
        self.names = call.names
        self.prediction = call.prediction
        self.definition = definition if definition is not None else graph_def(traced.graph)
        self.rewritten = definition is not None
        self._imported: Any = None
        self._runners: dict[Any, tuple[Callable[..., Any], Way]] = {}
        self._pruned: dict[Any, Callable[..., Any]] = {}
        self.kept: dict[Any, Any] = {}  # what others compile of this program, once

    def twin(self) -> Program:
        """The same loss in a graph of its own, to which operations may be added."""
        other = copy.copy(self)
        other._imported, other._runners, other._pruned, other.kept = None, {}, {}, {}
        return other

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one case, by argument."""
        shapes = (tuple(p.shape) for p in self.traced.placeholders)
        return dict(zip(self.names, shapes, strict=True))

    @property
    def _elements(self) -> int:
        """Elements of the prediction."""
        return int(np.prod(self.shapes[self.prediction]))

    @property
    def graph(self) -> Any:
        """The graph that runs: the rewritten one where there is one."""
        return self._function().graph

    def run(self, inputs: Inputs, mode: str = "graph") -> Outcome:
        """Value and gradient of every case.

        Parameters
        ----------
        inputs
            (N, *shape) an argument, in any float dtype; they are cast to the program's.
        mode
            "graph", "xla", or "plain": the graph without TensorFlow's rewriting of it, which is
            what eager execution computes.
        """
        results = self.fetch(self._whole, inputs, mode)
        n = len(results[0])
        if self.traced.gradient is not None:
            return Outcome(value=results[0], gradient=results[1])
        shape = (n, *self.shapes[self.prediction])
        return Outcome(value=results[0], gradient=np.zeros(shape, results[0].dtype))

    @property
    def _whole(self) -> tuple[str, ...]:
        """The value, and the gradient where there is one."""
        value, gradient = self.traced.value, self.traced.gradient
        return (value.name,) if gradient is None else (value.name, gradient.name)

    def totals(self, inputs: Inputs) -> Array:
        """(N,) the summed loss alone; without the backward pass where that takes long."""
        cheap = (self._whole, "graph") in self._runners and self._elements <= SMALL
        value = self.fetch(self._whole if cheap else [self.traced.value.name], inputs)[0]
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(value.reshape(len(value), -1).sum(axis=1), np.float64)

    def once(
        self, tensors: Sequence[str], inputs: Inputs, held: Inputs | None = None
    ) -> list[Array]:
        """Any tensors of the graph for a single case, without an axis of cases, unvectorised.

        Tensors inside that are `held`, by name, are what they are given as.
        """
        held = held or {}
        one = self._cast({name: np.asarray(array)[None] for name, array in inputs.items()})
        one += [np.asarray(array)[None] for array in held.values()]
        return [_array(result) for result in _outputs(self.pruned(tuple(tensors), (*held,)), one)]

    def has(self, tensor: str) -> bool:
        """Whether the graph holds a tensor of this name."""
        try:
            self.graph.get_tensor_by_name(tensor)
        except (KeyError, ValueError):
            return False
        return True

    def singly(self, inputs: Inputs) -> Outcome:
        """Value and gradient of every case, one call each.

        A call costs about a millisecond, to vectorize the loss hundreds.
        """
        rows = self._one_by_one(self._whole, self._cast(inputs))
        value = np.stack([_array(row[0]) for row in rows])
        if self.traced.gradient is not None:
            return Outcome(value=value, gradient=np.stack([_array(row[1]) for row in rows]))
        shape = (len(value), *self.shapes[self.prediction])
        return Outcome(value=value, gradient=np.zeros(shape, value.dtype))

    def fetch(self, tensors: Sequence[str], inputs: Inputs, mode: str = "graph") -> list[Array]:
        """Any tensors of the graph, by name, for every case: (N, *shape) each."""
        arrays = self._cast(inputs)
        if not len(arrays[0]):
            one = {name: np.ones((1, *shape)) for name, shape in self.shapes.items()}
            return [array[:0] for array in self.fetch(tensors, one, mode)]
        key = tuple(tensors), mode
        few = mode in ("graph", "plain") and len(arrays[0]) <= FEW
        if few and key not in self._runners and key[0] != self._whole:
            rows = self._one_by_one(key[0], arrays, mode)
            return [
                np.stack([_array(part) for part in column]) for column in zip(*rows, strict=True)
            ]
        if key not in self._runners:
            self._runners[key] = self._runner(tuple(tensors), mode, [a[:1] for a in arrays])
        try:
            return self._blocks(key, arrays)
        except Exception:  # vectorised code may fail on numbers, where a single case would not
            if self._runners[key][1] is Way.MAPPED:
                raise
        self._runners[key] = self._mapped(tuple(tensors), mode, [a[:1] for a in arrays])
        return self._blocks(key, arrays)

    def _one_by_one(
        self, tensors: tuple[str, ...], arrays: list[Array], mode: str = "graph"
    ) -> list[list[Any]]:
        """The tensors of every case, a row a case."""
        run = self.pruned(tensors)
        with silence(), _optimizer(mode):
            return [_outputs(run, [a[i : i + 1] for a in arrays]) for i in range(len(arrays[0]))]

    def _blocks(self, key: tuple[tuple[str, ...], str], arrays: list[Array]) -> list[Array]:
        (tensors, mode), (run, way) = key, self._runners[key]
        n = len(arrays[0])
        size = self._block(arrays) if way is Way.VECTORIZED else n
        if mode == "xla":
            size = self._xla_size(key, n, size)
        parts = [
            self._block_results(run, [a[i : i + size] for a in arrays], size, mode)
            for i in range(0, n, size)
        ]
        return [np.concatenate([part[j] for part in parts]) for j in range(len(tensors))]

    def _xla_size(self, key: tuple[tuple[str, ...], str], n: int, most: int) -> int:
        """The size of blocks under XLA: one that was compiled already, where few cases fit in."""
        sizes: set[int] = self.kept.setdefault(("xla sizes", key), set())
        wanted = min(most, XLA_BLOCK) if n <= XLA_BLOCK else most
        size = min((s for s in sizes if s >= wanted), default=wanted)
        sizes.add(size)
        return size

    def way(self, mode: str = "graph") -> Way:
        """How blocks of value and gradient are run, once they have been."""
        return next((w for (_, m), (_, w) in self._runners.items() if m == mode), Way.VECTORIZED)

    def try_once(self) -> None:
        """Run one case of ones, unvectorised; whatever it raises, the graph cannot be run."""
        ones = self._cast({name: np.ones((1, *shape)) for name, shape in self.shapes.items()})
        # "plain": TensorFlow's rewriting of the graph may take the failing operation out.
        with _optimizer("plain"):
            _outputs(self.pruned(self._whole), ones)

    def captured_values(self) -> dict[str, Array]:
        """What the loss took from outside, by the name of its placeholder in the graph."""
        tf = tensorflow()
        return {
            inner.op.name: np.asarray(outer)
            for outer, inner in self.traced.captures
            if outer.dtype != tf.resource
        }

    def _cast(self, inputs: Inputs) -> list[Array]:
        tensors = [
            self._function().graph.get_tensor_by_name(p.name) for p in self.traced.placeholders
        ]
        with np.errstate(over="ignore"):
            return [
                np.asarray(inputs[name]).astype(t.dtype.as_numpy_dtype, copy=False)
                for name, t in zip(self.names, tensors, strict=True)
            ]

    @staticmethod
    def _block(arrays: Sequence[Array]) -> int:
        elements = sum(int(np.prod(a.shape[1:])) for a in arrays)
        return int(min(BLOCK_CASES, max(1, BLOCK_ELEMENTS // max(1, elements))))

    def _block_results(
        self, run: Callable[..., Any], arrays: list[Array], size: int, mode: str
    ) -> list[Array]:
        n = len(arrays[0])
        if mode == "xla" and n < size:  # one compilation serves every block
            arrays = [np.concatenate([a, np.repeat(a[-1:], size - n, axis=0)]) for a in arrays]
        with silence(), _optimizer(mode):
            return [_array(result)[:n] for result in run(*arrays)]

    def _function(self) -> Any:
        if self._imported is None:
            tf = tensorflow()

            def load() -> None:
                tf.graph_util.import_graph_def(self.definition, name="")

            with silence():
                self._imported = tf.compat.v1.wrap_function(load, [])
        return self._imported

    def pruned(self, tensors: tuple[str, ...], held: tuple[str, ...] = ()) -> Callable[..., Any]:
        """One case up to these tensors: a function of the arguments' tensors in call order.

        Tensors that are held are arguments, too, behind the others.
        """
        if (tensors, held) not in self._pruned:
            self._pruned[tensors, held] = self._cut(tensors, held)
        return self._pruned[tensors, held]

    def _cut(self, tensors: tuple[str, ...], held: tuple[str, ...]) -> Callable[..., Any]:
        function = self._function()
        graph = function.graph
        inside = [inner for _, inner in self.traced.captures]
        names = [p.name for p in self.traced.placeholders]
        names += [*held, *(tensor.name for tensor in inside)]
        feeds = [graph.get_tensor_by_name(name) for name in names]
        # Without a signature TensorFlow tries another way first: a call takes three times as long.
        plain = all(feed.dtype != tensorflow().resource for feed in feeds)
        specs = tuple(tensorflow().TensorSpec(feed.shape, feed.dtype) for feed in feeds)
        pruned = function.prune(
            feeds,
            [graph.get_tensor_by_name(name) for name in tensors],
            input_signature=(specs, {}) if plain else None,
        )
        captured = [self._captured(outer, inner) for outer, inner in self.traced.captures]
        return lambda *arrays: pruned(*arrays, *captured)

    def _captured(self, outer: Any, inner: Any) -> Any:
        tf = tensorflow()
        wanted = self._function().graph.get_tensor_by_name(inner.name).dtype
        return outer if outer.dtype in (wanted, tf.resource) else tf.cast(outer, wanted)

    def _runner(
        self, tensors: tuple[str, ...], mode: str, probe: list[Array]
    ) -> tuple[Callable[..., Any], Way]:
        graph = self._runners.get((tensors, "graph"))
        if graph is not None and mode != "graph":
            run, way = graph  # vectorized once; how it is executed is settled call by call
            return (run if mode == "plain" else under_xla(run)), way
        pruned = self.pruned(tensors)
        try:
            run = compiled(pruned, Way.VECTORIZED, mode, probe)
            if self._agrees(pruned, run, mode, probe):
                return run, Way.VECTORIZED
        except Exception:  # whatever vectorisation cannot take, and each version says otherwise
            pass
        return self._mapped(tensors, mode, probe)

    def _mapped(
        self, tensors: tuple[str, ...], mode: str, probe: list[Array]
    ) -> tuple[Callable[..., Any], Way]:
        return compiled(self.pruned(tensors), Way.MAPPED, mode, probe), Way.MAPPED

    @staticmethod
    def _agrees(
        pruned: Callable[..., Any], run: Callable[..., Any], mode: str, probe: list[Array]
    ) -> bool:
        """Say whether a block of one gives what a single call gives; modes may differ in NaN."""
        with silence(), _optimizer(mode):
            block = [_array(result)[0] for result in run(*probe)]
        single = [_array(result) for result in _outputs(pruned, probe)]
        pairs = [
            (np.asarray(b, float), np.asarray(s, float)) for b, s in zip(block, single, strict=True)
        ]
        if any(b.shape != s.shape for b, s in pairs):
            return False
        return mode != "graph" or all(
            np.allclose(b, s, rtol=AGREEMENT, atol=AGREEMENT, equal_nan=True) for b, s in pairs
        )


def compiled(
    pruned: Callable[..., Any], way: Way, mode: str, probe: Sequence[Array]
) -> Callable[..., Any]:
    """Turn a function of one case into one of a block of cases; `probe` is a block of one."""
    tf = tensorflow()
    types = [tf.as_dtype(a.dtype) for a in probe]

    def case(tensors: Any) -> tuple[Any, ...]:
        return tuple(pruned(*tensors))

    def block(*arrays: Any) -> tuple[Any, ...]:
        if way is Way.VECTORIZED:
            return tuple(tf.vectorized_map(case, arrays, fallback_to_while_loop=False))
        signature = tuple(tf.TensorSpec(None, t.dtype) for t in _outputs(pruned, probe))
        return tuple(tf.map_fn(case, arrays, fn_output_signature=signature))

    specs = [tf.TensorSpec((None, *a.shape[1:]), t) for a, t in zip(probe, types, strict=True)]
    signature = None if mode == "xla" else specs
    run: Callable[..., Any] = tf.function(
        block, input_signature=signature, autograph=False, jit_compile=mode == "xla"
    )
    return run


def under_xla(run: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of a block of cases, as it was vectorized, with XLA."""

    def block(*arrays: Any) -> Any:
        return run(*arrays)

    found: Callable[..., Any] = tensorflow().function(block, autograph=False, jit_compile=True)
    return found


def _array(result: Any) -> Array:
    """A tensor as an array; NumPy does not take a single bfloat16 number for one."""
    return np.asarray(result.numpy() if hasattr(result, "numpy") else result)


def _outputs(pruned: Callable[..., Any], probe: Sequence[Array]) -> list[Any]:
    tf = tensorflow()
    with silence():
        return list(pruned(*(tf.constant(a[0]) for a in probe)))


_META = "disable_meta_optimizer"


class _optimizer:  # noqa: N801  (a context manager, read as a word)
    """Switch TensorFlow's graph rewriting off while a "plain" program runs."""

    def __init__(self, mode: str) -> None:
        self._plain = mode == "plain"

    def __enter__(self) -> None:
        if self._plain:
            optimizer = tensorflow().config.optimizer
            self._before = optimizer.get_experimental_options().get(_META, False)
            optimizer.set_experimental_options({_META: True})

    def __exit__(self, *error: object) -> None:
        if self._plain:
            tensorflow().config.optimizer.set_experimental_options({_META: self._before})
