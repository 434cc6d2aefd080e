"""Eight losses of a fifth set, taken after the faults of the fourth were mended."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tests.wild.projects import shares
from tests.wild.projects.proofs import Pair, slope_at, value_at
from tests.wild.projects.third_proofs import mended
from tests.wild.projects.truth import Fault, Truth, argument, both, codes

NONFINITE = codes("LC201 LC202 LC203 LC204 LC503")


def reverse_distillation(y_true: Any, y_pred: Any) -> Any:
    """By logarithms of shares, which are finite."""
    teacher = tf.nn.log_softmax(y_true / shares.TEMPERATURE)
    student = tf.nn.log_softmax(y_pred / shares.TEMPERATURE)
    return tf.reduce_sum(tf.exp(student) * (student - teacher), axis=-1)


def scrubbed_percentage(y_true: Any, y_pred: Any) -> Any:
    """The divisor guarded in place of the quotient."""
    size = tf.abs(y_true)
    return tf.reduce_mean(tf.math.divide_no_nan(tf.abs(y_true - y_pred), size), axis=-1)


def direction_of_change(y_true: Any, y_pred: Any) -> Any:
    """A tanh in place of a sign, as its source proposes."""
    error = tf.reduce_mean(tf.abs(y_true - y_pred) ** (2.0 + shares.BEYOND), axis=-1)
    wrong = tf.reduce_mean(tf.square(tf.sign(y_true) - tf.tanh(y_pred)), axis=-1)
    return error + shares.DIRECTION * wrong


def rectified_logarithms(y_true: Any, y_pred: Any) -> Any:
    """A softplus in place of a relu."""
    seen, said = (tf.math.log1p(1000.0 * tf.math.softplus(each)) for each in (y_true, y_pred))
    return tf.reduce_mean(tf.abs(seen - said), axis=-1)


def _student(truth: Truth) -> Pair:
    mended(truth)
    assert math.isfinite(value_at(truth)), "the loss itself is finite"
    return slope_at(truth), "finite"


def _percentage(truth: Truth) -> Pair:
    assert float(np.ravel(mended(truth)[1])[0]) == 0.0
    assert math.isnan(slope_at(truth, "float64"))
    return slope_at(truth), 0.0


def _sign(truth: Truth) -> Pair:
    assert truth.fault is not None
    below, above = ([[side, 1.0]] for side in (-1e-12, 1e-12))
    jump = value_at(truth, "float64", y_pred=below) - value_at(truth, "float64", y_pred=above)
    mended(truth)
    return jump, 0.0


def _dead(truth: Truth) -> Pair:
    assert slope_at(truth, y_pred=[[-2.0, -2.0]]) == 0.0
    assert np.abs(mended(truth)[1]).min() > 0.0
    return slope_at(truth), "a number"


FIFTH_PROOFS: Mapping[str, Callable[[Truth], Pair]] = {
    "reverse_distillation": _student,
    "scrubbed_percentage": _percentage,
    "direction_of_change": _sign,
    "rectified_logarithms": _dead,
}
FIFTH = (
    Truth(
        loss=shares.reverse_distillation,
        source="MakazhanAlpamys/Soup, issue 719 (trainer/distill.py)",
        arguments=both("logits", "logits", "(B, 3)"),
        fault=Fault(
            codes=codes("LC203 LC204"),
            severity="error",
            line="known = tf.where(student > 0.0, student * tf.math.log(student), 0.0)",
            trigger={"y_true": [[0.0, 1.0, 2.0]], "y_pred": [[-100.0, 0.0, 1.0]]},
            what="the first entry of the gradient where a share is 0 in float32: log 0 times 0 in "
            "the branch that is not taken, though the loss is finite",
            observed=math.nan,
            expected="finite",
            fixed=reverse_distillation,
        ),
        beside=NONFINITE | codes("LC101 LC103 LC107 LC108 LC301 LC302"),
        undeclared=True,
        why="a softmax takes logits",
        remark="What is guarded is the value of 0 log 0, not its slope; tf.math.xlogy has both.",
    ),
    Truth(
        loss=shares.scrubbed_percentage,
        source="Nixtla/neuralforecast, pull request 1603; unit8co/darts, pull request 845",
        arguments=both("nonnegative", "nonnegative", "(B, D)"),
        fault=Fault(
            codes=codes("LC203 LC205"),
            severity="error",
            line="quotient = above / below",
            trigger={"y_true": [[0.0, 1.0]], "y_pred": [[2.0, 2.0]]},
            what="the first entry of the gradient beside an observation of 0: what was scrubbed "
            "is multiplied by 0 on the way back, and is infinite",
            observed=math.nan,
            expected=0.0,
            fixed=scrubbed_percentage,
        ),
        beside=NONFINITE | codes("LC101 LC103 LC107 LC108 LC205"),
        undeclared=True,
        why="labels of 0 are in every domain",
        remark="Infinities are tested for and replaced, in a helper.",
    ),
    Truth(
        loss=shares.direction_of_change,
        source="snap-stanford/GEARS, issue 86",
        arguments=both("real", "real", "(B, D)"),
        fault=Fault(
            codes=codes("LC105"),
            severity="warning",
            line="wrong = tf.reduce_mean(tf.square(tf.sign(y_true) - tf.sign(y_pred)), axis=-1)",
            trigger={"y_true": [[1.0, 1.0]], "y_pred": [[0.0, 1.0]]},
            what="by how much the loss falls where a prediction gets positive: 0.1 times 4 / 2; "
            "no slope says so anywhere",
            observed=0.2,
            expected=0.0,
            fixed=direction_of_change,
        ),
        beside=codes("LC101 LC103 LC107 LC108"),
        undeclared=True,
        why="signs are those of any number",
        remark="A term that is seen in the value and never in the gradient.",
    ),
    Truth(
        loss=shares.rectified_logarithms,
        source="rstudio/keras3, issue 515",
        arguments=both("positive", "real", "(B, 2)"),
        fault=Fault(
            codes=codes("LC103"),
            severity="warning",
            line="keras.ops.log(keras.ops.relu(1000.0 * each) + 1.0)",
            trigger={"y_true": [[1.0, 2.0]], "y_pred": [[-1.0, -1.0]]},
            what="the first entry of the gradient where predictions are negative, at any label",
            observed=0.0,
            expected="a number",
            fixed=rectified_logarithms,
        ),
        beside=codes("LC107 LC108 LC104"),
        undeclared=True,
        why="a relu takes reals, and among them half have no slope",
        remark="By keras.ops; what a network gives at first is negative as often as not.",
    ),
    Truth(
        loss=shares.anchors_that_count,
        source="fizyr/keras-retinanet, keras_retinanet/losses.py",
        arguments={
            "y_true": argument(["binary"] * 3 + ["sign"], "(B, 5, 4)"),
            "y_pred": argument("probability", "(B, 5, 3)"),
        },
        beside=codes("LC103 LC107 LC506 LC602"),
        undeclared=False,
        why="that labels have a column more stands in a slice from the end",
        remark="As many anchors as the labels say are looked at; Keras clips what is a logarithm.",
    ),
    Truth(
        loss=shares.cut_of_a_graph,
        source="danielegrattarola/spektral, spektral/layers/pooling/mincut_pool.py",
        arguments={
            "y_true": argument("binary", "(B, 4, 4)"),
            "y_pred": argument("logits", "(B, 4, 3)"),
        },
        beside=codes("LC101 LC103 LC107 LC108"),
        undeclared=True,
        why="the products say the shapes, and of numbers in [0, 1] it is the same",
        remark="Traces of products, a quotient that is 0 of a graph without edges, Frobenius norms "
        "of what is never 0.",
    ),
    Truth(
        loss=shares.affinities,
        source="zhr1201/deep-clustering, model.py",
        arguments={
            "y_true": argument("one_hot", "(B, 6, 2)"),
            "y_pred": argument("real", "(B, 6, 3)"),
        },
        beside=codes("LC103 LC107 LC108 LC301 LC302"),
        undeclared=False,
        why="that labels are one speaker a bin has to be declared",
        remark="Three sums whose difference is 0 for a perfect match, right to 1e-6 of their size.",
    ),
    Truth(
        loss=shares.guided_attention,
        source="Kyubyong/dc_tts, train.py",
        arguments={
            "y_true": argument(["[1, 4]", "[1, 6]"], "(B, 2)"),
            "y_pred": argument("probability", "(B, 4, 6)"),
        },
        beside=codes("LC103 LC107 LC108"),
        undeclared=False,
        why="a length of 0 is among the numbers of any other domain",
        remark="Masks by tf.sequence_mask of two lengths, which labels are; predictions are maps.",
    ),
)
