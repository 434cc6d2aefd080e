"""How many cases are run by one call: the runners of blocks, the fastest that a graph allows."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.blockwise import BRANCHES
from losscheck.program.running.execution import (
    Cut,
    Run,
    executed,
    in_session,
    vectorized,
    widened,
)
from losscheck.program.running.refusals import one_by_one
from losscheck.program.running.runners import Stack, agree, blocks_by_function, called, under_xla

if TYPE_CHECKING:
    from losscheck.program.running.program import Program

Tensors = tuple[str, ...]  # names
SIZES = (4, 16)  # of batches that are compared
OTHERS = 2  # cases beside the first that are run in a block and by themselves
ROUNDINGS = 64  # of 1, that may be all there is of a number
SINGLE = np.dtype(np.float32)
GROWTH = 1.5  # of the operations executed, from the smaller to the larger


class Way(enum.StrEnum):
    """How many cases are run by one call."""

    VECTORIZED = "vectorized_map"
    STACKED = "stacking them along the batch"
    SINGLY = "one call each"
    EAGERLY = "one eager call each"


def in_mode(cut: Cut, mode: str) -> Run:
    """What a session can run, in a mode of `Program.run`."""
    if mode == "xla":
        return under_xla(cut)
    return in_session(called(cut) if mode == "graph" else cut)


class Runners:
    """Makes what runs blocks of cases of a program.

    Parameters
    ----------
    program
        The program; its graph is vectorized where TensorFlow can do so.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._blocks: dict[Tensors, Cut | None] = {}  # vectorized; None where they cannot be
        self._compared: list[set[str]] = []  # tensors of which a block gives what each case does
        self._batch: Program | None = None  # the same loss for a batch of any size
        self._moving: tuple[int, set[str]] = (-1, set())  # `moving`, by the version of the graph

    def given(self, tensors: Sequence[str], arrays: list[Array]) -> dict[str, Array]:
        """Those that need no run of every case: the arguments, and what no argument leads to."""
        program = self._program
        inside = [name for name in tensors if name not in program.whole]
        if not inside:
            return {}
        if self._moving[0] != program.graph.version:
            self._moving = program.graph.version, moving(program)
        fixed = tuple(name for name in inside if name.split(":")[0] not in self._moving[1])
        found = dict(zip((p.name for p in program.traced.placeholders), arrays, strict=True))
        with silence():
            once = program.single(fixed)(*(a[0] for a in arrays)) if fixed else []
        for name, array in zip(fixed, once, strict=True):
            found[name] = np.repeat(np.asarray(array)[None], len(arrays[0]), axis=0)
        return found

    def tried(self, tensors: Tensors) -> bool:
        """Whether it is known if these tensors can be vectorized."""
        return tensors in self._blocks or self.known(tensors) is not None

    def make(self, tensors: Tensors, mode: str, probe: list[Array]) -> tuple[Run, Way]:
        """Up to these tensors in a mode of `Program.run`; `probe` is a block of one."""
        with silence():
            try:
                if self._blocks.get(tensors, ()) is not None:
                    return self._vectorized(tensors, mode, probe), Way.VECTORIZED
            except Exception:  # whatever it cannot take, and each version of it says otherwise
                if mode != "xla":
                    self._blocks[tensors] = None
            try:
                if (stack := self._stack(tensors, mode)) is not None:
                    return stack, Way.STACKED
            except Exception:  # sizes that only a known batch has
                self._program.whole_batch = None
        return self.each(tensors, mode), Way.SINGLY

    def _vectorized(self, tensors: Tensors, mode: str, probe: list[Array]) -> Run:
        cut = self._program.cut(tensors)
        if not cut.sessions:
            run = blocks_by_function(cut, mode, probe)
            self._compare(tensors, run, mode, probe)
            return run
        block = self.known(tensors)
        if block is None:  # once; how it is executed is settled call by call
            self._vectorize(tensors, mode, probe)
            block = self.known(tensors)
        assert block is not None
        if not any(others.issuperset(tensors) for others in self._compared):
            self._compare(tensors, in_session(block), mode, probe)
        return in_mode(block, mode)

    def known(self, tensors: Tensors) -> Cut | None:
        """A block up to these tensors, out of one that has them among others."""
        for known, block in self._blocks.items():
            if block is not None and set(tensors) <= set(known):
                places = dict(zip(known, block.tensors, strict=True))
                return attrs.evolve(block, tensors=tuple(places[name] for name in tensors))
        return None

    def _vectorize(self, tensors: Tensors, mode: str, probe: list[Array]) -> None:
        """Vectorize up to these tensors; value and gradient, which are wanted sooner or later, too.

        To vectorize takes as long as to trace, and a second time what both share. The numbers that
        lead there cost nothing more.
        """
        program = self._program
        whole = tuple(dict.fromkeys((*tensors, *program.whole)))
        for sought, further in ((whole, _inside(program, whole)), (tensors, [])):
            wanted = tuple(dict.fromkeys((*sought, *further)))
            try:
                block = self._widened(wanted) or vectorized(program.cut(wanted), probe)
                part = attrs.evolve(block, tensors=block.tensors[: len(sought)])
                self._compare(sought, in_session(part), mode, probe)
            except Exception:  # a gradient that cannot be vectorized keeps no other tensor from it
                if sought == tensors:
                    raise
                continue
            self._blocks[wanted] = block
            return

    def _widened(self, tensors: Tensors) -> Cut | None:
        """The block of the same operations in float32, in float64: a fifth of the time."""
        alike = self._program.alike
        block = None if alike is None else alike.makers.known(tensors)
        return None if block is None else widened(block, self._program.definition)

    def _stack(self, tensors: Tensors, mode: str) -> Run | None:
        """A block of cases as one batch, where each argument and the loss have an axis of samples.

        Whether samples see each other shows when they are run.
        """
        program = self._program
        wanted = [tensors == program.whole[:count] for count in range(len(program.whole) + 1)]
        shapes = (*program.shapes.values(), tuple(program.traced.value.shape))
        sizes = {shape[:1] for shape in shapes}
        if program.whole_batch is None or True not in wanted or len(sizes) > 1 or sizes == {()}:
            return None
        if self._batch is None:
            batch = program.whole_batch()
            whole = batch.cut(batch.whole)
            if not whole.sessions or (batch.loops and _grows(whole, program)):
                program.whole_batch = None
                return None
            self._batch = batch
        cut = self._batch.cut(self._batch.whole[: wanted.index(True)])
        # XLA may have NaN where others do not; other modes have run, and tried, the stack before.
        single = None if mode == "xla" else program.single(tensors, mode=mode)
        return Stack(in_mode(cut, mode), single)

    def each(self, tensors: Tensors, mode: str) -> Run:
        """A block of cases, one call each."""
        cut = self._program.cut(tensors)
        run = under_xla(cut) if mode == "xla" else self._program.single(tensors, mode=mode)

        def block(*arrays: Array) -> list[Array]:
            return one_by_one(
                run, zip(*arrays, strict=True), self._program.refusing, self._program.sound
            )

        return block

    def _compare(self, tensors: Tensors, run: Run, mode: str, probe: list[Array]) -> None:
        """Raise where cases in a block give something else than each by itself."""
        if mode == "xla":  # which may have NaN where others do not
            run(*probe)
        else:
            compare(run, self._program.single(tensors), probe)
        self._compared.append(set(tensors))


def compare(run: Run, single: Run, probe: Sequence[Array]) -> None:
    """Raise where cases in a block give something else than each by itself.

    A block of one shows no case that is taken for another, as by an axis that is counted from
    behind. Hence some numbers beside the probe.

    Parameters
    ----------
    run, single
        A block of cases, and one case.
    probe
        A block of one.
    """
    rng = np.random.default_rng(0)
    others = [rng.uniform(size=(OTHERS, *a.shape[1:])).astype(a.dtype) for a in probe]
    try:
        alone = [single(*(a[i] for a in others)) for i in range(OTHERS)]
    except Exception:  # numbers that the loss does not take, such as a matrix with no root
        others, alone = [a[:0] for a in others], []
    alone = [single(*(a[0] for a in probe)), *alone]
    results = run(*(np.concatenate([a, b]) for a, b in zip(probe, others, strict=True)))
    for block, singles in zip(results, zip(*alone, strict=True), strict=True):
        if not _close(np.asarray(block[: len(alone)]), np.stack(singles)):
            raise ValueError("a block of cases gives something else than each by itself")


def _close(block: Array, singles: Array) -> bool:
    """Say whether a tensor has the same numbers for a block, up to how a kernel may round.

    They are made of numbers up to 1: what is smaller than some roundings of 1 may be nothing else.
    """
    if block.dtype.itemsize < SINGLE.itemsize or block.dtype.kind not in "fc":
        return agree([block], [singles])
    epsilon = float(np.finfo(block.dtype).eps)
    largest = np.abs(singles[np.isfinite(singles)]).max(initial=0.0)
    room = np.sqrt(epsilon) * largest + ROUNDINGS * epsilon
    return block.shape == singles.shape and np.allclose(
        block, singles, rtol=0.0, atol=room, equal_nan=True
    )


def _inside(program: Program, tensors: Tensors) -> list[str]:
    """The numbers that come of the arguments and lead to these tensors."""
    tf, graph = tensorflow(), program.graph
    leading: set[str] = set()
    stack = [graph.get_tensor_by_name(name).op for name in tensors]
    while stack:
        if (op := stack.pop()).name not in leading:
            leading.add(op.name)
            stack.extend(tensor.op for tensor in op.inputs)
    coming = moving(program)
    found = []
    for op in graph.get_operations():
        if op.name in leading and op.name in coming and op.inputs:
            if op.type in BRANCHES:  # of which a block has no more than what leads on
                continue
            numbers = [t for t in op.outputs if t.dtype not in (tf.resource, tf.variant, tf.string)]
            found += [tensor.name for tensor in numbers]
    return found


def moving(program: Program) -> set[str]:
    """Names of the operations that the arguments lead to, or that differ from run to run."""
    found = {place.op.name for place in program.traced.placeholders}
    for op in program.graph.get_operations():  # in order: inputs come before their users
        resource = op.type == "Placeholder" and op.outputs[0].dtype == tensorflow().resource
        led = any(tensor.op.name in found for tensor in op.inputs)
        if op.op_def.is_stateful or resource or led:
            found.add(op.name)
    return found


def _grows(cut: Cut, program: Program) -> bool:
    """Whether a loop goes over the samples: a batch of many takes no less time than each alone."""
    shapes = [program.shapes[name][1:] for name in program.names]
    few, many = (executed(cut, [np.ones((n, *shape)) for shape in shapes]) for n in SIZES)
    return many > GROWTH * few
