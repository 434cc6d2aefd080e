"""The counterexample run alone, as anyone runs it: what shows only in a block is no finding."""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.crowd import Crowd
from losscheck.evidence.gather import Evidence
from losscheck.evidence.second_order import SecondOrderCheck
from losscheck.model import Array, Direction
from losscheck.program.modes import MODES, Single
from losscheck.program.trace import CallError, OutputError

NONFINITE = frozenset({"LC201", "LC202", "LC203", "LC204", "LC505"})


def confirmed(evidence: Evidence, crowd: Crowd, case: CaseBlock) -> bool:
    """Say whether one case, called alone, shows what the rule suspects."""
    if crowd.code in NONFINITE:
        return any(
            _wrong(single, crowd.direction)
            for mode in ("graph", "eager")
            if (single := alone(evidence, case, mode, crowd.dtype)) is not None
        )
    if crowd.code == "LC503" and crowd.form == "nonfinite":
        runs = {mode: alone(evidence, case, mode, crowd.dtype) for mode in MODES}
        wrong = {m: _wrong(s, crowd.direction) for m, s in runs.items() if s is not None}
        return wrong.get(crowd.mode, False) and not all(wrong.values())
    if crowd.code == "LC503":
        runs = {mode: alone(evidence, case, mode, crowd.dtype) for mode in ("graph", crowd.mode)}
        return _apart(runs["graph"], runs[crowd.mode], crowd.form)
    if crowd.form == "nonfinite" and isinstance(crowd.population, SecondOrderCheck):
        slopes, derived = crowd.population.directed(case), crowd.population.derived
        along = [slopes.take(np.asarray([i])) for i in range(len(slopes))]
        return any(
            _wrong(single, crowd.direction)
            for mode in ("graph", "eager")
            for each in along
            if (single := alone(derived, each, mode, crowd.dtype)) is not None
        )
    return True


def alone(evidence: Evidence, case: CaseBlock, mode: str, dtype: str) -> Single | None:
    """Run one case alone in a mode; None where it fails."""
    inputs = {name: _cast(array[0], dtype) for name, array in case.inputs.items()}
    try:
        return evidence.programs.runner.run(inputs, mode)
    except (CallError, OutputError):
        return None


def _cast(array: Array, dtype: str) -> Array:
    if dtype == "bfloat16":
        import ml_dtypes

        return array.astype(ml_dtypes.bfloat16)
    return array.astype(dtype)


def _wrong(single: Single, direction: Direction) -> bool:
    if not np.isfinite(np.asarray(single.value, float)).all():
        return True
    if direction is Direction.FORWARD or single.gradient is None:
        return False
    return not np.isfinite(np.asarray(single.gradient, float)).all()


def _apart(left: Single | None, right: Single | None, form: str) -> bool:
    if left is None or right is None:
        return False
    if form == "value":
        a, b = np.asarray(left.value, float), np.asarray(right.value, float)
    else:
        a, b = np.asarray(left.gradient, float), np.asarray(right.gradient, float)
    size = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool(np.abs(a - b).max(initial=0.0) > 1e-2 * size)
