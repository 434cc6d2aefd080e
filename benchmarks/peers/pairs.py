"""Single faults that others have published with a fix or a ground truth, and the fixes.

`b_*`: as reported; `g_*`: as fixed, or the control of the report. They come from

- ForeverZyh/TensorFlow-Program-Bugs: -buggy and -fix folders (Zhang et al., ISSTA 2018);
- mohmehmo/defects4ml: bugs/NNN (Morovati et al., EMSE 2023);
- amin-nikanjam/SilentBugsInTensorFlowKeras: Artifacts/data.csv (Tambon et al., EMSE 2023);
- AnwarXahid/soft-assertion-fuzzer: scripts/ID_n, real programs (Sharmin et al., FSE 2025).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.peers import Published


# TensorFlow-Program-Bugs (ISSTA 2018), StackOverflow/UT-15: labels (B,) against outputs (B, 1)
def b_ut15_fit(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(y_true - y_pred))


def g_ut15_fit(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.square(tf.expand_dims(y_true, axis=1) - y_pred))


# ..., StackOverflow/UT-4: class numbers where one-hot rows are meant
# y_true: class numbers (B,)
def b_ut4_entropy(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(y_pred))


def g_ut4_entropy(y_true: Any, y_pred: Any) -> Any:
    rows = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1])
    return -tf.reduce_sum(rows * tf.nn.log_softmax(y_pred))


# ..., StackOverflow/IPS-7: no squashing before the logs
# y_pred: any real number
def b_ips7_entropy(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(
        tf.reduce_sum(-y_true * tf.math.log(y_pred) - (1 - y_true) * tf.math.log(1 - y_pred), 1)
    )


def g_ips7_entropy(y_true: Any, y_pred: Any) -> Any:
    p = tf.nn.sigmoid(y_pred)
    a = y_true * tf.math.log(tf.clip_by_value(p, 1e-10, 1.0))
    b = (1 - y_true) * tf.math.log(tf.clip_by_value(1 - p, 1e-10, 1.0))
    return tf.reduce_mean(tf.reduce_sum(-a - b, 1))


# ..., Github/IPS-3: a GAN's cross entropy of probabilities, and of logits
def b_ips3_gan(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(
        -(y_true * tf.math.log(y_pred) + (1.0 - y_true) * tf.math.log(1.0 - y_pred))
    )


def g_ips3_gan(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred))


# ..., Github/IPS-9
def b_ips9_regression(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(y_pred))


def g_ips9_regression(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(-tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-8), axis=1))


# Defect4ML 083: weights of the whole training set inside the loss; a batch does not fit
_WEIGHTS = np.random.default_rng(0).normal(size=(100, 5)).astype("float32")


def b_d4ml83_absolute(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.abs(y_true - y_pred) * _WEIGHTS)


# Silent bugs in Keras and TensorFlow (EMSE 2023): tensorflow issue 30040, labels (B,) beside (B, 1)
def b_silent30040_entropy(y_true: Any, y_pred: Any) -> Any:
    p = tf.clip_by_value(y_pred, 1e-7, 1 - 1e-7)
    return tf.reduce_mean(-(y_true * tf.math.log(p) + (1 - y_true) * tf.math.log(1 - p)), axis=-1)


# ..., tensorflow issue 44556: the second derivative of a product, where a factor is 0
def b_silent44556_product(y_true: Any, y_pred: Any) -> Any:
    return y_true * tf.reduce_prod(
        tf.constant([2.0, 0.0]) * y_pred[..., None] * y_pred[..., None], axis=-1
    )


# Soft Assertions (FSE 2025): there in PyTorch, but the last one in scikit-learn
# gamma 0.5; y_true class numbers; y_pred logits
def b_sa3_focal(y_true: Any, y_pred: Any) -> Any:
    rows = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1])
    log_p = tf.reduce_sum(rows * tf.nn.log_softmax(y_pred), axis=-1)
    p = tf.stop_gradient(tf.exp(log_p))
    return -tf.pow(1.0 - p, 0.5) * log_p


# y_true, y_pred: log probabilities, old and new
def b_sa4_policy(y_true: Any, y_pred: Any, advantage: Any) -> Any:
    ratio = tf.exp(y_pred - y_true)
    return -tf.minimum(ratio * advantage, tf.clip_by_value(ratio, 0.8, 1.2) * advantage)


# scores in order; y_true unused weights of 1
def b_sa4_pairs(y_true: Any, y_pred: Any) -> Any:
    odds = tf.math.log(tf.sigmoid(y_pred[:, :, None] - y_pred[:, None, :]))
    below = tf.linalg.band_part(tf.ones_like(odds), 0, -1) - tf.eye(tf.shape(y_pred)[1])
    return -tf.reduce_sum(tf.transpose(below, [0, 2, 1]) * odds, axis=[1, 2]) * tf.reduce_mean(
        y_true, axis=-1
    )


# 1e-20 in a root: its slope is 1e10
def b_sa6_contrastive(y_true: Any, y_pred: Any, other: Any) -> Any:
    squared = tf.reduce_sum(tf.square(other - y_pred), axis=1)
    apart = tf.square(tf.nn.relu(1.0 - tf.sqrt(squared + 1e-20)))
    return 0.5 * (y_true * squared + (1 - y_true) * apart)


# y_true: reward of the rejected; y_pred: of the chosen
def b_sa7_reward(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_mean(tf.math.log(tf.sigmoid(y_pred - y_true)))


def g_sa7_reward(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.nn.softplus(y_true - y_pred))


def b_sa9_triplet_cosine(y_true: Any, y_pred: Any, other: Any) -> Any:
    def near(a: Any, b: Any) -> Any:
        return tf.reduce_sum(a * b, -1) / (tf.norm(a, axis=-1) * tf.norm(b, axis=-1))

    return tf.nn.relu((1 - near(y_pred, y_true)) - (1 - near(y_pred, other)) + 1.0)


# root of the mean squared log error: a perfect fit
def b_sa12_root_log(y_true: Any, y_pred: Any) -> Any:
    return tf.sqrt(tf.reduce_mean(tf.square(tf.math.log1p(y_pred) - tf.math.log1p(y_true))))


PROBLEMS = (
    Published(
        b_ut15_fit,
        ("TensorFlow-Program-Bugs, StackOverflow/UT-15",),
        {"y_true": ("real", "(B,)"), "y_pred": ("real", "(B, 1)")},
        "LC401",
        "labels (B,) beside (B, 1) make (B, B)",
    ),
    Published(
        g_ut15_fit,
        ("TensorFlow-Program-Bugs, StackOverflow/UT-15 fix",),
        {"y_true": ("real", "(B,)"), "y_pred": ("real", "(B, 1)")},
    ),
    Published(
        b_ut4_entropy,
        ("TensorFlow-Program-Bugs, StackOverflow/UT-4",),
        {"y_true": ("class_index", "(B,)"), "y_pred": ("simplex", "(B, C)")},
        "LC401 LC402",
        "raises unless B = C; then silent",
    ),
    Published(
        g_ut4_entropy,
        ("TensorFlow-Program-Bugs, StackOverflow/UT-4 fix",),
        {"y_true": ("class_index", "(B,)"), "y_pred": ("logits", "(B, C)")},
    ),
    Published(
        b_ips7_entropy,
        ("TensorFlow-Program-Bugs, StackOverflow/IPS-7",),
        {"y_true": ("binary", "(B, D)"), "y_pred": ("real", "(B, D)")},
        "LC201 LC202 LC203",
        "log of a negative number",
    ),
    Published(
        g_ips7_entropy,
        ("TensorFlow-Program-Bugs, StackOverflow/IPS-7 fix",),
        {"y_true": ("binary", "(B, D)"), "y_pred": ("logits", "(B, D)")},
        "",
        "saturates beyond 17 and -23, which is a warning",
    ),
    Published(
        b_ips3_gan,
        ("TensorFlow-Program-Bugs, Github/IPS-3",),
        {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")},
        "LC201 LC202 LC203",
        "p = 0 or 1",
    ),
    Published(
        g_ips3_gan,
        ("TensorFlow-Program-Bugs, Github/IPS-3 fix",),
        {"y_true": ("binary", "(B, D)"), "y_pred": ("logits", "(B, D)")},
    ),
    Published(
        b_ips9_regression,
        ("TensorFlow-Program-Bugs, Github/IPS-9",),
        {"y_true": ("one_hot", "(B, D)"), "y_pred": ("simplex", "(B, D)")},
        "LC201 LC202 LC203",
        "p = 0",
    ),
    Published(
        g_ips9_regression,
        ("TensorFlow-Program-Bugs, Github/IPS-9 fix",),
        {"y_true": ("one_hot", "(B, D)"), "y_pred": ("simplex", "(B, D)")},
        "",
        "1e-8 vanishes in float16, which is a note",
    ),
    Published(
        b_d4ml83_absolute,
        ("Defects4ML, 083",),
        {"y_true": ("real", "(B, 5)"), "y_pred": ("real", "(B, 5)")},
        "LC402 LC603 LC901",
        "raises for any batch but 100 and 1; silent for 1",
    ),
    Published(
        b_silent30040_entropy,
        ("Silent bugs, TensorFlow issue 30040",),
        {"y_true": ("binary", "(B,)"), "y_pred": ("probability", "(B, 1)")},
        "LC401",
        "labels (B,) beside (B, 1) make (B, B)",
    ),
    Published(
        b_silent44556_product,
        ("Silent bugs, TensorFlow issue 44556",),
        {"y_true": ("[1, 2]", "(B, D)"), "y_pred": ("real", "(B, D)")},
        "",
        "a second derivative of NaN in TensorFlow 2.3; TensorFlow 2.21 gives 0, which is right",
        order=2,
    ),
    Published(
        b_sa3_focal,
        ("Soft Assertions, program 3",),
        {"y_true": ("class_index", "(B,)"), "y_pred": ("logits", "(B, C)")},
        "LC101 LC103",
        "a stop_gradient: the gradient is not the derivative, which is meant so",
    ),
    Published(
        b_sa4_policy,
        ("Soft Assertions, program 4",),
        {
            "y_true": ("[-20, 0]", "(B, D)"),
            "y_pred": ("[-20, 0]", "(B, D)"),
            "advantage": ("real", "(B, D)"),
        },
        "LC202 LC203",
        "the ratio overflows where log probabilities lie 88 apart, which these do not",
    ),
    Published(
        b_sa4_pairs,
        ("Soft Assertions, program 4",),
        {"y_true": ("weight", "(B, C)"), "y_pred": ("logits", "(B, C)")},
        "LC201 LC202 LC203",
        "the log of a sigmoid at -104, times a mask of 0",
    ),
    Published(
        b_sa6_contrastive,
        ("Soft Assertions, program 6",),
        {"y_true": ("binary", "(B,)"), "y_pred": ("real", "(B, D)"), "other": ("real", "(B, D)")},
        "LC201 LC202 LC203 LC204",
        "a square that overflows: what is marked in the program is its power",
    ),
    Published(
        b_sa7_reward,
        ("Soft Assertions, program 7",),
        {"y_true": ("real", "(B, 1)"), "y_pred": ("real", "(B, 1)")},
        "LC202 LC203",
        "difference below -104",
    ),
    Published(
        g_sa7_reward,
        ("Soft Assertions, control",),
        {"y_true": ("real", "(B, 1)"), "y_pred": ("real", "(B, 1)")},
    ),
    Published(
        b_sa9_triplet_cosine,
        ("Soft Assertions, program 9",),
        {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)"), "other": ("real", "(B, D)")},
        "LC201 LC203",
        "a zero vector, which PyTorch guards",
    ),
    Published(
        b_sa12_root_log,
        ("Soft Assertions, program 12",),
        {"y_true": ("nonnegative", "(B, D)"), "y_pred": ("nonnegative", "(B, D)")},
        "LC203",
        "a perfect fit",
    ),
)
