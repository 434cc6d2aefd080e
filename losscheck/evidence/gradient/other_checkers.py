"""What others say of the gradient: `tf.test.compute_gradient`, and TensorFlow's forward mode."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.check import GradientCheck
from losscheck.model import Array, Inputs
from losscheck.program.second_opinion import (
    ELEMENTS,
    SecondOpinion,
    compute_gradient,
    forward_slope,
)
from losscheck.settings.budget import is_spent
from losscheck.settings.shapes import parse

ENOUGH = 16  # elements of the case that is asked about: each takes three calls
DIRECTIONS = 1  # cases; each takes a third of a second, most of it TensorFlow finding derivatives
RETRACED = 1e-8  # floors below it are those of a loss that takes float64


@attrs.frozen(kw_only=True)
class Opinions:
    """Second opinions on the gradient of ordinary cases."""

    # The largest difference between the two gradients that `tf.test.compute_gradient` gives.
    compute_gradient_error: float | None = None
    # The largest difference of forward mode from the gradient along a direction, over what it is
    # there or ordinarily; None where forward mode is not available.
    forward_error: float | None = None
    notes: tuple[str, ...] = ()  # why there is no opinion


def second_opinions(evidence: Evidence, checks: Sequence[GradientCheck]) -> Opinions:
    """Ask both about ordinary cases: of the largest batch that takes few calls."""
    if not checks:
        return Opinions()
    if is_spent():
        return Opinions(notes=("no other checker was run: the budget was spent",))
    if evidence.draws:
        return Opinions(
            notes=("no other checker was run: the loss draws other random numbers there",)
        )
    few = [check for check in checks if check.gradient.shape[1] <= ENOUGH]
    asked = max(few or checks[:1], key=lambda check: check.gradient.shape[1])
    loops = evidence.instance_of(asked.cases).loops
    said = _compute_gradient(evidence, one(asked, 0), loops)
    notes = []
    if said.failure:
        notes.append(f"tf.test.compute_gradient failed: {said.failure}")
    elif said.error is None:
        notes.append("tf.test.compute_gradient gave a gradient that is not finite")
    if loops:
        notes.append("forward mode was not asked: the loss loops, which takes it long")
    return Opinions(
        compute_gradient_error=said.error,
        forward_error=None if loops else _forward(evidence, asked),
        notes=tuple(notes),
    )


def one(check: GradientCheck, case: int) -> Inputs:
    """The inputs of one case."""
    return {name: array[case] for name, array in check.cases.inputs.items()}


def dtype(evidence: Evidence, inputs: Inputs) -> str:
    """The dtype that others differentiate in: float64 where the loss takes it."""
    shapes = {name: np.shape(array) for name, array in inputs.items()}
    return "float64" if evidence.programs.floor(shapes) < RETRACED else "float32"


def _compute_gradient(evidence: Evidence, inputs: Inputs, loops: bool) -> SecondOpinion:
    call, kind = evidence.programs.call, dtype(evidence, inputs)
    failed = evidence.programs.compute_gradient
    fewer = _fewer_rows(evidence, inputs)
    if fewer is not None and not failed.said:
        said = compute_gradient(call, fewer, kind, loops=loops)
        if not said.failure:
            return said
    # One row is too large, or the loss takes no other batch: some elements, the rest held.
    return compute_gradient(call, inputs, kind, loops=loops, failed=failed)


def _fewer_rows(evidence: Evidence, inputs: Inputs) -> dict[str, Array] | None:
    """Take as many rows of the batch as have 64 elements; None where not even one fits."""
    prediction = evidence.spec.prediction
    batch, shape = evidence.spec.batch, np.shape(inputs[prediction.name])
    if int(np.prod(shape)) <= ELEMENTS or not batch:
        return None
    rows = ELEMENTS // max(1, int(np.prod(shape[1:])))
    if not rows:
        return None
    return {a.name: _cut(inputs[a.name], a.shape, batch, rows) for a in evidence.spec.arguments}


def _cut(array: Array, shape: str, batch: str, rows: int) -> Array:
    for axis, letter in enumerate(parse(shape).dims):
        if letter == batch:
            array = np.take(array, range(min(rows, array.shape[axis])), axis=axis)
    return array


def _forward(evidence: Evidence, check: GradientCheck) -> float | None:
    rng = np.random.default_rng(evidence.seed)
    errors = []
    for case in range(min(DIRECTIONS, len(check))):
        inputs, gradient = one(check, case), check.gradient[case]
        direction = rng.choice((-1.0, 1.0), gradient.shape) * rng.uniform(0.5, 1.0, gradient.shape)
        slope = forward_slope(evidence.programs.call, inputs, direction, dtype(evidence, inputs))
        if slope is None:
            return None
        expected = float(gradient @ direction)
        errors.append(abs(slope - expected) / max(abs(expected), check.scale))
    return max(errors) if errors and np.isfinite(errors).all() else None
