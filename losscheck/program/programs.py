"""Every program of one loss, traced once a shape and dtype and shared by all who ask."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.modes import EagerProgram, Runner, tried
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import Runnable
from losscheck.program.second_opinion import Failed
from losscheck.program.tracing.graphdef import doubled, keeps_float64
from losscheck.program.tracing.retyped import retyped
from losscheck.program.tracing.trace import (
    OF_SIZES,
    Call,
    CallError,
    OutputError,
    Traced,
    needs_autograph,
    trace,
)

Sizes = Mapping[str, tuple[int | None, ...] | None]  # argument -> shape; None: unknown

# Relative error that a program in more digits may still have: constants in a retraced program are
# exact to float64, those of a rewritten graph were rounded to float32 (half an ulp, 2^-24 each).
FLOOR_RETRACED = 1e-9
FLOOR_REWRITTEN = 2.0**-22
MOST_ELEMENTS = 1 << 30  # of a tensor inside, 4 GB of float32


@attrs.frozen(kw_only=True, eq=False)
class Tracing:
    """How the loss came to be run: traced as Keras does, by AutoGraph, or not at all."""

    how: str  # "graph", "autograph" or "eager"
    error: CallError | None = None  # what tracing as Keras does raised


class Programs:
    """The programs of one loss."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.runner = Runner(call)
        self._programs: dict[Any, Runnable] = {}
        self._tracing: dict[Any, Tracing] = {}
        self._traced: dict[Any, Traced] = {}  # for sizes that are unknown
        self.compute_gradient = Failed()
        self._hard_cast = False  # it casts to float32, as it did at other sizes
        self._unlike: set[str] = set()  # dtypes in which the loss does something else

    def at(self, shapes: Sizes, dtype: str = "float32") -> Runnable:
        """The loss for arguments of these shapes, traced in `dtype`.

        Raises
        ------
        CallError
            It raises in every way of running it.
        OutputError
            It returns no tensor of numbers.
        """
        key = _key(shapes, dtype)
        if key not in self._programs:
            self._programs[key], self._tracing[key] = self._make(shapes, dtype)
        return self._programs[key]

    def forward_at(self, shapes: Sizes, *, once: bool = False) -> Runnable:
        """The loss in float32 without its gradient, where nobody has asked for that yet.

        With `once`, sizes that do not fit are not tried in another way.

        Raises
        ------
        CallError, OutputError
            As `at` does.
        """
        whole = _key(shapes, "float32")
        key = (*whole, "forward")
        if whole in self._programs:
            return self._programs[whole]
        if key not in self._programs:
            self._programs[key], self._tracing[key] = self._make(
                shapes, "float32", forward=True, once=once
            )
        return self._programs[key]

    def tracing(self, shapes: Sizes, dtype: str = "float32") -> Tracing:
        """How `at` came to run the loss."""
        self.at(shapes, dtype)
        return self._tracing[_key(shapes, dtype)]

    def double(self, shapes: Sizes) -> Runnable:
        """The loss in float64: retraced where it takes float64 all the way, else rewritten."""
        key = (*_key(shapes, "float32"), "double")
        if key not in self._programs:
            self._programs[key] = self._double(shapes)
        return self._programs[key]

    def double_graph(self, shapes: Sizes) -> Program | None:
        """The graph of `double`, of which any tensor can be had; None where it runs without one."""
        return self.double(shapes).graphed

    def floor(self, shapes: Sizes) -> float:
        """The relative error that `double` may have by its constants."""
        program = self.double(shapes)
        full = self.has_double(shapes) and not program.rewritten
        return FLOOR_RETRACED if full else FLOOR_REWRITTEN

    def has_double(self, shapes: Sizes) -> bool:
        """Say whether `double` has float64's digits: a loss that runs Python may not."""
        program = self.double(shapes)
        if not program.eager:
            return program is not self.at(shapes)
        ones = {name: np.ones((1, *_known(shape))) for name, shape in shapes.items()}
        return program.run(ones).value.dtype == np.float64

    def traces(self, shapes: Sizes) -> CallError | OutputError | None:
        """Trace as Keras does for these shapes, unknown sizes allowed; say what it raised."""
        try:
            self._unsized(shapes, "float32", forward=True)
        except (CallError, OutputError) as error:
            return error
        return None

    def _make(
        self, shapes: Sizes, dtype: str, *, forward: bool = False, once: bool = False
    ) -> tuple[Runnable, Tracing]:
        signature = self._signature(shapes, dtype)
        single = None if forward else self._single(shapes)
        try:
            same = None if single is None else self._retyped(shapes, dtype, single.traced)
            program = Program(
                same or trace(self.call, signature, forward=forward, once=once),
                self.call,
                whole_batch=self._whole_batch(shapes, dtype, forward),
                alike=single if same is not None and dtype == "float64" else None,
            )
            return self._usable(program), Tracing(how="graph")
        except CallError as error:
            first = error
        of_size = once and isinstance(first.error, OF_SIZES)
        if first.refused or of_size or isinstance(first.error, MemoryError):
            raise first from first.error
        # What is traced in float32 has no Python that AutoGraph could mend: the dtype is to blame.
        if needs_autograph(first) and (single is None or single.traced.autograph):
            try:
                traced = trace(self.call, signature, autograph=True, forward=forward)
                return self._usable(Program(traced, self.call)), Tracing(
                    how="autograph", error=first
                )
            except CallError:
                pass
        eager = EagerProgram(self.call, dtype)
        self._eager_or(first, eager, shapes, dtype)
        return eager, Tracing(how="eager", error=first)

    def _single(self, shapes: Sizes) -> Program | None:
        """The float32 graph for these shapes, where there is one."""
        program = self._programs.get(_key(shapes, "float32"))
        return None if program is None else program.graphed

    def _retyped(self, shapes: Sizes, dtype: str, single: Traced | None) -> Traced | None:
        """The loss in another dtype by its float32 trace, where there is one that serves."""
        if dtype in {"float32", *self._unlike} or single is None:
            return None
        found = retyped(single, self.call, self._signature(shapes, dtype), dtype)
        if found is None:
            self._unlike.add(dtype)
        return found

    def _usable(self, program: Program) -> Program:
        shapes = [shape for node in program.wiring.nodes for shape in node.shapes if shape]
        largest = max((math.prod(size or 1 for size in shape) for shape in shapes), default=0)
        if largest > MOST_ELEMENTS:  # TensorFlow waits for memory, again and again
            raise CallError(MemoryError(f"a tensor would have {largest:,} elements"), None)
        # A graph may trace and still fail when it runs: sizes that do not fit are found only then.
        try:
            program.try_once()
        except Exception as error:
            raise CallError(error, None) from error
        return program

    def _eager_or(self, first: CallError, program: EagerProgram, shapes: Sizes, dtype: str) -> None:
        """Raise what tracing raised where running eagerly fails too; eagerly the line is known."""
        try:
            tried(program.run, {name: _known(shape) for name, shape in shapes.items()})
        except OutputError:  # numbers of NumPy, say: what kept it from being traced says more
            raise first from first.error
        except CallError as error:
            raised = error if first.location is None else first
            raise raised from raised.error

    def _double(self, shapes: Sizes) -> Runnable:
        single = self.at(shapes)
        retraced = self._retraced(shapes)
        if retraced is not None:
            return retraced
        graphed = single.graphed
        if graphed is None:
            return single
        definition = doubled(graphed.definition, graphed.traced.graph)
        batch = self._whole_batch(shapes, rewritten=True)
        try:
            return self._usable(Program(graphed.traced, self.call, definition, batch, graphed))
        except CallError:  # Python inside, which gives float32 whatever it is given
            return single

    def _whole_batch(
        self, shapes: Sizes, dtype: str = "float32", forward: bool = False, rewritten: bool = False
    ) -> Callable[[], Program] | None:
        """The loss for batches of an unknown size, traced when it is asked for."""
        if not all(shapes.values()):  # no axis, or none that is known
            return None

        def make() -> Program:
            free = {name: (None, *shape[1:]) for name, shape in shapes.items() if shape}
            program = Program(self._unsized(free, dtype, forward), self.call)
            if not rewritten:
                return program
            wide = doubled(program.definition, program.traced.graph)
            return Program(program.traced, self.call, wide)

        return make

    def _unsized(self, shapes: Sizes, dtype: str, forward: bool) -> Traced:
        """The loss for sizes of which some are unknown, once; with its gradient it serves both."""
        key = _key(shapes, dtype)
        found = self._traced.get((key, False)) or self._traced.get((key, forward))
        if found is None:
            single = self._traced.get((_key(shapes, "float32"), False))
            found = (None if forward else self._retyped(shapes, dtype, single)) or trace(
                self.call, self._signature(shapes, dtype), forward=forward
            )
            self._traced[key, forward] = found
        return found

    def _retraced(self, shapes: Sizes) -> Runnable | None:
        if self._hard_cast:
            return None
        try:
            program = self.at(shapes, "float64")
        except (CallError, OutputError):
            return None
        if program.traced is None:
            # Rewriting the float32 graph is better than one call a case, where there is a graph.
            return program if self.at(shapes).traced is None else None
        if program.draws:  # other numbers than in float32
            return None
        traced = program.traced
        self._hard_cast = not keeps_float64(traced.graph, traced.placeholders, traced.value)
        return None if self._hard_cast else program

    def _signature(self, shapes: Sizes, dtype: str) -> dict[str, Any]:
        return {name: (shapes[name], dtype) for name in self.call.names}


def _key(shapes: Sizes, dtype: str) -> tuple[Any, ...]:
    return (tuple(sorted(shapes.items())), dtype)


def _known(shape: tuple[int | None, ...] | None) -> tuple[int, ...]:
    return tuple(1 if size is None else size for size in shape or ())


Evaluate = Callable[[Array, Array, Array], Array]


def along(program: Runnable, inputs: Inputs) -> Evaluate:
    """Give the summed loss as a function of one flat coordinate of the prediction.

    Returns
    -------
    Callable
        evaluate(case (M,), coordinate (M,), value (M,)) -> (M,) float64: the loss of base case
        `case` with that coordinate replaced.
    """
    base = {name: np.asarray(array, np.float64) for name, array in inputs.items()}
    flat = base[program.prediction].reshape(len(base[program.prediction]), -1)
    shape = base[program.prediction].shape[1:]

    def part(case: Array, coordinate: Array, value: Array) -> Array:
        moved = flat[case]
        moved[np.arange(len(case)), coordinate] = value
        return program.totals(
            {n: a[case] for n, a in base.items()}
            | {program.prediction: moved.reshape(len(case), *shape)}
        )

    def evaluate(case: Array, coordinate: Array, value: Array) -> Array:
        rows = max(1, COPIED // flat.shape[1])
        pieces = [slice(i, i + rows) for i in range(0, max(1, len(case)), rows)]
        return np.concatenate([part(case[p], coordinate[p], value[p]) for p in pieces])

    return evaluate


COPIED = 1 << 23
"""Numbers of the prediction that are copied at a time: 64 MiB."""
