"""The loss at other shapes: other sizes, unknown sizes, other ranks of labels and weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import numpy as np

from losscheck import domains
from losscheck.evidence.gather import Evidence
from losscheck.evidence.keras.training import kept_away
from losscheck.evidence.shape import broadcasts
from losscheck.evidence.shape.broadcasts import (
    Outer,
    axes_written,
    batch_by_number,
    beside_others,
    rank_promotion,
)
from losscheck.evidence.shape.ordinary import ordinary
from losscheck.infer.spec import BATCH
from losscheck.model import Argument, Array, Inputs, Location
from losscheck.program.programs import Programs, Sizes
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.shapes import parse

BATCHES = (2, 7)  # besides one and that of the main instance: a pair, and a prime
SIZES = (1, 2, 3, BATCH, 7)  # of other letters
FEWER = frozenset({1, BATCH, 7})  # of both, where a loss loops: to trace it takes half a second
TOLERANCE = 1e-4  # relative difference of float32 results that summation order explains


@attrs.frozen(kw_only=True, eq=False)
class LayoutRun:
    """The loss at one layout."""

    form: str  # what is tried, in the words of LC402 and LC401
    changed: str  # the argument whose layout it is, "" for sizes
    shapes: Sizes  # of every argument; None for what is unknown when it is traced
    error: CallError | None = None  # what it raised; None if it ran
    output: str = ""
    # (N, ...) the summed loss here, and where the argument has all axes written out so that nothing
    # is left to broadcasting, or of the rows alone where samples meet; None if unknown.
    value: Array | None = None
    aligned: Array | None = None
    inputs: Mapping[str, Array] = attrs.field(factory=dict)  # the case that differs most
    # Where the graph gives what depends on the argument further axes by itself; None where every
    # axis is written by the user, who then means it.
    broadcast: Location | None = None
    promoted: bool = False
    # (N,) the mean of the losses of the rows, in the layout that is tried.
    rows: Array | None = None
    # What the graph broadcasts in the layout as it is: a constant, or samples against samples.
    constant: Location | None = None
    outer: Outer | None = None
    outer_at: Location | None = None
    # Whether the user, the documentation or the graph says that the loss takes this layout.
    declared: bool = True
    # Whether it does so for all that is known, and no other layout may be what it is made for.
    certain: bool = True
    kept_away: bool = False  # by Keras, or by who declared the shapes
    size: int | None = None  # that is tried

    @property
    def worst(self) -> int:
        """The case that differs most; 0 where nothing is compared."""
        if self.value is None or self.aligned is None:
            return 0
        return int(np.argmax(relative_gap(self.value, self.aligned)))

    @property
    def differs(self) -> bool:
        """Whether the result is another one than with all axes written out, and by no one's will.

        Axes that the user writes out (`w[:, None]`) make another loss of the other layout, too; so
        the graph must have added one by itself, and the loss must not be that of its rows.
        """
        if not self.promoted or not _apart(self.value, self.aligned):
            return False
        return self.rows is None or _apart(self.value, self.rows)

    @property
    def of_rows(self) -> bool:
        """Whether with all axes written out each row counts by itself: then this is right."""
        return self.rows is not None and not _apart(self.aligned, self.rows)


def _apart(left: Array | None, right: Array | None) -> bool:
    if left is None or right is None:
        return False
    return bool((relative_gap(left, right) > TOLERANCE).any())


def relative_gap(left: Array, right: Array) -> Array:
    """(N,) the relative difference of finite results; 0 where one of them is not finite."""
    finite = np.isfinite(left) & np.isfinite(right)
    left, right = np.where(finite, left, 0.0), np.where(finite, right, 0.0)
    return np.asarray(np.abs(left - right) / np.fmax(np.fmax(np.abs(left), np.abs(right)), 1e-30))


def layout_runs(evidence: Evidence) -> tuple[LayoutRun, ...]:
    """Run the loss at every layout that it must or might take."""
    tries = _Tries(evidence)
    runs = [
        run
        for family in (tries.ranks, tries.sizes, tries.unknown_sizes, tries.pair_ranks)
        for run in family()
    ]
    of_batch = [run for run in runs if run.form in ("batch-of-one", "batch-size")]
    if evidence.spec.unfit and any(run.error is not None for run in of_batch):
        return tuple(attrs.evolve(run, certain=False) for run in runs)
    return tuple(runs)


class _Tries:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._spec = evidence.spec
        self._programs: Programs = evidence.programs

    def sizes(self) -> Iterator[LayoutRun]:
        """Batch of one, and other numbers for every letter of a declared shape."""
        sizes = dict(self._spec.sizes)
        batch = self._spec.batch
        tried = FEWER if self._evidence.main.loops else {*BATCHES, *SIZES}
        if batch:
            yield self._size("batch-of-one", {**sizes, batch: 1}, 1)
            for size in BATCHES:
                if size in tried:
                    yield self._size("batch-size", {**sizes, batch: size}, size)
        for letter in self._declared_letters():
            for size in SIZES:
                if letter != batch and size in tried and size != sizes[letter]:
                    yield self._size("size", {**sizes, letter: size}, size)
        yield self._size("as-is", sizes)

    def unknown_sizes(self) -> Iterator[LayoutRun]:
        """A batch size that is unknown while tracing, as the last of fit is; unknown rank."""
        batch = self._spec.batch
        if not batch:
            return
        shapes = {
            a.name: tuple(
                None
                if d == batch
                else self._spec.sizes.get(str(d), d if isinstance(d, int) else None)
                for d in parse(a.shape).dims
            )
            for a in self._spec.arguments
        }
        known = self._spec.shapes(self._spec.sizes)
        as_keras = self._programs.tracing(known).how == "graph"
        for form, tried in (
            ("unknown-batch", shapes),
            ("unknown-rank", dict.fromkeys(known)),
        ):
            error = self._programs.traces(tried)
            if as_keras:
                failed = error if isinstance(error, CallError) else None
                yield LayoutRun(form=form, changed="", shapes=tried, error=failed)

    def ranks(self) -> Iterator[LayoutRun]:
        """Arguments of lower rank than the prediction, beside the same with all axes."""
        prediction = self._spec.prediction
        rank = parse(prediction.shape).rank
        for argument in self._spec.arguments:
            if domains.names_classes(argument.domain):
                yield from self._index_ranks(argument)
                continue
            own = parse(argument.shape)
            if argument.role == "weight" and own.dims[1:] == (1,):
                shapes = self._spec.shapes(self._spec.sizes)
                flat = {**shapes, argument.name: shapes[argument.name][:1]}
                yield self._against(argument, shapes, flat)
            if argument.role == "weight" and argument.origin == "inferred" and own.rank == 1:
                yield from self._weights_in_a_column(argument)
            if argument.role == "y_pred" or not 0 < own.rank < rank:
                continue
            last = [d for d in parse(prediction.shape).dims[own.rank :] if isinstance(d, str)]
            widths = dict.fromkeys((self._spec.sizes[last[-1]], 3, 1, BATCH)) if last else (0,)
            for size in widths:
                sizes = {**self._spec.sizes, **dict.fromkeys(last, size)}
                shapes = self._spec.shapes(sizes)
                written_out = (*own.at(sizes), *(1,) * (rank - own.rank))
                yield self._against(argument, shapes, {**shapes, argument.name: written_out})

    def _weights_in_a_column(self, argument: Argument) -> Iterator[LayoutRun]:
        """Weights (B, 1) where (B,) fits: nobody asked for them, but they are often at hand."""
        shapes = self._spec.shapes(self._spec.sizes)
        column = {**shapes, argument.name: (*shapes[argument.name], 1)}
        if not self._axes_written(shapes, argument.name):
            run = self._against(argument, column, shapes, form="rank", optional=True)
            if run.error is None:
                yield run

    def _index_ranks(self, argument: Argument) -> Iterator[LayoutRun]:
        """Class indices come as (B,) and as (B, 1); both must mean the same."""
        shapes = self._spec.shapes(self._spec.sizes)
        own = shapes[argument.name]
        rank = len(shapes[self._spec.prediction.name])
        if len(own) >= rank and own[-1] != 1:  # an index is one column of several
            return
        other = (*own, 1) if len(own) < rank else own[:-1]
        there = {**shapes, argument.name: other}
        # Who declares one of the two layouts has said which one comes; and what is guessed to be an
        # index, and never taken for one, may as well be a number with a layout of its own.
        optional = argument.origin != "inferred" or not self._indexed(shapes, argument.name)
        vector = self._written_for(shapes, argument.name)
        for tried, beside, needed in ((there, shapes, optional), (shapes, there, False)):
            run = self._against(argument, tried, beside, form="declared-rank", optional=needed)
            if run.error is None:  # to refuse a layout is no silence
                yield attrs.evolve(run, certain=not vector)

    def pair_ranks(self) -> Iterator[LayoutRun]:
        """Labels (B,) against predictions (B, 1) and the reverse: who mixes them should be told."""
        label, prediction = self._spec.named("y_true"), self._spec.prediction
        if label is None or parse(label.shape).dims != parse(prediction.shape).dims:
            return
        dims = parse(prediction.shape).dims
        batch = self._spec.sizes.get(str(dims[0]), BATCH) if dims else BATCH
        if len(dims) != 2 or (dims[1] not in self._spec.sizes and dims[1] != 1):
            return
        column = {
            a.name: parse(a.shape).at({**self._spec.sizes, str(dims[1]): 1})
            for a in self._spec.arguments
        }
        weights = [a for a in self._spec.arguments if a.role == "weight" and a.shape == label.shape]
        for flat in (label, prediction, *weights):
            shapes = {**column, flat.name: (batch,)}
            run = self._against(flat, shapes, column, form="rank", optional=True)
            # To refuse a layout is no silence, whatever the docstring says.
            declared = run.error is None and self._documented(flat, shapes)
            yield attrs.evolve(run, declared=declared, kept_away=kept_away(self._evidence, flat))

    def _documented(self, flat: Argument, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether the docstring gives these ranks to an argument and to what stands beside it."""
        written = {n: parse(text).rank for n, text in self._spec.documented.items()}
        pair = [a.name for a in self._spec.arguments if a.role in ("y_true", "y_pred")]
        return all(written.get(name) == len(shapes[name]) for name in {flat.name, *pair})

    def _declared_letters(self) -> list[str]:
        declared = [a for a in self._spec.arguments if a.origin in ("declared", "known")]
        letters = {letter for a in declared for letter in parse(a.shape).letters}
        rows = [
            a
            for a in self._spec.arguments
            if a.domain in ("simplex", "one_hot") or domains.names_classes(a.domain)
        ]
        classes = {parse(self._spec.prediction.shape).dims[-1]} if rows else set()
        return sorted(letters - {str(c) for c in classes})

    def _size(self, form: str, sizes: Mapping[str, int], size: int | None = None) -> LayoutRun:
        shapes = self._spec.shapes(sizes)
        name = self._spec.prediction.name
        run = LayoutRun(form=form, changed=name, shapes=shapes, size=size)
        try:
            program = self._programs.forward_at(shapes).graphed
        except CallError as error:
            return attrs.evolve(run, error=error)
        except OutputError as error:
            return attrs.evolve(run, output=error.form)
        if program is None:
            return run
        graph = program.wiring
        node = broadcasts.constant_broadcast(graph)
        where = None if node is None else program.traced.origins.location(node)
        label, batch = self._spec.named("y_true"), sizes.get(self._spec.batch, 0)
        outer = (
            beside_others(graph, label.name if label else None, batch) if form == "as-is" else None
        )
        value, inputs = self._value(shapes)
        rows = None if outer is None else self._rows(shapes, self._inputs(shapes))
        if (
            outer is not None
            and rows is not None
            and self._met_before(program, outer, self._inputs(shapes))
        ):
            rows = None  # what no sample says alone
        return attrs.evolve(
            run,
            value=value,
            aligned=rows,
            inputs=inputs,
            constant=where,
            outer=outer,
            outer_at=program.traced.origins.location(outer.node) if outer else None,
        )

    def _against(
        self,
        argument: Argument,
        shapes: dict[str, tuple[int, ...]],
        written_out: dict[str, tuple[int, ...]],
        *,
        form: str = "weights",
        optional: bool = False,
    ) -> LayoutRun:
        """Run a layout beside the one in which every axis is written out."""
        run = LayoutRun(form=form, changed=argument.name, shapes=shapes, declared=not optional)
        reference = self._value(written_out)[0]
        try:
            self._programs.forward_at(shapes)
        except CallError as error:
            return attrs.evolve(run, error=error if reference is not None else None)
        except OutputError as error:
            return attrs.evolve(run, output=error.form)
        data = self._inputs(written_out)
        moved = {n: a.reshape(len(a), *shapes[n]) for n, a in data.items()}
        value = self._sums(shapes, moved)
        promoted, where = self._broadcast(shapes, argument.name)
        rows = self._rows(shapes, moved)
        run = attrs.evolve(run, value=value, aligned=reference, promoted=promoted, rows=rows)
        return attrs.evolve(
            run, broadcast=where, inputs={n: a[run.worst] for n, a in moved.items()}
        )

    def _met_before(self, program: Program, outer: Outer, inputs: Inputs) -> bool:
        """Whether samples meet before an operation, too: a risk is one among those of a batch."""
        node = next(node for node in program.wiring.nodes if node.name == outer.node)
        first = {n: np.roll(a[:, :1], 1, axis=0) for n, a in inputs.items()}  # of another batch
        moved = {n: np.concatenate([first[n], a[:, 1:]], axis=1) for n, a in inputs.items()}
        pairs = zip(*(program.fetch(node.inputs, each) for each in (inputs, moved)), strict=True)
        return any(
            bool((relative_gap(before[:, 1:], after[:, 1:]) > TOLERANCE).any())
            for before, after in pairs
            if before.ndim > 1
        )

    def _axes_written(self, shapes: Sizes, argument: str) -> bool:
        program = self._programs.forward_at(shapes).graphed
        return program is not None and axes_written(program.wiring, argument)

    def _written_for(self, shapes: Sizes, argument: str) -> bool:
        """Whether the loss is written for just these axes of an argument."""
        program = self._programs.forward_at(shapes).graphed
        if program is None:
            return False
        graph, batch = program.wiring, self._spec.sizes.get(self._spec.batch, 0)
        return axes_written(graph, argument) or batch_by_number(graph, argument, batch)

    def _indexed(self, shapes: Sizes, argument: str) -> bool:
        program = self._programs.forward_at(shapes).graphed
        if argument in self._programs.call.integers or program is None:
            return True
        return broadcasts.indexed(program.wiring, argument)

    def _broadcast(self, shapes: Sizes, changed: str) -> tuple[bool, Location | None]:
        program = self._programs.forward_at(shapes).graphed
        if program is None:
            return True, None
        graph = program.wiring
        node = rank_promotion(graph, changed)
        return node is not None, None if node is None else program.traced.origins.location(node)

    def _rows(self, shapes: Mapping[str, tuple[int, ...]], inputs: Inputs) -> Array | None:
        """(N,) the mean of the losses of single rows; None where the arguments share no batch."""
        batch = shapes[self._spec.prediction.name][:1]
        if not batch or any(shape[:1] != batch for shape in shapes.values()):
            return None
        single = {name: (1, *shape[1:]) for name, shape in shapes.items()}
        try:
            parts = [
                self._sums(single, {n: a[:, i : i + 1] for n, a in inputs.items()})
                for i in range(batch[0])
            ]
        except (CallError, OutputError):
            return None
        known = [part for part in parts if part is not None]
        return np.asarray(np.mean(known, axis=0)) if len(known) == batch[0] else None

    def _value(self, shapes: dict[str, tuple[int, ...]]) -> tuple[Array | None, dict[str, Array]]:
        inputs = self._inputs(shapes)
        try:
            return self._sums(shapes, inputs), {n: a[0] for n, a in inputs.items()}
        except (CallError, OutputError):
            return None, {}

    def _sums(self, shapes: Sizes, inputs: Mapping[str, Array]) -> Array | None:
        """(N,) the mean of what the loss returns: comparable whatever shape it has."""
        try:
            value = self._programs.forward_at(shapes).singly(inputs).value
        except CallError:
            raise
        except Exception:  # fails at run time only
            return None
        return np.asarray(np.asarray(value, np.float64).reshape(len(value), -1).mean(axis=1))

    def _inputs(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
        width = shapes[self._spec.prediction.name][-1:] or (2,)
        found = {}
        for i, argument in enumerate(self._spec.arguments):
            shape = shapes[argument.name]
            found[argument.name] = ordinary(argument.domain, shape, i, max(2, width[0]))
        return found
