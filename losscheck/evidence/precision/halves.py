"""The half types: what is NaN or Inf there alone, though the truth fits.

Keras hands a loss float32 even under mixed precision, but a loss inside a layer, or in a training
loop of one's own, meets float16 and bfloat16. One that is finite in float32 may then divide by an
epsilon that has become 0, or add up numbers beyond 65,504.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.stages import short
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import Sweep, sweep
from losscheck.model import Array
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.budget import spend

HALF = ("float16", "bfloat16")
# Cases of a batch, one call each (a millisecond): to vectorize a loss costs as much as 200. Of
# bfloat16, which ends where float32 does, only the short mantissa can show.
CASES = {"float16": 160, "bfloat16": 48}
LARGE_CASES = 24  # of the sizes of a training batch: whether a sum over it overflows
SINGLY = max(CASES.values())  # more cases than that are worth vectorizing


@attrs.frozen(kw_only=True, eq=False)
class HalfSweep:
    """Cases in a half type, beside the same cases in float32 and in float64."""

    half: Sweep
    value_alone: Array  # (N,) bool: the loss is not finite, and is so in float32 and in float64
    gradient_alone: Array  # (N,) bool: the same of the gradient, where the loss is finite
    rerun: Callable[[CaseBlock], HalfSweep]

    def __len__(self) -> int:
        return len(self.half)

    @property
    def cases(self) -> CaseBlock:
        """The inputs."""
        return self.half.cases


def half_sweeps(evidence: Evidence) -> tuple[HalfSweep, ...]:
    """Run a batch in each half type that nobody requires: required ones have sweeps of their own.

    float16 is run at the sizes of a training batch as well; bfloat16 ends where float32 does.
    """
    wanted = [d for d in HALF if d not in evidence.dtypes]
    places = [(evidence.main, dtype, CASES[dtype]) for dtype in wanted]
    if evidence.wide is not None and "float16" in wanted:
        places.append((evidence.wide, "float16", LARGE_CASES))
    found = (_swept(evidence, instance, dtype, count) for instance, dtype, count in places)
    return tuple(half for half in found if half is not None)


def _swept(evidence: Evidence, instance: Instance, dtype: str, count: int) -> HalfSweep | None:
    try:
        program = evidence.programs.at(instance.shapes, dtype).graphed
    except (CallError, OutputError):  # LC502 says so
        return None
    if program is None:  # one call a case
        return None
    spend()  # before cases are drawn that there is no time to run
    block = short(
        evidence.spec.arguments,
        instance.sizes,
        dtype=dtype,
        classes=evidence.classes(instance),
        seed=evidence.case_seed,
        count=count,
    )
    block = block.take(evidence.labels_inside(block))
    try:
        return _beside(evidence, instance, _run(evidence, program, block, dtype))
    except Exception:  # TensorFlow has no kernel of some operation in this dtype
        return None


def _run(evidence: Evidence, program: Program, block: CaseBlock, dtype: str) -> Sweep:
    return sweep(
        lambda cases: (
            program.singly(cases.inputs, "graph")
            if len(cases) <= SINGLY
            else program.run(cases.inputs, "graph")
        ),
        block,
        dtype=dtype,
        mode="graph",
        prediction=program.prediction,
        has_gradient=program.traced.gradient is not None,
        double=evidence.double,
    )


def _beside(evidence: Evidence, instance: Instance, half: Sweep) -> HalfSweep:
    """Look at what is not finite in a half type in float32 and in float64."""
    slopes = ~np.isfinite(half.flat_gradient.astype(np.float32)).all(axis=1)
    bad = {"value": ~half.forward_finite, "gradient": half.forward_finite & slopes}
    alone = {part: np.zeros(len(half), bool) for part in bad}
    for part, found in bad.items():
        index = np.flatnonzero(found)
        if not len(index):
            continue
        block = half.cases.take(index)
        program = instance.program
        few = len(index) <= LARGE_CASES
        single = program.singly(block.inputs) if few else program.run(block.inputs)
        totals, gradient = evidence.double(block)
        numbers = [single.total[:, None], totals[:, None]]
        if part == "gradient":
            numbers += [single.gradient.reshape(len(index), -1), gradient.reshape(len(index), -1)]
        alone[part][index] = np.all([np.isfinite(n).all(axis=1) for n in numbers], axis=0)
    return HalfSweep(
        half=half,
        value_alone=alone["value"],
        gradient_alone=alone["gradient"],
        rerun=lambda others: _beside(evidence, instance, half.rerun(others)),
    )
