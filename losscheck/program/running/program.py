"""Running a traced program for many cases at a time.

By `tf.vectorized_map`, a hundred times as fast as one by one; it cannot vectorise data-dependent
control flow. There cases are stacked along the batch, where samples do not see each other.
"""

from __future__ import annotations

import contextlib
import copy
import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.modes import tried
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.execution import Cut, Run, in_session, vectorized
from losscheck.program.running.noted import noted
from losscheck.program.running.refusals import alike, one_by_one, raised
from losscheck.program.running.runnable import Outcome, Runnable, remembered
from losscheck.program.running.runners import blocks_by_function, by_function
from losscheck.program.running.state import captured
from losscheck.program.running.stateless import drawing
from losscheck.program.running.ways import Runners, Way, compare, in_mode
from losscheck.program.tracing.effort import Effort, effort, sized_in_loops
from losscheck.program.tracing.graphdef import doubled, graph_def
from losscheck.program.tracing.trace import Call, Traced
from losscheck.program.tracing.wiring import Wiring, wiring
from losscheck.settings.budget import spend

Key = tuple[tuple[str, ...], str]  # tensors, and a mode
BLOCK_ELEMENTS = 1 << 19  # elements of all inputs in one block; keeps a 100-op graph below 500 MiB
BLOCK_CASES = 1 << 15
XLA_BLOCK = 1 << 10  # smaller blocks are padded to it: XLA compiles anew for each size
SMALL = 64  # elements of a prediction whose backward pass costs less than a graph without it
FEW = 600  # cases in all that are run one by one before it pays to vectorize them
FEWER = 50  # the same where they are vectorized already, or where one takes long
LOOPS = frozenset({"While", "StatelessWhile"})
SETTLED = 8  # cases that tell, and as many that are rounded: labels
STACKED_CASES = 8 * 2_000  # a loop over a batch takes longer than a kernel
PROBED = 16  # cases that are tried until one does not raise
SINGLE_CASES = 2_000  # what is run one by one in about half a second where calls are slow


class Program(Runnable):
    """A traced loss that can be run for blocks of cases, whole or up to any tensor inside.

    Parameters
    ----------
    call
        How it is called: the names of its arguments and which is the prediction.
    definition
        Its graph, as traced or rewritten to another precision.
    whole_batch
        The same loss for batches of an unknown size, where it can be traced for them.
    alike
        A program of the same operations in float32, where this one is in float64.
    """

    def __init__(
        self,
        traced: Traced,
        call: Call,
        definition: Any = None,
        whole_batch: Callable[[], Program] | None = None,
        alike: Program | None = None,
    ) -> None:
        self.traced: Traced = traced
        self.whole_batch = whole_batch
        self.alike = alike
        self.names = call.names
        self.prediction = call.prediction
        self.definition = definition if definition is not None else graph_def(traced.graph)
        self.rewritten = definition is not None
        self._begin()

    def _begin(self) -> None:
        self._imported: Any = None
        self.__dict__.pop("effort", None)
        self._runners: dict[Any, tuple[Run, Way]] = {}
        self.makers = Runners(self)
        self._cuts: dict[Any, Cut] = {}
        self._singles: dict[Any, Run] = {}
        self._asked: Counter[Any] = Counter()  # cases that were run one by one
        self.refuses = False  # whether a kernel is known to raise on some cases
        self.sound: list[Array] | None = None  # a case on which none does
        self.remembered: dict[Any, Any] = {}  # of program.remembered, and of nobody else
        self._xla_sizes: dict[Key, set[int]] = {}  # of the blocks that were compiled

    def twin(self) -> Program:
        """The same loss in a graph of its own, to which operations may be added."""
        other = copy.copy(self)
        other._begin()
        return other

    @remembered
    def in_float64(self, *, halves: bool = False) -> Program:
        """The same graph in float64; with `halves` what it casts to half types and back, too."""
        other = copy.copy(self)
        other.definition = doubled(self.definition, self.traced.graph, halves=halves)
        other.rewritten, other.whole_batch, other.alike = True, None, self
        other._begin()
        return other

    @functools.cached_property
    def wiring(self) -> Wiring:
        """Its graph as plain data: as it was traced, whatever precision it runs in."""
        return wiring(self.traced, self.names, self.prediction)

    @functools.cached_property
    def effort(self) -> Effort:
        """What one case takes."""
        return effort(self)

    @property
    def graphed(self) -> Program:
        """Itself."""
        return self

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
        if self._imported is None:
            tf = tensorflow()
            self._imported = tf.Graph()
            with silence(), self._imported.as_default():
                tf.graph_util.import_graph_def(self.definition, name="")
        return self._imported

    def run(self, inputs: Inputs, mode: str = "plain") -> Outcome:
        """Value and gradient of every case.

        Parameters
        ----------
        inputs
            (N, *shape) an argument, in any float dtype; they are cast to the program's.
        mode
            "plain": the graph as it is, which is what eager execution computes; "graph": as
            TensorFlow rewrites it in a tf.function, which takes longer to prepare; or "xla".
        """
        return self._outcome(self.fetch(self.whole, inputs, mode))

    def _outcome(self, results: list[Array]) -> Outcome:
        n = len(results[0])
        if self.traced.gradient is not None:
            return Outcome(value=results[0], gradient=results[1])
        shape = (n, *self.shapes[self.prediction])
        return Outcome(value=results[0], gradient=np.zeros(shape, results[0].dtype))

    @property
    def whole(self) -> tuple[str, ...]:
        """The value, and the gradient where there is one."""
        value, gradient = self.traced.value, self.traced.gradient
        return (value.name,) if gradient is None else (value.name, gradient.name)

    def totals(self, inputs: Inputs) -> Array:
        """(N,) the summed loss alone; without the backward pass where that takes long."""
        cheap = self._elements <= SMALL  # and who asks for many values asks for gradients, too
        value = self.fetch(self.whole if cheap else [self.traced.value.name], inputs)[0]
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
        with silence():
            return self.single(tuple(tensors), (*held,))(*(a[0] for a in one))

    def has(self, tensor: str) -> bool:
        """Whether the graph holds a tensor of this name."""
        try:
            self.graph.get_tensor_by_name(tensor)
        except (KeyError, ValueError):
            return False
        return True

    def singly(self, inputs: Inputs, mode: str = "plain") -> Outcome:
        """Value and gradient of every case, one call each."""
        return self._outcome(self._one_by_one(self.whole, self._cast(inputs), mode))

    def fetch(self, tensors: Sequence[str], inputs: Inputs, mode: str = "plain") -> list[Array]:
        """Any tensors of the graph, by name, for every case: (N, *shape) each."""
        spend()
        arrays = self._cast(inputs)
        if not len(arrays[0]):
            one = {name: np.ones((1, *shape)) for name, shape in self.shapes.items()}
            return [array[:0] for array in self.fetch(tensors, one, mode)]
        found = self.makers.given(tensors, arrays)  # what needs no run of every case
        if rest := tuple(name for name in tensors if name not in found):
            found.update(zip(rest, self._computed((rest, mode), arrays), strict=True))
        return [found[name] for name in tensors]

    def _computed(self, key: Key, arrays: list[Array]) -> list[Array]:
        if key not in self._runners and key[1] != "xla":
            self._asked[key] += len(arrays[0])
            if self._asked[key] <= self._few(key[0]):
                return self._one_by_one(key[0], arrays, key[1])
        return self._many(key, arrays)

    def _few(self, tensors: tuple[str, ...]) -> int:
        """How many cases are run one by one before it pays to have blocks of them."""
        return FEWER if self.makers.tried(tensors) or self.loops else FEW

    @functools.cached_property
    def loops(self) -> bool:
        """Whether its graph runs anything again and again."""
        return any(op.type in LOOPS for op in self.graph.get_operations())

    @functools.cached_property
    def fatal_to_xla(self) -> bool:
        """Whether XLA may end the process over it."""
        rounds = self.traced.rounds
        return (self.loops or bool(rounds)) and sized_in_loops(self.definition, rounds)

    @functools.cached_property
    def draws(self) -> bool:
        """Whether random numbers are drawn inside; every run of a program draws the same."""
        inside = (node for f in self.definition.library.function for node in f.node_def)
        return any(drawing(node.op) for node in (*self.definition.node, *inside))

    def _many(self, key: Key, arrays: list[Array]) -> list[Array]:
        if key not in self._runners:
            self._runners[key] = self.makers.make(*key, self._probe(key[0], arrays))
        try:
            return self._in_blocks(key, arrays)
        except Exception:  # a block may fail on numbers, where a single case would not
            if self._runners[key][1] is Way.SINGLY:
                raise
            if self._runners[key][1] is Way.STACKED:  # samples see each other, in any mode
                self.whole_batch = None
        self._runners[key] = self.makers.each(*key), Way.SINGLY
        return self._in_blocks(key, arrays)

    def _probe(self, tensors: tuple[str, ...], arrays: list[Array]) -> list[Array]:
        """A block of one, of the first case on which no kernel raises."""
        for i in range(min(PROBED, len(arrays[0]))):
            with contextlib.suppress(Exception), silence():
                self.single(tensors)(*(a[i] for a in arrays))
                return [a[i : i + 1] for a in arrays]
        return [a[:1] for a in arrays]

    def raises(self, case: Inputs) -> bool:
        """Whether a kernel raises on one case, called by itself."""
        return raised(self.single(self.whole), self._cast(case))

    def _one_by_one(
        self, tensors: tuple[str, ...], arrays: list[Array], mode: str = "plain"
    ) -> list[Array]:
        """The tensors of every case, stacked."""
        run = self.single(tensors, mode=mode)
        with silence():
            return one_by_one(run, zip(*arrays, strict=True), self.refusing, self.sound)

    def refusing(self) -> None:
        """Take note that a kernel raises on some cases."""
        self.refuses = True

    def _in_blocks(self, key: Key, arrays: list[Array]) -> list[Array]:
        (tensors, mode), (run, way) = key, self._runners[key]
        n = len(arrays[0])
        size = n if way is Way.SINGLY else self._block(arrays)
        if mode == "xla" and way is not Way.SINGLY:
            size = self._xla_size(key, n, size)
        parts = [
            self._block_results(run, [a[i : i + size] for a in arrays], size, mode)
            for i in range(0, n, size)
        ]
        return [np.concatenate([part[j] for part in parts]) for j in range(len(tensors))]

    def _xla_size(self, key: Key, n: int, most: int) -> int:
        """The size of blocks under XLA: one that was compiled already, where few cases fit in."""
        sizes = self._xla_sizes.setdefault(key, set())
        wanted = min(most, max(XLA_BLOCK, 1 << (n - 1).bit_length()))
        size = min((s for s in sizes if s >= wanted), default=wanted)
        sizes.add(size)
        return size

    def way(self) -> Way:
        """How many cases are run by one call; as long as few were run, nobody knows better."""
        return next((w for (_, m), (_, w) in self._runners.items() if m != "xla"), Way.VECTORIZED)

    def settle(self) -> Way:
        """Find out how many cases are run by one call, before they are many."""
        key = self.whole, "plain"
        if key not in self._runners:
            rng = np.random.default_rng(0)  # whether samples see each other shows in any numbers
            some = {name: rng.uniform(size=(SETTLED, *s)) for name, s in self.shapes.items()}
            self._many(
                key, self._cast({n: np.concatenate([a, np.round(a)]) for n, a in some.items()})
            )
            if self._runners[key][1] is Way.VECTORIZED:
                self._many(key, self._cast(alike(some, self.prediction)))
        return self._runners[key][1]

    def try_once(self) -> None:
        """Run one case of ones, unvectorised; what raises on any other, too, cannot be run."""
        # As it is: TensorFlow's rewriting of the graph may take the failing operation out.
        tried(self._try, self.shapes)

    def _try(self, inputs: Inputs) -> None:
        arrays = self._cast(inputs)
        self._one_by_one(self.whole, arrays)
        self.sound = [a[0] for a in arrays]

    def captured_values(self) -> dict[str, Array]:
        """What the loss took from outside, by the name of its placeholder in the graph."""
        tf = tensorflow()
        return {
            inner.op.name: np.asarray(outer)
            for outer, inner in self.traced.captures
            if outer.dtype != tf.resource
        }

    def _cast(self, inputs: Inputs) -> list[Array]:
        tensors = [self.graph.get_tensor_by_name(p.name) for p in self.traced.placeholders]
        with np.errstate(over="ignore"):
            return [
                np.asarray(inputs[name]).astype(t.dtype.as_numpy_dtype, copy=False)
                for name, t in zip(self.names, tensors, strict=True)
            ]

    @staticmethod
    def _block(arrays: Sequence[Array]) -> int:
        elements = sum(int(np.prod(a.shape[1:])) for a in arrays)
        return int(min(BLOCK_CASES, max(1, BLOCK_ELEMENTS // max(1, elements))))

    def _block_results(self, run: Run, arrays: list[Array], size: int, mode: str) -> list[Array]:
        spend()
        n = len(arrays[0])
        if mode == "xla" and n < size:  # one compilation serves every block
            arrays = [np.concatenate([a, np.repeat(a[-1:], size - n, axis=0)]) for a in arrays]
        with silence():
            return [result[:n] for result in run(*arrays)]

    def single(
        self, tensors: tuple[str, ...], held: tuple[str, ...] = (), mode: str = "plain"
    ) -> Run:
        """One case up to these tensors, in and out as arrays: the arguments in call order.

        Tensors that are held are arguments, too, behind the others. The mode is "plain" or "graph".
        """
        key = tensors, held, mode
        if key not in self._singles:
            cut = self.cut(tensors, held)
            with silence():  # the first session of a process speaks
                run = (
                    in_mode(cut, mode) if cut.sessions else by_function(cut, plain=mode == "plain")
                )
            self._singles[key] = noted(run, self.names)
        return self._singles[key]

    def cut(self, tensors: tuple[str, ...], held: tuple[str, ...] = ()) -> Cut:
        """One case up to these tensors, to be put into other graphs."""
        if (tensors, held) not in self._cuts:
            self._cuts[tensors, held] = Cut(
                graph=self.graph,
                feeds=(*(p.name for p in self.traced.placeholders), *held),
                tensors=tensors,
                captured=captured(self.graph, self.traced.captures),
            )
        return self._cuts[tensors, held]

    def blocks(
        self, tensors: tuple[str, ...], held: tuple[str, ...], probe: Sequence[Array]
    ) -> Run:
        """A block of cases up to these tensors; `probe` is a block of one.

        Raises
        ------
        Exception
            It cannot be vectorized; each version of TensorFlow says so in its own way.
        """
        cut = self.cut(tensors, held)
        if not cut.sessions:
            return blocks_by_function(cut, "plain", probe)
        run = in_session(vectorized(cut, probe))
        compare(run, self.single(tensors, held), probe)
        return run
