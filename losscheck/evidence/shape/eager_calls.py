"""A few ordinary cases called eagerly: Python that asks whether it is traced shows only there.

The eager mode of a sweep is the graph without TensorFlow's rewriting of it, which runs blocks of
cases; it is traced all the same.
"""

from __future__ import annotations

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence
from losscheck.evidence.precision.disagreement import NEGLIGIBLE, TWO_DIGITS, explained
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.model import Array
from losscheck.program.tracing.trace import CallError, OutputError

CALLS = 3  # each costs a millisecond


@attrs.frozen(kw_only=True, eq=False)
class EagerCalls:
    """Cases of a sweep whose value or gradient is another when they are called eagerly."""

    sweep: Sweep
    value_apart: Array  # indices into the sweep
    gradient_apart: Array


def eager_calls(evidence: Evidence) -> EagerCalls | None:
    """Call the first ordinary cases of a batch; None for a loss that runs only so, or never."""
    sweep = evidence.main_sweep
    if evidence.main.program.eager or "eager" not in evidence.modes_wanted:
        return None
    index = usual(sweep.ranges)
    index = index[sweep.forward_finite[index]][:CALLS]
    apart: tuple[list[int], list[int]] = ([], [])
    for i in index:
        case = sweep.cases.take(np.asarray([i]))
        inputs = {name: np.asarray(array[0], np.float32) for name, array in case.inputs.items()}
        try:
            seen = evidence.programs.runner.run(inputs, "eager")
        except (CallError, OutputError):  # what is traced need not run eagerly
            return None
        value = np.asarray(seen.value, np.float64).sum().reshape(1)
        pairs = [(value, sweep.totals[i].reshape(1), sweep.scale.value)]
        if seen.gradient is not None and sweep.has_gradient:
            gradient = np.asarray(seen.gradient, np.float64).ravel()
            pairs.append((gradient, sweep.flat_gradient[i].astype(float), sweep.scale.gradient))
        for part, (left, right, scale) in enumerate(pairs):
            gap, size = np.abs(left - right).max(), np.fmax(np.abs(left), np.abs(right)).max()
            notable = gap > TWO_DIGITS * size and gap > NEGLIGIBLE * scale
            if notable and gap > explained(evidence.double, case, part)[0]:
                apart[part].append(int(i))
    return EagerCalls(
        sweep=sweep,
        value_apart=np.asarray(apart[0], int),
        gradient_apart=np.asarray(apart[1], int),
    )
