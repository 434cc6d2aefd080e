"""Random compositions of TensorFlow functions, driven through the whole gradient verdict.

TensorFlow's own gradient must never be called wrong, and one that is out by a thousandth in one
coordinate must be. What counts as planted: the coordinate's gradient is at least a hundredth of the
ordinary one and of the largest of its own sample, and the fault moves the loss, over the widest
step, by ten times the rounding of it. Inconclusive counts as not found.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.check import check
from losscheck.evidence.gradient.second_look import second_look
from losscheck.evidence.search.sweep import measure
from losscheck.model import Array, Range
from losscheck.numerics.verdict import RETRACED_FLOOR, Agreement
from losscheck.program import exact
from losscheck.program.inner import rounding
from tests.numerics.compositions import WIDTH, Expression, build, reaches_prediction, reals
from tests.numerics.direct import Direct, evidence_of

CASES = 32  # ordinary ones of a composition, and as many working ones; each has three coordinates
FAULT = 1e-3
WRONG = (Agreement.MISMATCH, Agreement.OUTSIDE)


class Planted(Direct):
    """Evidence of a gradient that is out by a thousandth in the first coordinate."""

    def double(self, block: CaseBlock) -> tuple[Array, Array]:
        totals, gradient = super().double(block)
        return totals, gradient * np.array([1 + FAULT, 1, 1])


@attrs.define
class Tally:
    compositions: set[Expression] = attrs.field(factory=set)
    points: int = 0
    decided: int = 0
    mistaken: list[Any] = attrs.field(factory=list)  # gradients of TensorFlow that are wrong indeed
    planted: int = 0
    found: int = 0


def block_of(seed: int) -> CaseBlock:
    rng = np.random.default_rng(seed)
    shape = (2, CASES, 1, WIDTH)
    ordinary = rng.uniform(-3, 3, shape)
    size = np.exp(rng.uniform(np.log(1e-6), np.log(1e4), shape))
    working = size * rng.choice((-1.0, 1.0), shape)
    y_true, y_pred = np.concatenate([ordinary, working], axis=1).astype(np.float32)
    ranges = np.repeat(np.array([Range.ORDINARY, Range.WORKING], np.uint8), CASES)
    return CaseBlock({"y_true": y_true, "y_pred": y_pred}, ranges)


def outcomes(evidence: Evidence, block: CaseBlock, scale: float) -> Array:
    """(N, 3) `Agreement`."""
    instance = evidence.instances[0]
    checked = check(evidence, instance, block, scale)
    last = second_look(evidence, instance, block, checked.gradient, checked.comparison, scale)
    return last.outcome.reshape(checked.gradient.shape)


def mistaken(evidence: Evidence, block: CaseBlock, case: int, coordinate: int) -> bool:
    """Whether the gradient's own formula gives another number in exact arithmetic."""
    program: Any = evidence.programs.double(evidence.instances[0].shapes)
    feeds = {
        placeholder.op.name: np.asarray(block.inputs[name][case], np.float64)
        for name, placeholder in zip(program.names, program.traced.placeholders, strict=True)
    }
    try:
        truth = float(exact.evaluate([program.traced.gradient], feeds).values[0][0, coordinate])
    except exact.Unknown:
        return False
    given_ = float(evidence.double(block.take(slice(case, case + 1)))[1][0, 0, coordinate])
    return not abs(given_ - truth) <= RETRACED_FLOOR * abs(truth)


def visible(evidence: Evidence, block: CaseBlock, gradient: Array, totals: Array, scale: float):
    """Where a fault in the first coordinate counts as planted (see above)."""
    program: Any = evidence.programs.double(evidence.instances[0].shapes)
    size = np.abs(gradient[:, 0])
    inside = np.nan_to_num(rounding(program, block.inputs))
    noise = np.fmax(4 * np.finfo(float).eps * np.abs(totals), inside)
    widest = np.fmax(1.0, np.abs(block.inputs["y_pred"][:, 0, 0])) / 8
    notable = size >= 1e-2 * np.fmax(scale, np.abs(gradient).max(axis=1))
    return notable & (FAULT * size * widest >= 10 * noise)


def examine(expression: Expression, seed: int, tally: Tally) -> None:
    if not reaches_prediction(expression) or expression in tally.compositions:
        return

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(build(expression, y_true, y_pred), axis=-1)

    sound = evidence_of(loss, WIDTH)
    planted = sound.like(Planted)
    block = block_of(seed)
    with np.errstate(all="ignore"):
        totals, gradient = sound.double(block)
        gradient = gradient.reshape(len(block), WIDTH)
        able = np.isfinite(totals) & np.isfinite(gradient).all(axis=1)
        block, totals, gradient = block.take(able), totals[able], gradient[able]
        scale = measure(totals, gradient, block.ranges).gradient
        if not able.any():
            return
        outcome = outcomes(sound, block, scale)
        faulty = outcomes(planted, block, scale)
        counts = visible(sound, block, gradient, totals, scale)
        tally.points += outcome.size
        tally.decided += int((outcome != Agreement.INCONCLUSIVE).sum())
        tally.planted += int(counts.sum())
        tally.found += int((np.isin(faulty[:, 0], WRONG) & counts).sum())
        for case, coordinate in np.argwhere(np.isin(outcome, WRONG)):
            inputs = {name: array[case].ravel() for name, array in block.inputs.items()}
            assert mistaken(sound, block, case, coordinate), (expression, inputs, coordinate)
            tally.mistaken.append((expression, inputs["y_pred"], coordinate))
        tally.compositions.add(expression)


def drive(compositions: int) -> Tally:
    tally = Tally()

    @settings(
        max_examples=compositions,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(reals(), st.integers(0, 2**32 - 1))
    def run(expression: Expression, seed: int) -> None:
        examine(expression, seed, tally)

    run()
    print(attrs.evolve(tally, compositions=set()), len(tally.compositions), "compositions")
    return tally


def judge(tally: Tally, points: int) -> None:
    assert tally.points >= points
    assert tally.decided >= 0.95 * tally.points
    # Exact arithmetic contradicts a handful, of underflow mostly: (1/cosh 400)² in a reciprocal.
    assert len(tally.mistaken) <= 5e-3 * tally.points, tally.mistaken
    assert tally.planted >= 0.2 * tally.points / WIDTH
    assert tally.found >= 0.98 * tally.planted


@pytest.mark.slow
def test_compositions_are_judged_right() -> None:
    judge(drive(20), 2_500)


@pytest.mark.slow
def test_many_compositions_are_judged_right() -> None:
    judge(drive(160), 10_000)
