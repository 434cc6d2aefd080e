"""What came of the loss in every dtype and mode, of what the rules have asked for already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from losscheck.evidence.desk import Desk
from losscheck.evidence.precision.disagreement import ModeSweep
from losscheck.evidence.search.sweep import Sweep
from losscheck.evidence.shape.reruns import DTYPES
from losscheck.model import Array, Execution, Range

MODES = ("eager", "graph", "xla")


def executions(desk: Desk) -> tuple[Execution, ...]:
    """Sum up a cell for each dtype and mode; none where no rule asked for other dtypes or modes.

    Numbers are compared with the graph in float32, over its ordinary and working cases.
    """
    if desk.gathered("dtypes") is None and desk.gathered("modes") is None:
        return ()
    found = {(d, m): Execution(dtype=d, mode=m, outcome="not run") for d in DTYPES for m in MODES}
    for told in (*_in_dtypes(desk), *_in_modes(desk)):
        found[told.dtype, told.mode] = told
    return tuple(found.values())


def _in_dtypes(desk: Desk) -> Iterator[Execution]:
    """As a graph in each dtype: later ones say more."""
    for run in desk.gathered("dtypes") or ():
        told = Execution(dtype=run.dtype, mode="graph", outcome="runs")
        raised = run.error is not None
        yield attrs.evolve(told, outcome="raises", reason=str(run.error)) if raised else told
    swept = desk.evidence.swept
    for dtype in dict.fromkeys(sweep.dtype for sweep in swept):
        sweeps = [sweep for sweep in swept if sweep.dtype == dtype]
        count = sum(int((~_finite(each) & _usual(each)).sum()) for each in sweeps)
        outcome = "not finite" if count else "runs"
        yield Execution(
            dtype=dtype,
            mode="graph",
            outcome="reference" if dtype == "float32" else outcome,
            cases=sum(int(_usual(each).sum()) for each in sweeps),
            count=count,
        )
    halves = desk.gathered("halves") or ()
    for dtype in dict.fromkeys(each.half.dtype for each in halves):
        own = [each for each in halves if each.half.dtype == dtype]
        count = sum(int((each.value_alone | each.gradient_alone).sum()) for each in own)
        yield Execution(
            dtype=dtype,
            mode="graph",
            outcome="not finite" if count else "runs",
            cases=sum(map(len, own)),
            count=count,
        )


def _in_modes(desk: Desk) -> Iterator[Execution]:
    """In float32 in the other modes."""
    repeats, eager, xla = (desk.gathered(name) for name in ("repeats", "eager_calls", "xla"))
    random = repeats is not None and bool(repeats.differs.any())  # such a loss differs from itself
    found = {}
    for mode in MODES:
        runs = [each for each in desk.gathered("modes") or () if each.mode == mode]
        if runs:
            found[mode] = _compared(mode, runs, random)
    if eager is not None and not random:  # Python itself was called for a few cases
        apart = len({*eager.value_apart.tolist(), *eager.gradient_apart.tolist()})
        told = found.get("eager", Execution(dtype="float32", mode="eager", outcome="agrees"))
        if apart:
            told = attrs.evolve(told, outcome="differs", count=apart, cases=0)
        found["eager"] = told
    if xla is not None and xla.error is not None:
        reason = str(xla.error)
        found["xla"] = Execution(dtype="float32", mode="xla", outcome="raises", reason=reason)
    elif xla is not None:
        found.setdefault("xla", Execution(dtype="float32", mode="xla", outcome="runs"))
    yield from found.values()


def _compared(mode: str, runs: Sequence[ModeSweep], random: bool) -> Execution:
    """Say whether another mode gives what the graph gives."""
    apart = alone = cases = 0
    for run in runs:
        usual, here, there = _usual(run.graph), _finite(run.graph), _finite(run.other)
        cases += int(usual.sum())
        alone += int((usual & here & ~there).sum())
        apart += int((usual & (run.value_apart | run.gradient_apart | (there & ~here))).sum())
    told = Execution(dtype="float32", mode=mode, outcome="runs", cases=cases)
    if random:
        return told
    if alone:
        return attrs.evolve(told, outcome="not finite", count=alone)
    return attrs.evolve(told, outcome="differs" if apart else "agrees", count=apart)


def _usual(sweep: Sweep) -> Array:
    """(N,) bool: ordinary and working cases."""
    return np.asarray(sweep.ranges <= Range.WORKING)


def _finite(sweep: Sweep) -> Array:
    """(N,) bool: value and gradient are finite."""
    slopes = sweep.flat_gradient
    if slopes.dtype.kind not in "f":  # bfloat16 is no number that NumPy knows
        slopes = slopes.astype(np.float32)
    return np.asarray(sweep.forward_finite & np.isfinite(slopes).all(axis=1))
