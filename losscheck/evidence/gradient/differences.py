"""Numeric derivatives of the loss by its prediction, in float64, inside the prediction's domain."""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array
from losscheck.numerics.ladder import NEAR_EDGE, derivatives
from losscheck.numerics.quotients import Derivatives
from losscheck.program.programs import along


def differentiate(evidence: Evidence, instance: Instance, block: CaseBlock) -> Derivatives:
    """Differentiate every case by every coordinate: N·n points, a case after the other."""
    x = np.asarray(block.inputs[evidence.spec.prediction.name], np.float64).reshape(len(block), -1)
    case, coordinate = np.divmod(np.arange(x.size), x.shape[1])
    return at_points(evidence, instance, block, case, coordinate, x.ravel())


def at_points(
    evidence: Evidence,
    instance: Instance,
    block: CaseBlock,
    case: Array,
    coordinate: Array,
    x: Array,
) -> Derivatives:
    """Differentiate chosen cases by chosen coordinates.

    Parameters
    ----------
    case, coordinate, x
        (K,) which cases of the block, which flat coordinates of the prediction, and their values.
    """
    low, high = evidence.edges(coordinate)
    program = evidence.programs.double(instance.shapes)
    evaluate = along(program, block.inputs)
    # A value just outside (a simplex row off by rounding) is differentiated where it is.
    lower, upper = np.fmin(low, x), np.fmax(high, x)
    size = np.max(
        [
            np.abs(a.reshape(len(block), -1).astype(float)).max(axis=1, initial=0.0)
            for a in block.inputs.values()
        ],
        axis=0,
    )
    return derivatives(evaluate, case, coordinate, x, lower, upper, magnitude=size[case])


def at_an_edge(evidence: Evidence, block: CaseBlock) -> Array:
    """(N, *shape) bool: predictions so close to an end of their domain that one side decides."""
    x = np.asarray(block.inputs[evidence.spec.prediction.name], np.float64)
    low, high = evidence.box
    near = NEAR_EDGE * np.fmax(1.0, np.abs(x))  # where the ladder goes inwards alone
    return np.asarray((x - low < near) | (high - x < near))
