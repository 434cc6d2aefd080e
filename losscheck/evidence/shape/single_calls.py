"""The loss called as training calls it: eagerly on a few cases, and compiled by XLA.

The eager mode of a sweep is the graph without TensorFlow's rewriting of it, which runs blocks of
cases; it is traced all the same.
"""

from __future__ import annotations

import re

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.precision.disagreement import NEGLIGIBLE, TWO_DIGITS, explained
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.model import Array, Inputs, Location
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import CallError, OutputError

# XLA names the operations that it has no kernel for: "PyFunc (No registered 'PyFunc' OpKernel ...".
_UNSUPPORTED = re.compile(r"No registered '(\w+)' OpKernel")
CALLS = 3  # each costs a millisecond


@attrs.frozen(kw_only=True, eq=False)
class XlaCall:
    """An ordinary batch, compiled by XLA with its gradient.

    Attributes
    ----------
    error
        What it raised, where it runs as a graph; None if it compiles.
    op, location
        The operation that XLA does not know, and its line; "" and None where it does not say so.
    """

    error: str | None
    inputs: Inputs
    op: str = ""
    location: Location | None = None


def xla_call(evidence: Evidence) -> XlaCall | None:
    """Compile the loss for a batch; None where XLA is not wanted, or where no graph runs."""
    program = evidence.main.program.graphed
    if "xla" not in evidence.modes_wanted or program is None:
        return None
    index = usual(evidence.main_sweep.ranges)[:1]
    block = evidence.main_sweep.cases.take(index if len(index) else np.arange(1))
    inputs = {name: np.asarray(array[0], np.float32) for name, array in block.inputs.items()}
    # A block that was compiled has said so already.
    if any(run.mode == "xla" and run.graph is evidence.main_sweep for run in evidence.modes):
        return XlaCall(error=None, inputs=inputs)
    try:
        evidence.programs.runner.run(inputs, "xla")
    except OutputError:
        return None
    except CallError as error:
        if not _runs(evidence, inputs):  # it is not XLA that it fails on
            return None
        op, location = _unsupported(str(error.error), evidence.main, program)
        return XlaCall(error=str(error), inputs=inputs, op=op, location=location or error.location)
    return XlaCall(error=None, inputs=inputs)


def _runs(evidence: Evidence, inputs: Inputs) -> bool:
    try:
        evidence.programs.runner.run(inputs, "graph")
    except (CallError, OutputError):
        return False
    return True


def _unsupported(message: str, main: Instance, program: Program) -> tuple[str, Location | None]:
    """Find the operation that XLA names in the graph, and the user's line that made it."""
    types = set(_UNSUPPORTED.findall(message))
    nodes = main.wiring.nodes if main.wiring else ()
    node = next((node for node in nodes if node.type in types), None)
    if node is None:
        return "", None
    return node.type, program.traced.origins.location(node.name)


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
