"""The loss of a batch without a sample, as a filter or the last part of a split leaves it."""

from __future__ import annotations

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence
from losscheck.evidence.graph import maker
from losscheck.model import Array, Inputs, Location
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.program.tracing.wiring import wiring


@attrs.frozen(kw_only=True, eq=False)
class EmptyBatch:
    """What the loss makes of no sample at all.

    Attributes
    ----------
    inputs
        Arrays with no row.
    error
        What it raised; None if it ran.
    value
        What it returned; None where it raised.
    made_at
        Where what it returned is made, or where it raised.
    """

    inputs: Inputs
    error: CallError | None = None
    value: Array | None = None
    made_at: Location | None = None


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
