"""Losses whose arguments nobody declared: boxes, parameters by column, logits that are scaled.

Each is of a kind that was seen in public code, written anew; `test_domains.py` says what is right
of it and where that comes from.
"""

import tensorflow as tf

import losscheck

EPSILON = 1e-7


def _lower_and_upper(boxes):
    return boxes[..., :2], boxes[..., 2:4]


def _area(sides):
    return sides[..., 0] * sides[..., 1]


def _shared(y_true, y_pred):
    """What two boxes share, and what one of them covers."""
    (low, high), (own_low, own_high) = _lower_and_upper(y_true), _lower_and_upper(y_pred)
    both = tf.maximum(tf.minimum(high, own_high) - tf.maximum(low, own_low), 0.0)
    covered = _area(high - low) + _area(own_high - own_low) - _area(both)
    return _area(both), covered


def hull_overlap(y_true, y_pred):
    """The generalised intersection over union."""
    shared, covered = _shared(y_true, y_pred)
    (low, high), (own_low, own_high) = _lower_and_upper(y_true), _lower_and_upper(y_pred)
    hull = _area(tf.maximum(high, own_high) - tf.minimum(low, own_low))
    overlap = tf.math.divide_no_nan(shared, covered)
    return 1.0 - overlap + tf.math.divide_no_nan(hull - covered, hull)


def distant_overlap(y_true, y_pred):
    """The overlap less the distance of the centres over the diagonal of the hull."""
    shared, covered = _shared(y_true, y_pred)
    (low, high), (own_low, own_high) = _lower_and_upper(y_true), _lower_and_upper(y_pred)
    apart = tf.reduce_sum(tf.square((low + high) - (own_low + own_high)), axis=-1) / 4.0
    hull = tf.maximum(high, own_high) - tf.minimum(low, own_low)
    across = tf.reduce_sum(tf.square(hull), axis=-1)
    return 1.0 - shared / (covered + EPSILON) + apart / (across + EPSILON)


def plain_overlap(y_true, y_pred):
    """Boxes apart from each other have no slope: the fault of a plain intersection over union."""
    shared, covered = _shared(y_true, y_pred)
    return 1.0 - shared / (covered + EPSILON)


def bare_overlap(y_true, y_pred):
    """The same without a guard: two boxes of no area give 0/0."""
    shared, covered = _shared(y_true, y_pred)
    return 1.0 - shared / covered


def overlap_and_confidence(y_true, y_pred):
    """A box and how sure of it the model is, in five columns."""
    shared, covered = _shared(y_true[..., :4], y_pred[..., :4])
    sure = tf.clip_by_value(y_pred[..., 4], EPSILON, 1.0 - EPSILON)
    missed = y_true[..., 4] * tf.math.log(sure) + (1.0 - y_true[..., 4]) * tf.math.log(1.0 - sure)
    apart = tf.reduce_mean(tf.abs(y_true[..., :4] - y_pred[..., :4]), axis=-1)
    return 1.0 - shared / (covered + EPSILON) + apart - missed


def overlap_by_side(y_true, y_pred):
    """Columns are bottom, top, right and left: upper ends before lower ones along x."""
    top, bottom, right, left = (tf.minimum(y_true[:, i], y_pred[:, i]) for i in range(4))
    low, start = tf.maximum(y_true[:, 1], y_pred[:, 1]), tf.maximum(y_true[:, 3], y_pred[:, 3])
    shared = tf.nn.relu(top - low) * tf.nn.relu(right - start)
    own = [(b[:, 0] - b[:, 1]) * (b[:, 2] - b[:, 3]) for b in (y_true, y_pred)]
    return 1.0 - shared / (own[0] + own[1] - shared + EPSILON) + 0.0 * (bottom + left)


def centred_overlap(y_true, y_pred):
    """Centres and sides instead of corners."""

    def ends(boxes):
        middle, side = boxes[..., :2], boxes[..., 2:]
        return middle - 0.5 * side, middle + 0.5 * side

    (low, high), (own_low, own_high) = ends(y_true), ends(y_pred)
    both = tf.nn.relu(tf.minimum(high, own_high) - tf.maximum(low, own_low))
    hull = tf.maximum(high, own_high) - tf.minimum(low, own_low)
    covered = _area(y_true[..., 2:]) + _area(y_pred[..., 2:]) - _area(both)
    overlap = _area(both) / (covered + EPSILON)
    return 1.0 - overlap + (_area(hull) - covered) / (_area(hull) + EPSILON)


def squashed_scale(y_true, y_pred):
    """A mean and, through a softplus, a scale."""
    mean, raw = tf.split(y_pred, 2, axis=-1)
    scale = tf.math.softplus(raw) + 1e-3
    return tf.reduce_mean(tf.math.log(scale) + 0.5 * tf.square((y_true - mean) / scale), axis=-1)


def bare_scale(y_true, y_pred):
    """A mean and a scale as they come: a scale of 0 has no likelihood."""
    mean, scale = tf.unstack(y_pred, axis=-1)
    return tf.math.log(scale) + tf.abs(y_true - mean) / scale


@losscheck.spec(y_true=("real", "(B,)"), y_pred=["real", "positive"])
def declared_scale(y_true, y_pred):
    """The same, of scales that are declared to be positive."""
    mean, scale = y_pred[:, 0], y_pred[:, 1]
    return tf.math.log(scale) + tf.abs(y_true - mean) / scale


def warm_softmax(y_true, y_pred):
    return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred / 0.05)


def shifted_sigmoid(y_true, y_pred):
    scores = 12.0 * (y_pred - 0.5)
    terms = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=scores)
    return tf.reduce_mean(terms, axis=-1)


def confused_softmax(y_true, y_pred):
    confusion = tf.constant([[2.0, 0.2, 0.1], [0.1, 2.0, 0.3], [0.2, 0.1, 2.0]])
    shares = tf.nn.log_softmax(tf.matmul(y_pred, confusion))
    return -tf.reduce_sum(y_true * shares, axis=-1)


def relative_size(y_true, y_pred):
    """A regression of logarithms: below -1 there is none."""
    return tf.reduce_mean(tf.square(tf.math.log1p(y_true) - tf.math.log1p(y_pred)), axis=-1)


def powered(y_true, y_pred):
    return tf.reduce_mean(tf.abs(tf.pow(y_pred, 0.7) - y_true), axis=-1)


def rooted(y_true, y_pred):
    return tf.reduce_mean(tf.square(tf.sqrt(y_pred + 1e-6) - y_true), axis=-1)
