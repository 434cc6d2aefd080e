"""What the graph of a loss says about its arguments."""

import pytest

tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

from losscheck.infer.hints import hints  # noqa: E402
from losscheck.infer.uses import Moved  # noqa: E402
from losscheck.program.programs import Programs  # noqa: E402
from losscheck.program.tracing.trace import Call, trace  # noqa: E402
from losscheck.program.tracing.wiring import wiring  # noqa: E402

PAIR = ("y_true", "y_pred")


def read(loss, labels=(4, 3)):
    call = Call(function=loss, names=PAIR, positional=2, prediction="y_pred")
    shapes = {"y_true": (labels, "float32"), "y_pred": ((4, 3), "float32")}
    return wiring(trace(call, shapes), PAIR, "y_pred")


def uses(loss, argument="y_pred", labels=(4, 3)):
    return {hint.use for hint in hints(read(loss, labels), argument)}


def clipped(p):
    return tf.clip_by_value(p, 1e-7, 1.0 - 1e-7)


def guarded(p):
    return tf.math.log(tf.where(p > 0.0, p, 1.0))


def softmax_by_hand(t, p):
    shifted = tf.exp(p - tf.reduce_max(p, axis=-1, keepdims=True))
    return tf.reduce_sum(t * shifted / tf.reduce_sum(shifted, axis=-1, keepdims=True))


def over_its_sum(t, p):
    parts = p / tf.reduce_sum(p, axis=-1, keepdims=True)
    return -tf.reduce_sum(t * tf.math.log(parts))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda t, p: tf.reduce_mean(tf.square(t - p)), {"linear"}),
        (lambda t, p: tf.reduce_mean(tf.abs(t - p) / (tf.abs(t) + 1e-7)), {"linear"}),
        (lambda t, p: tf.reduce_mean(-t * p), set()),
        (lambda t, p: tf.reduce_mean(t / tf.maximum(p, 1e-6)), {"guarded", "divisor", "scale"}),
        (lambda t, p: tf.reduce_mean(t * tf.maximum(p, 0.5)), {"paired"}),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log(p)), {"log"}),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log(p + 1e-7)), {"log"}),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log(tf.maximum(p, 1e-7))), {"log", "guarded"}),
        (lambda t, p: -tf.reduce_sum(t * guarded(p)), {"log"}),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log(tf.reshape(p, [-1, 4, 3]))), {"log"}),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log(1.0 + p)), set()),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log(1.0 - p)), {"log-complement"}),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log(1.0 - p + 1e-7)), {"log-complement"}),
        (lambda t, p: -tf.reduce_sum(t * tf.math.log1p(-p)), {"log-complement"}),
        (lambda t, p: -tf.reduce_sum(tf.math.xlogy(t, p)), {"log"}),
        (lambda t, p: tf.reduce_sum(p - t * tf.math.log(p)), {"log", "linear"}),
        (lambda t, p: tf.reduce_sum(tf.square(tf.math.log1p(p) - t)), {"nonnegative"}),
        (lambda t, p: tf.reduce_sum(tf.square(tf.sqrt(p) - t)), {"nonnegative"}),
        (lambda t, p: tf.reduce_sum(p**0.7 - t), {"nonnegative"}),
        (lambda t, p: tf.reduce_sum((p - t) ** 3.0), {"linear"}),
        (lambda t, p: tf.reduce_sum(tf.acos(p) - t), {"cosine"}),
        (lambda t, p: -tf.reduce_sum(t * tf.nn.log_softmax(p)), {"logits"}),
        (lambda t, p: tf.reduce_sum(tf.square(tf.sigmoid(p) - t)), {"logits"}),
        (softmax_by_hand, {"logits", "linear"}),
        (over_its_sum, {"log", "sums-to-one"}),
        (
            lambda t, p: -tf.reduce_sum(t * tf.math.log(clipped(p))),
            {"log", "unit-interval", "guarded"},
        ),
        (lambda t, p: tf.reduce_sum(t * (1.0 - p) * p), {"complement"}),
        (lambda t, p: -tf.reduce_sum(t * tf.nn.log_softmax(30.0 * p)), {"scaled-logits"}),
        (lambda t, p: -tf.reduce_sum(t * tf.nn.log_softmax(p / 0.07 - 1.0)), {"scaled-logits"}),
        (lambda t, p: -tf.reduce_sum(t * tf.nn.log_softmax(p @ tf.eye(3))), {"scaled-logits"}),
        (lambda t, p: tf.reduce_sum(tf.square(tf.sigmoid(5.0 * p) - t)), {"scaled-logits"}),
        (lambda t, p: tf.reduce_sum(tf.nn.softplus(2.0 * (p - t)) - p), {"linear"}),
        (lambda t, p: -tf.reduce_sum(t * tf.nn.log_softmax(p @ tf.transpose(p) @ t)), set()),
        (lambda t, p: tf.reduce_sum(tf.nn.softplus(p) - t), {"softplus"}),
        (lambda t, p: tf.reduce_sum(tf.nn.softplus(p) - t * p), {"softplus", "paired"}),
        (
            lambda t, p: tf.reduce_sum(tf.math.log(2.0 * p) + t / p),
            {"positive", "divisor", "scale"},
        ),
        (lambda t, p: tf.reduce_sum(tf.exp(p - t) - t), {"linear"}),
        (lambda t, p: tf.reduce_sum(tf.math.lgamma(p + 1.0) - t), {"count"}),
    ],
)
def test_uses_of_the_prediction(loss, expected):
    assert uses(loss) == expected


def test_keras_own_cross_entropy_is_read_through_its_helpers():
    assert {"log", "log-complement"} <= uses(keras.losses.binary_crossentropy)
    assert {"log", "sums-to-one"} <= uses(keras.losses.categorical_crossentropy)


@pytest.mark.parametrize(
    "loss",
    [
        lambda t, p: tf.nn.softmax_cross_entropy_with_logits(labels=t, logits=p),
        lambda t, p: keras.losses.categorical_crossentropy(t, p, from_logits=True),
    ],
)
def test_a_softmax_cross_entropy_tells_of_both(loss):
    assert "logits" in uses(loss)
    assert "one-hot" in uses(loss, "y_true")


def test_a_sigmoid_cross_entropy_with_logits_wants_logits():
    def loss(t, p):
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=p)

    assert "logits" in uses(loss)


def sparse(t, p):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(t, tf.int32), logits=p)


def by_one_hot(t, p):
    return -tf.reduce_sum(tf.one_hot(tf.cast(t, tf.int32), 3) * p)


def by_gather(t, p):
    return -tf.reduce_sum(tf.gather(p, tf.cast(t, tf.int32), batch_dims=1))


@pytest.mark.parametrize("loss", [sparse, by_one_hot, by_gather])
def test_labels_that_choose_are_indices(loss):
    assert "index" in uses(loss, "y_true", labels=(4,))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda t, p: tf.reduce_sum(tf.where(t == 1.0, p, 1.0 - p)), {"binary"}),
        (lambda t, p: tf.reduce_sum(tf.where(t == -1.0, p, -p)), {"sign"}),
        (lambda t, p: tf.reduce_sum(t * p + (1.0 - t) * tf.square(p)), {"complement", "paired"}),
        (lambda t, p: tf.reduce_sum(t * (tf.math.log(t) - p)), {"log"}),
        (lambda t, p: tf.reduce_sum(tf.where(t == 0.5, p, -p)), set()),
    ],
)
def test_uses_of_the_labels(loss, expected):
    assert uses(loss, "y_true") == expected


def test_each_hint_says_why_in_words_and_stands_once():
    def loss(t, p):
        return -tf.reduce_sum(
            t * tf.math.log(p) + tf.math.log(p) + (1.0 - t) * tf.math.log(1.0 - p)
        )

    found = hints(read(loss), "y_pred")
    assert [hint.use for hint in found] == ["log", "log-complement"]
    assert [hint.why for hint in found] == ["goes into a log", "1 - y_pred goes into a log"]


def test_the_gradient_gives_no_hints():
    # The slope of a square root is a division by it; the prediction itself goes nowhere else.
    assert uses(lambda t, p: tf.reduce_sum(tf.square(tf.exp(p) - t))) == set()


def of_columns(loss, argument="y_pred"):
    """The columns that each use is of."""
    call = Call(function=loss, names=PAIR, positional=2, prediction="y_pred")
    program = Programs(call).at({"y_true": (4, 3), "y_pred": (4, 3)})
    found = hints(program.wiring, argument, Moved(program, argument).columns)
    return {hint.use: set(hint.columns) for hint in found}


def parted(t, p):
    centre, scale, weight = tf.split(p, 3, axis=-1)
    return tf.reduce_sum(tf.square((t - centre) / scale) + tf.math.log(scale) + tf.sigmoid(weight))


def sliced(t, p):
    return tf.reduce_sum(
        tf.math.log(p[..., 1:]) + tf.math.log(1.0 - p[:, 1:]) + p[:, :1] * t[:, 1:]
    )


def gathered(t, p):
    return tf.reduce_sum(tf.math.log(tf.gather(p, [2, 0], axis=-1)) + t[:, :2])


def whole(t, p):
    inside = tf.clip_by_value(p, 1e-7, 1.0)
    return -tf.reduce_sum(t * tf.math.log(inside)) + tf.reduce_sum(p[:, 0])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (parted, {"linear": {0}, "divisor": {1}, "scale": {1}, "log": {1}, "logits": {2}}),
        (sliced, {"log": {1, 2}, "log-complement": {1, 2}, "paired": {0}}),
        (gathered, {"log": {0, 2}}),
        (whole, {"unit-interval": set(), "guarded": set(), "log": set()}),
    ],
)
def test_a_use_is_of_columns(loss, expected):
    assert of_columns(loss) == expected
