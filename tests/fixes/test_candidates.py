from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from losscheck.fixes.cure import Cure, cures
from tests.fixes import written_losses as losses
from tests.fixes.explained import explained

NONFINITE = ("LC201", "LC202", "LC203", "LC204")
LOGITS = {"y_true": "binary", "y_pred": "logits"}
REALS = {"y_true": "real", "y_pred": "real"}


def cure(loss: Callable[..., Any], codes: Sequence[str] = NONFINITE, **arguments: str) -> Cure:
    """The change that holds, of a loss that has one."""
    found = explained(loss, codes, **arguments)
    worst = max(each.weight for each in found.explanations)
    best = cures(found.bench, found.desk, [e for e in found.explanations if e.weight == worst])[-1]
    assert best.verified.holds, best.verified.complaints
    return best


def test_a_name_is_looked_up_where_it_was_assigned():
    assert cure(losses.through_a_name, **LOGITS).edit.new == "-tf.math.softplus(y_pred)"


def test_the_logarithm_behind_is_rewritten_as_a_whole():
    found = cure(losses.two_statements, y_true="one_hot", y_pred="logits").edit
    assert found.new == "tf.reduce_logsumexp(y_pred, axis=-1)"


def test_the_logarithm_of_a_softplus_is_its_operand_far_below_0():
    new = cure(losses.log_of_softplus, **LOGITS).edit.new
    z = np.linspace(-80.0, 80.0, 641)
    given = eval(new, {"tf": tf, "y_pred": tf.constant(z, tf.float32)})
    # log1p(e^z) in float64 has at least 15 digits; float32 rounds the softplus where its log is 0.
    np.testing.assert_allclose(given, np.log(np.log1p(np.exp(z))), rtol=1e-6, atol=1e-7)


def test_a_root_is_left_out_at_0_where_an_epsilon_would_change_numbers_next_to_it():
    found = cure(losses.distance, **REALS).edit
    assert found.new.startswith("tf.where(inside > 0.0, ")


def test_what_is_squared_is_scaled_down_before():
    found = cure(losses.large_root, **REALS).edit
    assert found.new.startswith("scale * tf.sqrt(")


def test_an_argument_is_brought_into_shape_at_the_beginning():
    found = cure(losses.column, ("LC401",), y_true="real", y_pred="real")
    assert found.edit.before == ("y_true = tf.reshape(y_true, tf.shape(y_pred))",)
    assert "+    y_true = tf.reshape(y_true, tf.shape(y_pred))\n" in found.verified.diff


def test_names_that_exist_are_left_alone():
    found = cure(losses.own_safe, y_true="binary", y_pred="[0, 1]").edit
    assert found.before == ("safe_2 = tf.where(y_pred > 0.0, y_pred, 1.0)",)


@pytest.mark.parametrize(
    "loss", [losses.in_a_lambda, pytest.param(losses.in_a_comprehension, marks=pytest.mark.slow)]
)
def test_where_no_statement_fits_it_is_one_expression(loss: Callable[..., Any]):
    found = cure(loss, y_true="binary", y_pred="[0, 1]").edit
    assert found.before == ()
