"""Whether XLA compiles the loss, as Keras 3 has it do on accelerators."""

from __future__ import annotations

import re

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import usual
from losscheck.model import Inputs, Location
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import CallError, OutputError

# XLA names the operations that it has no kernel for: "PyFunc (No registered 'PyFunc' OpKernel ...".
_UNSUPPORTED = re.compile(r"No registered '(\w+)' OpKernel")


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
