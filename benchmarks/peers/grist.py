"""The losses of the GRIST benchmark: 63 training programs with 79 numerical bugs.

The programs are Jacob-yen/GRIST (Apache-2.0), scripts/study_case; the faulty line of each is marked
there. At the level of the loss 75 of the 79 bugs come down to the 21 functions here; the other four
(program 28) sit in a layer, a division by a gain that training brings to 0. The repairs are those
that the literature gives.

Several programs were edited by the benchmark so that one bug is alive at a time (clips at 87 and
-100), and 59 of the 79 are a logarithm of 0: a full score proves little alone.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from benchmarks.peers import Published


# cross entropy of softmax probabilities, unguarded: log(0)
def ce_sum(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(y_pred))


def ce_mean_of_rows(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(-tf.reduce_sum(y_true * tf.math.log(y_pred), axis=1))


def ce_mean_of_total(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(-tf.reduce_sum(y_true * tf.math.log(y_pred)))


def ce_minus_inside(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.reduce_sum(y_true * -tf.math.log(y_pred), axis=1))


def ce_of_absolute(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(tf.abs(y_pred)), axis=1)


# y_true: class numbers
def ce_by_gather(y_true: Any, y_pred: Any) -> Any:
    at = tf.stack([tf.range(tf.shape(y_pred)[0]), tf.cast(y_true, tf.int32)], axis=1)
    return -tf.reduce_mean(tf.gather_nd(tf.math.log(y_pred), at))


# a classifier's probabilities, logged before an NLL
def nll_of_log(y_true: Any, y_pred: Any) -> Any:
    rows = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1])
    return -tf.reduce_sum(rows * tf.math.log(y_pred), axis=-1)


# logits: the log of a softmax
def rank_ce(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(tf.nn.softmax(y_pred)), axis=-1))


def clip_that_is_thrown_away(y_true: Any, y_pred: Any) -> Any:
    tf.clip_by_value(y_pred, 1e-15, 1.0)
    return tf.reduce_mean(-tf.reduce_sum(y_true * tf.math.log(y_pred), axis=1))


# binary cross entropy of sigmoid probabilities, unguarded
def bce_mean(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_mean(y_true * tf.math.log(y_pred) + (1 - y_true) * tf.math.log(1 - y_pred))


def bce_sum_of_rows(y_true: Any, y_pred: Any) -> Any:
    rows = tf.reduce_sum(-y_true * tf.math.log(y_pred) - (1 - y_true) * tf.math.log(1 - y_pred), 1)
    return tf.reduce_mean(rows)


# variational autoencoders
# 1e-10 is lost beside 1: log(0)
def vae_reconstruction(y_true: Any, y_pred: Any) -> Any:
    inside = y_true * tf.math.log(y_pred + 1e-10) + (1 - y_true) * tf.math.log(1e-10 + 1 - y_pred)
    return -tf.reduce_sum(inside, 1)


# y_pred: log variance; the root of an exp that underflows
def vae_sample(y_true: Any, y_pred: Any) -> Any:
    spread = tf.sqrt(tf.exp(tf.clip_by_value(y_pred, -100.0, 87.0)))
    return tf.reduce_sum(tf.square(y_true - spread), 1)


# As the benchmark has it: the log of what may be negative.
def vgae_kl(y_true: Any, y_pred: Any) -> Any:
    mu, spread = y_true, y_pred
    return -0.5 * tf.reduce_mean(tf.reduce_sum(1 + spread - mu**2 - tf.math.log(spread), axis=1))


# generative
# y_true: D on fakes; y_pred: D on real ones, unguarded
def gan_discriminator(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_mean(tf.math.log(y_pred) + tf.math.log(1.0 - y_true + 1e-8))


# y_pred: pre-activations of the hidden units
def rbm_free_energy(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(-tf.reduce_sum(tf.math.log(1.0 + tf.exp(y_pred)), axis=1) - y_true[:, 0])


# softmax by hand
def _by_hand(logits: Any) -> Any:
    return tf.exp(logits) / tf.reduce_sum(tf.exp(logits), axis=1, keepdims=True)


def tensorfuzz_exp(y_true: Any, y_pred: Any) -> Any:
    top = tf.exp(tf.clip_by_value(y_pred, -87.0, 87.0))
    p = top / tf.reduce_sum(tf.exp(y_pred), axis=1, keepdims=True)
    return -tf.reduce_sum(y_true * tf.math.log(tf.clip_by_value(p, 1e-6, 1.0)), axis=1)


def tensorfuzz_log(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(_by_hand(y_pred)), axis=1)


def tensorfuzz_div(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(tf.abs(_by_hand(y_pred)) + 1e-6), axis=1)


def unet_dice(y_true: Any, y_pred: Any) -> Any:
    p = _by_hand(y_pred)
    union = 1e-5 + tf.reduce_sum(p) + tf.reduce_sum(y_true)
    return -(2 * tf.reduce_sum(p * y_true) / union)


# a message weight: logs over the sum of logs
def segment_softmax_of_logs(y_true: Any, y_pred: Any) -> Any:
    logs = tf.math.log(y_pred)
    share = logs / tf.reduce_sum(logs, axis=-1, keepdims=True)
    return tf.reduce_sum(tf.square(y_true - share), axis=-1)


# repairs published with the bugs
def r_with_logits(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred))


def r_epsilon(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-9))


# finite, but no gradient at p = 0: a warning, not an error
def r_clip(y_true: Any, y_pred: Any) -> Any:
    return -tf.reduce_sum(y_true * tf.math.log(tf.clip_by_value(y_pred, 1e-10, 1.0)))


def r_bce_clip(y_true: Any, y_pred: Any) -> Any:
    a = y_true * tf.math.log(tf.clip_by_value(y_pred, 1e-10, 1.0))
    b = (1 - y_true) * tf.math.log(tf.clip_by_value(1 - y_pred, 1e-10, 1.0))
    return tf.reduce_mean(tf.reduce_sum(-a - b, 1))


_NOT_FINITE = "LC201 LC202 LC203 LC204"


def _stated(
    loss: Any, y_true: str, y_pred: str, codes: str = "", bugs: str = "", why: str = ""
) -> Published:
    shape = "(B, C)" if y_true in ("one_hot", "class_index") else "(B, D)"
    labels = "(B,)" if y_true == "class_index" else shape
    arguments = {"y_true": (y_true, labels), "y_pred": (y_pred, shape)}
    return Published(loss, tuple(bugs.split()), arguments, codes, why)


# By the numbers of the programs.
PROBLEMS = (
    _stated(
        ce_sum,
        "one_hot",
        "simplex",
        _NOT_FINITE,
        "1 3 6 7 8 10 14 21 24 29 30 40 41 42 44 58 60 61",
        "p = 0",
    ),
    _stated(
        ce_mean_of_rows,
        "one_hot",
        "simplex",
        _NOT_FINITE,
        "18 19 20 25 45a 45b 48a 48b 50 54 55",
        "p = 0",
    ),
    _stated(ce_mean_of_total, "one_hot", "simplex", _NOT_FINITE, "52", "p = 0"),
    _stated(ce_minus_inside, "one_hot", "simplex", _NOT_FINITE, "23 27 32 34 46 47 57", "p = 0"),
    _stated(ce_of_absolute, "one_hot", "simplex", _NOT_FINITE, "16log", "p = 0"),
    _stated(ce_by_gather, "class_index", "simplex", "LC202 LC204", "15", "p of the label = 0"),
    _stated(nll_of_log, "class_index", "simplex", "LC201 LC202 LC203", "12", "p = 0"),
    _stated(rank_ce, "one_hot", "logits", "LC201 LC202 LC203", "5", "logits more than 104 apart"),
    _stated(
        clip_that_is_thrown_away,
        "one_hot",
        "simplex",
        _NOT_FINITE,
        "59",
        "p = 0; the clip has no effect",
    ),
    _stated(
        bce_mean, "binary", "probability", _NOT_FINITE, "2a 2b 26 33 37 38 53 56", "p = 0 or 1"
    ),
    _stated(bce_sum_of_rows, "binary", "probability", _NOT_FINITE, "9a 9b", "p = 0 or 1"),
    _stated(
        vae_reconstruction,
        "probability",
        "probability",
        _NOT_FINITE,
        "35log 36log 39log 43log 49log",
        "p = 1: 1e-10 + 1 - 1 is 0 in float32",
    ),
    _stated(
        vae_sample,
        "real",
        "logits",
        "LC203 LC204",
        "35sqrt 36sqrt 39sqrt 43sqrt 49sqrt",
        "log variance <= -88 or so: exp flushes to 0, slope of the root is infinite",
    ),
    _stated(vgae_kl, "real", "real", "LC201 LC202", "4", "0 or negative"),
    _stated(gan_discriminator, "probability", "probability", "LC202 LC204", "31", "D(real) = 0"),
    _stated(rbm_free_energy, "real", "logits", "LC202 LC203", "22 51 62 63", "above 88"),
    _stated(
        tensorfuzz_exp,
        "one_hot",
        "logits",
        "LC203 LC103 LC201",
        "11exp 16exp",
        "above 88: p is 0; the clip hides it forward; gradient NaN",
    ),
    _stated(
        tensorfuzz_log,
        "one_hot",
        "logits",
        "LC201 LC202 LC203",
        "11log",
        "above 88, or more than 104 apart",
    ),
    _stated(
        tensorfuzz_div,
        "one_hot",
        "logits",
        "LC201 LC203",
        "11div 16div",
        "above 88, or all below -104",
    ),
    _stated(unet_dice, "one_hot", "logits", "LC201 LC203", "17", "above 88"),
    _stated(
        segment_softmax_of_logs,
        "real",
        "nonnegative",
        "LC201 LC202",
        "13",
        "0; or the logs sum to 0",
    ),
    _stated(r_with_logits, "one_hot", "logits"),
    _stated(r_epsilon, "one_hot", "simplex"),
    _stated(r_clip, "one_hot", "simplex"),
    _stated(r_bce_clip, "binary", "probability"),
)
