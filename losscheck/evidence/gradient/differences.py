"""Numeric derivatives of a loss by its prediction, small or large, inside its domain."""

from __future__ import annotations

import math

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.large_case import CaseVerdict, check_case, outgrown
from losscheck.model import Array
from losscheck.numerics.ladder import NEAR_EDGE, derivatives
from losscheck.numerics.quotients import Derivatives
from losscheck.numerics.verdict import Comparison
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


def large(evidence: Evidence, instance: Instance) -> bool:
    """Say whether the predictions of an instance are checked case by case."""
    n = math.prod(instance.shapes[instance.prediction])
    return outgrown(n) and evidence.programs.double_graph(instance.shapes) is not None


def compare_cases(
    evidence: Evidence, block: CaseBlock, scale: float | None
) -> tuple[Derivatives, Comparison, tuple[CaseVerdict, ...]]:
    """Check every case of a block by itself.

    Parameters
    ----------
    scale
        The ordinary size of a gradient element; that of each case where it is None.

    Returns
    -------
    tuple
        Derivatives (value and error alone) and comparisons of N·n elements, a case after another,
        and the verdicts that they come from.
    """
    size = block.inputs[evidence.spec.prediction.name][0].size
    low, high = evidence.edges(np.arange(size))
    verdicts = tuple(
        check_case(
            evidence.programs,
            {name: array[i] for name, array in block.inputs.items()},
            low=low,
            high=high,
            seed=evidence.seed + i,
            scale=scale,
        )
        for i in range(len(block))
    )
    value = np.concatenate([v.value for v in verdicts])
    error = np.concatenate([v.error for v in verdicts])
    comparison = Comparison(
        **{
            name: np.concatenate([getattr(v.comparison, name) for v in verdicts])
            for name in ("outcome", "point", "difference", "bound", "digits")
        }
    )
    return _known(value, error), comparison, verdicts


def _known(value: Array, error: Array) -> Derivatives:
    """Derivatives of which nothing else is known."""
    nothing, unsure = np.broadcast_to(np.nan, value.shape), np.broadcast_to(np.inf, value.shape)
    steep = np.broadcast_to(-np.inf, value.shape)
    return Derivatives(
        value=value,
        error=error,
        left=nothing,
        left_error=unsure,
        right=nothing,
        right_error=unsure,
        centre=nothing,
        step_left=nothing,
        step_left_error=unsure,
        step_right=nothing,
        step_right_error=unsure,
        jump=nothing,
        jump_error=unsure,
        left_growth=steep,
        right_growth=steep,
    )
