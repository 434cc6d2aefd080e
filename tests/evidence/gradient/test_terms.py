"""The terms of a loss and their weights, and which parts of a prediction they keep apart."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.evidence.gradient.terms import apart, candidates, terms
from losscheck.program.probing import Probe, Readout
from losscheck.program.running.program import Program
from losscheck.program.tracing.wiring import wiring
from tests.evidence.gradient.large_case_losses import (
    Loss,
    case,
    centred,
    correlation,
    programs,
    rows,
    squares,
    two_terms,
)


def taken_apart(loss: Loss, *shape: int) -> tuple[Probe, Readout | None]:
    inputs = case(*shape)
    program = programs(loss).double({name: array.shape for name, array in inputs.items()})
    assert isinstance(program, Program)
    probe = Probe(program, inputs)
    return probe, terms(probe, wiring(program.traced, program.names, program.prediction))


@pytest.mark.parametrize("loss", [squares, two_terms, rows, centred], ids=lambda f: f.__name__)
def test_the_weighted_terms_move_as_the_loss_does(loss: Loss) -> None:
    probe, found = taken_apart(loss, 6, 5)
    assert found is not None
    points = probe.x + np.random.default_rng(1).normal(size=(4, len(probe.x)))
    whole, parts = probe.at(probe.whole, points)[:, 0], probe.at(found, points)[:, 0]
    # Constants may have been left behind on the way: differences are what counts.
    assert np.diff(parts) == pytest.approx(np.diff(whole), rel=1e-12)


def test_a_quotient_of_sums_is_one_term() -> None:
    _, found = taken_apart(correlation, 6, 5)
    assert found is not None
    assert found.sizes == (1,)


@pytest.mark.parametrize(
    ("loss", "blocks"), [(squares, 30), (two_terms, 30), (rows, 6), (centred, None)]
)
def test_parts_that_share_no_term_are_told_apart(loss: Loss, blocks: int | None) -> None:
    probe, found = taken_apart(loss, 6, 5)
    readout = apart(probe, found, (6, 5), np.ones(30), 30, seed=0)
    assert (None if readout is None else readout.blocks) == blocks


def test_a_single_hidden_link_is_felt() -> None:
    import tensorflow as tf

    def linked(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(y_pred, (-1,))
        link = 1e-3 * flat[3] * tf.one_hot(17, tf.size(flat), dtype=flat.dtype)
        return tf.reduce_sum(tf.square(flat + link - tf.reshape(y_true, (-1,))))

    probe, found = taken_apart(linked, 6, 5)
    readout = apart(probe, found, (6, 5), np.ones(30), 30, seed=0)
    assert readout is None or readout.blocks < 30


def test_blocks_are_leading_axes_or_groups_of_them() -> None:
    assert candidates((6, 5), (30,), 30) == [30, 6]
    assert candidates((6, 5), (6,), 30) == [6]
    assert candidates((1000, 1000), (1_000_000,), 64) == [64, 50]
    assert candidates((7,), (1,), 30) == []
