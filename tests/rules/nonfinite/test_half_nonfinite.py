"""What is not finite in float16 or bfloat16 alone, and the constant that vanished there."""

from __future__ import annotations

import pytest
import tensorflow as tf

from losscheck.findings import locate
from losscheck.rules import find
from losscheck.rules.crowd import Crowd
from tests.desks import desk

BINARY = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}
REALS = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}


def tiny_epsilon(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-8), axis=-1)


def wide_epsilon(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-3), axis=-1)


def root_of_squares(y_true, y_pred):  # the square of 300 is above float16's end at 65,504
    return tf.reduce_mean(tf.sqrt(tf.square(y_true - y_pred) + 1e-4), axis=-1)


def half_of_absolute(y_true, y_pred):
    return tf.reduce_mean(0.5 * tf.abs(y_true - y_pred), axis=-1)


def crowds(loss, declared):
    laid = desk(loss, **declared)
    return laid, list(find("LC505").judge(halves=laid.get("halves")))


def test_an_epsilon_that_is_0_in_float16_is_found_and_named() -> None:
    laid, found = crowds(tiny_epsilon, BINARY)
    assert {crowd.dtype for crowd in found} == {"float16"}  # bfloat16 has float32's exponents
    crowd: Crowd = found[0]
    case = crowd.population.cases.take(crowd.members[:1])
    _, blame = locate.blame(laid.evidence, crowd, case)
    assert blame.op == "Log"
    assert blame.vanished == "1e-8 is 0 in float16."


def test_an_epsilon_that_float16_holds_is_not() -> None:
    assert crowds(wide_epsilon, BINARY)[1] == []


def test_a_square_that_overflows_where_its_root_fits_is_found() -> None:
    _, found = crowds(root_of_squares, REALS)
    assert {(crowd.dtype, crowd.form) for crowd in found} >= {("float16", "inf")}


def test_halves_that_add_up_within_float16_are_not_reported() -> None:
    # 1e3 is the end of float16's working range; 65 rows of means of 1e3 each are added by no one.
    assert crowds(half_of_absolute, REALS)[1] == []


def clipped(y_true, y_pred):
    p = tf.clip_by_value(y_pred, 1e-8, 1 - 1e-8)
    return -tf.reduce_mean((1.0 - y_true) * tf.math.log(1.0 - p), axis=-1)


@pytest.mark.parametrize("code", ["LC201", "LC202"])
def test_a_bound_that_is_1_in_float32_is_named_too(code: str) -> None:
    laid = desk(clipped, **BINARY)
    rule = find(code)
    found = list(rule.judge(**{name: laid.get(name) for name in rule.needs}))
    crowd = found[0]
    _, blame = locate.blame(laid.evidence, crowd, crowd.population.cases.take(crowd.members[:1]))
    assert blame.vanished == "0.99999999 is 1 in float32."


def test_what_is_wrong_in_bfloat16_is_blamed_too() -> None:
    # 1 - 1e-3 is 1 in bfloat16, whose numbers below 1 are 2^-8 apart; single constants, too.
    def close_clip(y_true, y_pred):
        p = tf.clip_by_value(y_pred, 1e-3, 1 - 1e-3)
        return -tf.reduce_mean((1.0 - y_true) * tf.math.log(1.0 - p), axis=-1)

    laid, found = crowds(close_clip, BINARY)
    crowd = next(crowd for crowd in found if crowd.dtype == "bfloat16")
    _, blame = locate.blame(laid.evidence, crowd, crowd.population.cases.take(crowd.members[:1]))
    assert blame.op == "Log"
    assert blame.vanished == "0.999 is 1 in bfloat16."
