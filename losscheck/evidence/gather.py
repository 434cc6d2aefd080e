"""All the evidence about one loss, by name; each piece is gathered once, when first asked for."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck import cases, domains
from losscheck.cases import Search
from losscheck.cases.blocks import CaseBlock
from losscheck.cases.exhaustive import lattice
from losscheck.cases.problem import Problem
from losscheck.evidence.instance import EAGER_CASES as EAGER_CASES
from losscheck.evidence.instance import Instance as Instance
from losscheck.evidence.precision.disagreement import ModeSweep, compared
from losscheck.evidence.search.guided import Guided, guided
from losscheck.evidence.search.sweep import Scale, Scan, Sweep, scan, sweep
from losscheck.faults import Faults
from losscheck.infer import Inferred
from losscheck.infer.spec import Spec, wide_sizes
from losscheck.model import Array
from losscheck.program.inner import rounding
from losscheck.program.programs import Programs, Tracing
from losscheck.program.running.program import SINGLE_CASES, STACKED_CASES, Program
from losscheck.program.running.runnable import Outcome, Runnable
from losscheck.program.running.ways import Way
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.budget import once

NARROW_CASES = 160_000  # cases of one sample: 120,064 half-precision numbers, and the other stages
MAIN_CASES = 24_000  # cases of a whole batch
SCANNED = 1 << 28  # numbers that the cases of a lattice compute at the most
SLOW = 48  # cases of a loss that runs one case a call, however much one takes
SINGLE = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)
Given = Callable[[Instance, str], CaseBlock]
VECTOR_MODES = {"eager": "plain", "xla": "xla"}  # mode -> how a block is run in it


@attrs.frozen(kw_only=True, eq=False)
class Evidence:
    """What is known of one loss.

    Parameters
    ----------
    inferred
        Its spec and programs.
    seed
        Of everything random but cases that are laid out beforehand.
    shared_seed
        Of these, which losses of the same domains and sizes share; None for the same.
    faults
        Where it is kept what of our own failed.
    given
        Gives the cases of an instance in a dtype, where a loss is looked at once more.
    """

    inferred: Inferred
    dtypes: tuple[str, ...]
    _modes_wanted: tuple[str, ...]
    seed: int
    shared_seed: int | None = None
    faults: Faults = attrs.field(factory=Faults)
    given: Given | None = None  # the cases, where they are known: nothing is searched for
    searches: dict[str, Search] = attrs.field(factory=dict, init=False)  # float32, by instance
    guided: dict[str, Guided] = attrs.field(factory=dict, init=False)  # by instance, once swept
    scans: dict[tuple[str, str], Scan] = attrs.field(factory=dict, init=False)  # and by dtype
    swept: list[Sweep] = attrs.field(factory=list, init=False)  # so far
    shortened: list[str] = attrs.field(factory=list, init=False)  # what the budget made less of
    _further: dict[Any, Instance] = attrs.field(factory=dict, init=False)
    _classes: dict[str, int] = attrs.field(factory=dict, init=False)
    raised: dict[str, BaseException] = attrs.field(factory=dict, init=False)  # by what was gathered
    refused: dict[str, list[CaseBlock]] = attrs.field(factory=dict, init=False)  # that raise

    @property
    def spec(self) -> Spec:
        """The arguments and sizes."""
        return self.inferred.spec

    @functools.cached_property
    @once
    def modes_wanted(self) -> tuple[str, ...]:
        """The modes to run in; XLA is none of them where it would end this process."""
        return tuple(m for m in self._modes_wanted if m != "xla" or not self.fatal_to_xla)

    @functools.cached_property
    @once
    def fatal_to_xla(self) -> bool:
        """Whether XLA is wanted, and may end the process over the loss."""
        graphs = (i.program.graphed for i in self.instances)
        return "xla" in self._modes_wanted and any(g is not None and g.fatal_to_xla for g in graphs)

    @property
    def case_seed(self) -> int:
        """The seed of cases that are laid out beforehand."""
        return self.seed if self.shared_seed is None else self.shared_seed

    @property
    def box(self) -> tuple[Array, Array]:
        """The ends of the prediction's domain, which no difference leaves; along the last axis."""
        domain = domains.parse(self.spec.prediction.domain)
        return domain.limits(self.main.shapes[self.spec.prediction.name])

    def edges(self, coordinate: Array) -> tuple[Array, Array]:
        """The same of flat coordinates (K,) of the prediction."""
        low, high = (np.atleast_1d(end) for end in self.box)
        column = coordinate % len(low)
        return low[column], high[column]

    @property
    def programs(self) -> Programs:
        """The programs of the loss."""
        return self.inferred.programs

    @functools.cached_property
    @once
    def instances(self) -> tuple[Instance, ...]:
        """The sizes at which the loss runs: one sample, and a batch."""
        found: list[Instance] = []
        for name, sizes in (("narrow", self.spec.narrow), ("main", self.spec.sizes)):
            shapes = self.spec.shapes(sizes)
            if any(i.shapes == shapes for i in found):
                continue
            try:
                found.append(self._instance(name, sizes))
            except CallError:
                continue
        return tuple(found)

    @functools.cached_property
    @once
    def wide(self) -> Instance | None:
        """The loss at the sizes of a training batch, for its gradient alone; None if it fails."""
        sizes = wide_sizes(self.spec)
        if any(i.shapes == self.spec.shapes(sizes) for i in self.instances):
            return None
        try:
            made = self.instance_at(sizes)
        except (CallError, OutputError):
            return None
        return None if made.program.eager else made

    def _instance(self, name: str, sizes: Mapping[str, int]) -> Instance:
        shapes = self.spec.shapes(sizes)
        program = self.programs.at(shapes)
        graph = None if program.graphed is None else program.graphed.wiring
        return Instance(name=name, sizes=sizes, shapes=shapes, program=program, wiring=graph)

    @property
    def main(self) -> Instance:
        """The instance of a whole batch."""
        return self.instances[-1]

    @property
    def main_sweep(self) -> Sweep:
        """The float32 sweep of the main instance."""
        return self.sweeps[len(self.instances) - 1]

    @property
    def draws(self) -> bool:
        """Whether random numbers are drawn inside the loss."""
        return self.main.program.draws

    @functools.cached_property
    def tracing(self) -> Tracing:
        """How the loss came to be run."""
        return self.programs.tracing(self.main.shapes)

    @functools.cached_property
    @once
    def sweeps(self) -> tuple[Sweep, ...]:
        """Value and gradient of every case, in the graph, in each required dtype."""
        found = [self._sweep(instance, "float32") for instance in self.instances]
        if len(found) > 1:
            # A single sample may be degenerate (the cosine of vectors of length one has no slope):
            # what is ordinary there is at least what is ordinary in a batch.
            found[0] = found[0].with_scale(found[1].scale)
        for dtype in self.dtypes:
            if dtype != "float32":
                for instance in self.instances:
                    with contextlib.suppress(CallError):  # LC502 says so
                        found.append(self._sweep(instance, dtype))
        return tuple(found)

    @functools.cached_property
    @once
    def modes(self) -> tuple[ModeSweep, ...]:
        """The same cases in the other modes, where those run."""
        found: list[ModeSweep] = []
        for instance, graph in zip(self.instances, self.sweeps, strict=False):
            for mode in self.modes_wanted:
                left_out = mode == "xla" and not instance.compiles(last=instance is self.main)
                if mode in VECTOR_MODES and not left_out:
                    found += self._beside(instance.program.graphed, graph, mode)
        return tuple(found)

    def instance_of(self, block: CaseBlock) -> Instance:
        """The instance whose shapes the cases of a block have."""
        shapes = {name: array.shape[1:] for name, array in block.inputs.items()}
        known = (*self.instances, *self._further.values())
        found = next((i for i in known if dict(i.shapes) == shapes), None)
        if found is None:  # which is traced where somebody asks for it
            found = self.wide
        assert found is not None
        return found

    def instance_at(self, sizes: Mapping[str, int]) -> Instance:
        """The loss at other sizes than those that every check looks at.

        Raises
        ------
        CallError
            It does not run at them.
        """
        key = tuple(sorted(sizes.items()))
        if key not in self._further:
            self._further[key] = self._instance("other " + str(key), sizes)
        return self._further[key]

    def budget(self, instance: Instance) -> int:
        """How many cases are run at these sizes, by how fast they run."""
        wanted = (
            NARROW_CASES if instance.name == "narrow" or len(self.instances) == 1 else MAIN_CASES
        )
        way = instance.program.settle()
        if way is Way.EAGERLY:
            return EAGER_CASES
        wanted = min(wanted, instance.affordable)
        if way is not Way.SINGLY:
            return wanted if way is Way.VECTORIZED else min(wanted, STACKED_CASES)
        return min(wanted, max(SLOW, int(SINGLE_CASES * instance.lightness)))

    def double(self, block: CaseBlock) -> tuple[Array, Array]:
        """(totals, gradient) of a block in float64."""
        program = self.programs.double(self.instance_of(block).shapes)
        # As TensorFlow rewrites it: float64 has digits of log1p(x) where it has none of log(1 + x).
        outcome = program.run(block.inputs, "graph")
        return outcome.total, np.asarray(outcome.gradient, np.float64)

    def rounded(self, block: CaseBlock) -> Array:
        """(N,) what the rounding of every number inside, to float32, adds to the value."""
        program = self.programs.double(self.instance_of(block).shapes).graphed
        if program is None:
            return np.zeros(len(block))
        return rounding(program, block.inputs) * SINGLE

    @property
    def total_cases(self) -> int:
        """How many cases were run in float32; none where no rule asked for them."""
        return self.cases_in("float32")

    def cases_in(self, dtype: str) -> int:
        """How many cases were run in a dtype; those of the lattice may be among the others, too."""
        swept = sum(len(s) for s in self.swept if s.dtype == dtype)
        return swept + sum(s.passed for (_, other), s in self.scans.items() if other == dtype)

    def _sweep(self, instance: Instance, dtype: str) -> Sweep:
        block = self.cases(instance, dtype)
        program = self.programs.at(instance.shapes, dtype)
        graphed = program.graphed
        if graphed is not None and self.given is None:
            block = self._extended(instance, graphed, block, dtype)
        outcome = program.run(block.inputs, "graph")
        able = program.runs(block.inputs, outcome)
        if not able.all():
            self.refused.setdefault(dtype, []).append(block.take(~able))
            block, outcome = block.take(able), outcome.take(able)
        found = self.run(program, block, dtype, "graph", outcome)
        self.swept.append(found)
        return found

    def _extended(
        self, instance: Instance, program: Program, block: CaseBlock, dtype: str
    ) -> CaseBlock:
        """Search for further cases; a search that fails itself leaves the others standing."""
        stages = {"the lattice of numbers": lambda: self._scanned(instance, program, dtype)}
        if dtype == "float32":
            stages["the guided search"] = lambda: self._guided(instance, program, block)
        for what, search in stages.items():
            if (found := self.faults.attempt(what, search, None, "sweeps")) is not None:
                block = CaseBlock.concat([block, found]).distinct()
        return block

    def _scanned(self, instance: Instance, program: Program, dtype: str) -> CaseBlock | None:
        """Run a lattice of numbers, and give the cases that are not finite."""
        if program.settle() is not Way.VECTORIZED:
            return None
        problem = Problem.of(self.spec.arguments, instance.shapes, dtype, self.classes(instance))
        points = lattice(problem, self.case_seed)
        if points is None:
            return None
        points = points.thinned(SCANNED // program.effort.numbers)
        found = scan(program, points, self.labels_inside)
        self.scans[instance.name, dtype] = found
        return found.failing

    def _guided(self, instance: Instance, program: Program, block: CaseBlock) -> CaseBlock | None:
        """Search for further cases; what one sample has met needs no batch."""
        assert instance.wiring is not None
        problem = Problem.of(
            self.spec.arguments, instance.shapes, "float32", self.classes(instance)
        )
        done = {h.key for found in self.guided.values() for h in found.hunts if h.settled}
        found = guided(program, instance.wiring, problem, block, self.seed, done)
        self.guided[instance.name] = found
        return found.cases

    def cases(self, instance: Instance, dtype: str) -> CaseBlock:
        """The cases of an instance."""
        if self.given is not None:
            return self.given(instance, dtype)
        found = self.searches.get(instance.name) if dtype == "float32" else None
        if found is None:
            found = cases.search(
                self.spec.arguments,
                instance.sizes,
                dtype=dtype,
                classes=self.classes(instance),
                seed=self.case_seed,
                budget=self.budget(instance),
                data=self.inferred.data,
            )
        block = found.cases
        if dtype == "float32":
            self.searches[instance.name] = found
        inside = self.labels_inside(block)
        return block if inside.all() else block.take(inside)

    def own_rows(self, instance: Instance, sweep: Sweep) -> Array:
        """Indices of the cases of a float32 sweep that are rows of the user's data as they are."""
        search = self.searches.get(instance.name)
        if search is None or search.rows is None:
            return np.zeros(0, np.int64)
        return np.flatnonzero(np.isin(sweep.cases.prints(), search.rows.prints()))

    def labels_inside(self, block: CaseBlock) -> Array:
        """(N,) bool: every class index has a class; one without fails its whole block."""
        inside = np.ones(len(block), bool)
        for argument in self.spec.arguments:
            if domains.names_classes(argument.domain):
                labels = block.inputs[argument.name].reshape(len(block), -1)
                classes = self.classes(self.instance_of(block))
                inside &= ((labels >= 0) & (labels < classes)).all(axis=1)
        return inside

    def classes(self, instance: Instance) -> int:
        """How many classes the loss takes: the width of the prediction, or what its tables hold."""
        most = self.spec.classes(instance.sizes)
        labels = [a.name for a in self.spec.arguments if domains.names_classes(a.domain)]
        if not labels:
            return most
        if instance.name not in self._classes:
            self._classes[instance.name] = instance.classes_taken(labels, most)
        return self._classes[instance.name]

    def _beside(self, program: Program | None, graph: Sweep, mode: str) -> Iterator[ModeSweep]:
        """The cases of a sweep in another mode; nothing where it draws other numbers, or fails."""
        other = None
        if program is None or (mode == "xla" and program.draws):
            return
        with contextlib.suppress(Exception):  # no kernel or no compilation in this mode
            other = self.run(program, graph.cases, graph.dtype, mode)
        if other is not None:
            yield compared(mode, graph, other, self.rounded)

    def run(
        self,
        program: Runnable,
        block: CaseBlock,
        dtype: str,
        mode: str,
        outcome: Outcome | None = None,
        scale: Scale | None = None,
    ) -> Sweep:
        """Run a block of cases through a program, or take what came of it, in one of its modes."""
        way = VECTOR_MODES.get(mode, mode)
        return sweep(
            lambda cases: program.run(cases.inputs, way),
            block,
            dtype=dtype,
            mode="eager" if program.eager else mode,
            prediction=program.prediction,
            has_gradient=program.has_gradient,
            double=self.double,
            scale=scale,
            outcome=outcome,
        )
