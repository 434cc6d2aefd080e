"""The loss in other dtypes, twice on the same input, in parts of a batch, and of no sample at all.

The loss of a sample alone does not tell: a batch of one may be computed otherwise, as where
`tf.squeeze` drops its axis.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.graph import maker
from losscheck.model import Array, Inputs, Location, Range
from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.program.tracing.wiring import wiring

DTYPES = ("float32", "float64", "float16", "bfloat16")
REPEATED = 64  # ordinary cases run twice
REPEATED_SINGLY = 8  # the same where each takes a call of its own
ROUNDING = 1e-5  # relative: threads may add float32 numbers in another order
SPLIT = 32  # ordinary batches taken apart
TOLERANCE = 1e-4  # relative difference of float32 results that summation order explains


@attrs.frozen(kw_only=True, eq=False)
class DtypeRun:
    """The loss traced in one dtype; `error` is what it raised."""

    dtype: str
    error: CallError | None
    labels: tuple[str, ...] = ()  # which were of that dtype, where the prediction is not to blame


def dtype_runs(evidence: Evidence) -> tuple[DtypeRun, ...]:
    """Trace and run the loss in every float dtype that a prediction may come in."""
    shapes = evidence.main.shapes
    refused, labels = evidence.inferred.refused, evidence.programs.call.integers
    found = [DtypeRun(dtype="float32", error=refused, labels=labels)] if refused else []
    for dtype in DTYPES:
        error = None
        try:
            evidence.programs.at(shapes, dtype)
        except CallError as raised:
            error = raised
        except OutputError:
            pass
        found.append(DtypeRun(dtype=dtype, error=error))
    return tuple(found)


@attrs.frozen(kw_only=True, eq=False)
class Repeat:
    """The same cases run twice."""

    cases: CaseBlock
    first: Array  # (N,) totals
    second: Array
    random: Location | None  # an operation that draws numbers or keeps state
    random_op: str

    @property
    def differs(self) -> Array:
        """(N,) bool: two runs differ by more than the order of a sum explains."""
        with np.errstate(invalid="ignore"):
            apart = np.abs(self.first - self.second)
        scale = np.fmax(np.abs(self.first), np.abs(self.second))
        return np.asarray(np.isfinite(apart) & (apart > ROUNDING * np.fmax(scale, 1e-30)))


def repeats(evidence: Evidence) -> Repeat:
    """Run ordinary cases twice."""
    instance, sweep = evidence.main, evidence.main_sweep
    wanted = REPEATED_SINGLY if evidence.draws else REPEATED
    block = sweep.cases.take(np.flatnonzero(sweep.ranges == Range.ORDINARY)[:wanted])
    first, second = (_totals(evidence, block) for _ in range(2))
    node = (
        next((n for n in instance.wiring.forward if n.stateful), None) if instance.wiring else None
    )
    location = None
    if node is not None and instance.program.traced is not None:
        location = instance.program.traced.origins.location(node.name)
    return Repeat(
        cases=block,
        first=first,
        second=second,
        random=location,
        random_op="" if node is None else node.type,
    )


def _totals(evidence: Evidence, block: CaseBlock) -> Array:
    """(N,) the loss of every case; as the user calls it where random numbers are drawn."""
    program = evidence.main.program
    if not evidence.draws:  # a program holds them
        return program.run(block.inputs).total
    runner = evidence.programs.runner
    runs = (
        runner.run({n: a[i] for n, a in block.inputs.items()}, "graph") for i in range(len(block))
    )
    return np.asarray([np.asarray(run.value, np.float64).sum() for run in runs])


@attrs.frozen(kw_only=True, eq=False)
class Parts:
    """Whole batches beside their rows."""

    cases: CaseBlock
    whole: Array  # (N, ...) what the loss returns for the batch
    rows: Array  # (N, B) the loss of each row alone, averaged over what it returns
    returns: tuple[int, ...]  # the shape of what the loss returns
    rank: int
    # Whether no sample changes what another one adds, where a batch is not what its rows are.
    independent: bool = False

    @functools.cached_property
    def apart(self) -> Array:
        """(N,) how far a batch is from its rows, over their size: each, or by mean and by sum."""
        n, size = self.rows.shape
        rows = self.rows
        with np.errstate(invalid="ignore"):  # a row alone may be infinite, or all of them 0
            if self.returns and self.returns[0] == size:
                whole = self.whole.reshape(n, size, -1).mean(axis=2)
                gaps = [np.abs(whole - rows).max(axis=1)]
            else:
                whole = self.whole.reshape(n, -1).mean(axis=1)
                gaps = [np.abs(whole - total) for total in (rows.mean(1), rows.sum(1))]
            relative = np.min(gaps, axis=0) / np.fmax(np.abs(rows).max(axis=1), 1e-30)
        return np.asarray(np.where(np.isfinite(relative), relative, 0.0))

    @property
    def coupled(self) -> Array:
        """(N,) bool: further than rounding explains."""
        return np.asarray(self.apart > TOLERANCE * self.rows.shape[1])


def parts(evidence: Evidence) -> Parts | None:
    """Take ordinary batches apart into rows; None where none is finite, or no row runs alone."""
    spec = evidence.spec
    batch = spec.batch
    if (
        not batch
        or spec.crossed
        or evidence.draws  # of fewer samples, other random numbers
        or any(not a.shape.startswith((f"({batch},", f"({batch})")) for a in spec.arguments)
    ):
        return None
    main = evidence.main
    sweep = evidence.main_sweep
    one = spec.shapes({**spec.sizes, batch: 1})
    programs: Programs = evidence.programs
    try:
        single = programs.forward_at(one)
    except (CallError, OutputError):
        return None
    index = np.flatnonzero((sweep.ranges == Range.ORDINARY) & sweep.forward_finite)[:SPLIT]
    if not len(index):
        return None
    block = sweep.cases.take(index)
    size = main.sizes.get(batch, 1)
    rows = []
    for i in range(size):
        inputs = {n: a[:, i : i + 1] for n, a in block.inputs.items()}
        value = np.asarray(single.run(inputs).value, np.float64)
        rows.append(value.reshape(len(block), -1).mean(axis=1))
    whole = np.asarray(main.program.run(block.inputs).value, np.float64)
    prediction = main.shapes[spec.prediction.name]
    found = Parts(
        cases=block,
        whole=whole,
        rows=np.stack(rows, axis=1),
        returns=whole.shape[1:],
        rank=len(prediction),
    )
    if not found.coupled.any():
        return found
    apart = independent(lambda inputs: main.program.run(inputs).value, block.inputs)
    return attrs.evolve(found, independent=apart)


def independent(run: Callable[[Mapping[str, Array]], Array], inputs: Mapping[str, Array]) -> bool:
    """Say whether no sample changes what another one adds to the loss of its batch.

    Parameters
    ----------
    run
        Batches to what the loss returns of each, (N, ...).
    inputs
        (N, B, ...) an argument, of two batches at least.
    """
    pairs = len(next(iter(inputs.values()))) // 2 * 2
    given = {name: array[:pairs] for name, array in inputs.items()}
    size = next(iter(given.values())).shape[1]
    before = _of_samples(run(given), size)
    for sample in range(size) if pairs else ():
        swapped = {name: array.copy() for name, array in given.items()}
        for name, array in given.items():
            swapped[name][0::2, sample] = array[1::2, sample]
            swapped[name][1::2, sample] = array[0::2, sample]
        after = _of_samples(run(swapped), size)
        if after.shape[1] == size > 1:  # a loss a sample: those of the others stay
            moved = np.delete(after - before, sample, axis=1)
        else:
            moved = (after - before)[0::2] + (after - before)[1::2]
        if not (np.abs(moved) <= TOLERANCE * np.abs(before).max()).all():
            return False
    return bool(pairs)


def _of_samples(returned: Array, size: int) -> Array:
    """(N, B) the loss of each sample, or (N, 1) the mean over all that is returned."""
    n = len(returned)
    flat = np.asarray(returned, np.float64).reshape(n, -1)
    if returned.shape[1:2] == (size,):
        return np.asarray(flat.reshape(n, size, -1).mean(axis=2))
    return np.asarray(flat.mean(axis=1, keepdims=True))


@attrs.frozen(kw_only=True, eq=False)
class EmptyBatch:
    """What the loss makes of no sample at all."""

    inputs: Inputs  # arrays with no row
    error: CallError | None = None  # what it raised; None if it ran
    value: Array | None = None  # what it returned; None where it raised
    made_at: Location | None = None  # where what it returned is made, or where it raised


def empty_batch(evidence: Evidence) -> EmptyBatch | None:
    """Run a batch of no sample; None where no argument has a batch, or the loss has no graph."""
    spec = evidence.spec
    if not spec.batch or evidence.main.program.eager:
        return None
    shapes = spec.shapes({**spec.sizes, spec.batch: 0})
    inputs = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    try:
        program = evidence.programs.forward_at(shapes).graphed
    except CallError as error:
        return EmptyBatch(inputs=inputs, error=error, made_at=error.location)
    except OutputError:
        return None
    if program is None:  # it is no graph at this size, and LC402 tells of sizes
        return None
    traced = program.traced
    made, _ = maker(wiring(traced, program.names, program.prediction))
    return EmptyBatch(
        inputs=inputs,
        value=program.singly({name: array[None] for name, array in inputs.items()}).value[0],
        made_at=traced.origins.location(made.name),
    )
