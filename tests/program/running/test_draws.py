"""Random numbers inside a loss are the same in every run of a program, in every precision."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import losscheck
from losscheck.program.running.stateless import drawing
from losscheck.program.running.ways import Way
from tests.program.calling import SHAPES, cases, programs
from tests.verdicts import errors, found

REAL = ("[0.5, 3]", "(B, 3)")


def jittered(y_true, y_pred):
    noise = tf.random.normal(tf.shape(y_pred), stddev=0.1)
    return tf.reduce_mean(tf.square(y_pred + noise - y_true), axis=-1)


def mixed_up(y_true, y_pred):
    """Between the two at random, as where a critic's slope is penalised."""
    share = tf.random.uniform(tf.shape(y_pred)[:1])[:, None]
    return tf.reduce_mean(tf.square(tf.sin(share * y_true + (1.0 - share) * y_pred)), axis=-1)


def seeded(y_true, y_pred):
    noise = tf.random.stateless_uniform(tf.shape(y_pred), [1, 2], maxval=0.1)
    return tf.reduce_mean(tf.square(y_pred + noise - y_true), axis=-1)


def in_a_loop(y_true, y_pred):
    def step(i, x):
        return i + 1, x + 0.1 * tf.random.normal(tf.shape(x))

    _, x = tf.while_loop(lambda i, _: i < 3, step, (0, y_pred))
    return tf.reduce_mean(tf.square(x - y_true), axis=-1)


@tf.custom_gradient
def steep_square(x):
    return tf.square(x), lambda upstream: upstream * 2.2 * x


def jittered_and_wrong(y_true, y_pred):
    noise = tf.random.normal(tf.shape(y_pred), stddev=0.1)
    return tf.reduce_mean(steep_square(y_pred + noise - y_true), axis=-1)


@pytest.mark.parametrize("loss", [jittered, mixed_up, seeded, in_a_loop])
def test_two_runs_and_two_precisions_draw_the_same(loss):
    made, given = programs(loss), cases(5)
    single, double = made.at(SHAPES), made.double(SHAPES)
    assert single.draws
    np.testing.assert_array_equal(single.run(given).value, single.run(given).value)
    assert double.run(given).value.dtype == np.float64
    # Float32 draws 24 bits; float64 would draw others, apart by the size of the noise.
    np.testing.assert_allclose(single.run(given).value, double.run(given).value, rtol=1e-5)


def test_cases_of_noise_are_vectorized():
    assert programs(jittered).at(SHAPES).settle() is Way.VECTORIZED


def test_noise_moves_the_loss_as_much_as_it_should():
    zeros = {name: np.zeros((1, 200, 30), np.float32) for name in ("y_true", "y_pred")}
    shapes = dict.fromkeys(zeros, (200, 30))
    value = programs(jittered).at(shapes).run(zeros).value
    # The mean of 6,000 squares of numbers with a spread of 0.1: 0.01, give or take 0.0002.
    assert value.mean() == pytest.approx(0.01, abs=0.001)


def test_what_draws_is_known_by_its_type():
    assert drawing("StatelessRandomUniformV2")
    assert drawing("RandomGamma")
    assert not drawing("StatelessRandomGetKeyCounter")
    assert not drawing("Relu")


def test_a_sound_loss_with_noise_passes_and_its_noise_is_told():
    report = losscheck.check(jittered, arguments={"y_true": REAL, "y_pred": REAL})
    assert errors(report) == []
    assert report.verdict == "pass"
    assert found(report, "LC504", "warning", "tf.random.normal")
    assert report.gradient is not None
    assert report.gradient.points > 1_000


def test_a_wrong_gradient_is_found_beside_noise():
    report = losscheck.check(
        jittered_and_wrong, arguments={"y_true": REAL, "y_pred": REAL}, select=["LC101"]
    )
    assert found(report, "LC101", "error", "2.2 * x")


def test_seeded_noise_is_no_loss_of_digits_and_no_fault_of_training():
    report = losscheck.check(
        seeded, arguments={"y_true": REAL, "y_pred": REAL}, select=["LC3", "LC503", "LC603"]
    )
    assert errors(report) == []
    (check,) = (check for check in report.checks if check.code == "LC603")
    assert "XLA draws others" in check.reason
