"""A gradient taken over from the float32 graph is the one that TensorFlow derives in the dtype.

The truth is the same loss traced with its gradient in that dtype: bit for bit, since both are to be
the same operations.
"""

from itertools import product

import numpy as np
import pytest

from losscheck.program.tracing.retyped import retyped
from tests.program.calling import SHAPES, call, cases

tf = pytest.importorskip("tensorflow")

from losscheck.program.programs import Programs  # noqa: E402
from losscheck.program.running.program import Program  # noqa: E402
from losscheck.program.tracing.trace import CallError, trace  # noqa: E402

DTYPES = ("float64", "float16", "bfloat16")


def squared(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def entropy(y_true, y_pred):
    p = tf.clip_by_value(y_pred, 1e-3, 1 - 1e-3)
    return -tf.reduce_mean(y_true * tf.math.log(p) + (1 - y_true) * tf.math.log1p(-p), axis=-1)


def cosine(y_true, y_pred):
    return -tf.reduce_sum(
        tf.math.l2_normalize(y_true, axis=-1) * tf.math.l2_normalize(y_pred, axis=-1), axis=-1
    )


def softmax(y_true, y_pred):
    return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)


def powers(y_true, y_pred):
    return tf.reduce_sum(tf.abs(y_true - y_pred) ** 1.7 + tf.sqrt(y_pred + 0.1), axis=-1)


def picked(y_true, y_pred):
    index = tf.argmax(y_true, axis=-1)
    return -tf.math.log(tf.gather(y_pred, index, axis=-1, batch_dims=1))


OUTSIDE = tf.constant([0.3, 1.0, 2.0])


def captured(y_true, y_pred):
    return tf.reduce_sum(tf.cast(OUTSIDE, y_pred.dtype) * tf.abs(y_true - y_pred), axis=-1)


def traced(function, dtype):
    return trace(call(function), {name: (shape, dtype) for name, shape in SHAPES.items()})


def taken_over(function, dtype):
    signature = {name: (shape, dtype) for name, shape in SHAPES.items()}
    return retyped(traced(function, "float32"), call(function), signature, dtype)


@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        *product([squared, entropy, cosine, powers, picked], DTYPES),
        (softmax, "float64"),  # half types are turned into float32 inside
    ],
)
def test_value_and_gradient_are_those_of_a_trace(function, dtype):
    found = taken_over(function, dtype)
    assert found is not None
    given = cases(20)
    one, other = (
        Program(each, call(function)).singly(given) for each in (found, traced(function, dtype))
    )
    assert one.value.dtype == other.value.dtype
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.gradient, other.gradient)


def test_an_operation_of_the_gradient_has_its_line():
    full, found = traced(squared, "float64"), taken_over(squared, "float64")
    names = [op.name for op in found.graph.get_operations() if op.name.startswith("gradients/")]
    locations = [found.origins.location(name) for name in names]
    assert locations == [full.origins.location(name) for name in names]
    assert any(place is not None and "tf.square" in place.source for place in locations)


@tf.custom_gradient
def halved(x):
    """Asks for the dtype on the way back, where the forward pass does not show it."""
    return tf.identity(x), lambda upstream: upstream * (0.5 if x.dtype == tf.float64 else 1.0)


@pytest.mark.parametrize(
    ("function", "dtype"),
    [
        (lambda t, p: tf.reduce_sum(t * halved(p), axis=-1), "float64"),
        (lambda t, p: tf.reduce_sum(tf.cast(t - p, tf.float32) ** 2, axis=-1), "float64"),
        (lambda t, p: tf.reduce_sum(p**2 if p.dtype == tf.float16 else p, axis=-1), "float16"),
        # The slope of erf has the constant 2 / sqrt(pi), which float32 has rounded.
        (lambda t, p: tf.reduce_sum(tf.math.erf(t - p), axis=-1), "float64"),
        (captured, "float64"),  # a cast that float32 does without
        (softmax, "float16"),
    ],
)
def test_what_does_something_else_in_the_dtype_is_not_taken_over(function, dtype):
    assert taken_over(function, dtype) is None


def test_programs_come_out_the_same():
    programs = Programs(call(entropy))
    given = cases(20)
    programs.at(SHAPES)
    found = programs.at(SHAPES, "float64").singly(given)
    other = Programs(call(entropy)).at(SHAPES, "float64").singly(given)  # nothing to take over
    np.testing.assert_array_equal(found.gradient, other.gradient)


def test_what_the_loss_raises_in_the_dtype_is_raised():
    def refuses(y_true, y_pred):
        if y_pred.dtype == tf.float16:
            raise TypeError("no half")
        return squared(y_true, y_pred)

    with pytest.raises(CallError, match="no half"):
        taken_over(refuses, "float16")


def test_a_gradient_that_has_no_half_type_is_no_fault_of_ours():
    # igamma takes half types while it is traced, and what its gradient is made of does not.
    def loss(t, p):
        return tf.reduce_sum(t * tf.math.igamma(tf.constant(2.0, p.dtype), p))

    made = Programs(call(loss))
    made.at(SHAPES)
    with pytest.raises(CallError):
        made.at(SHAPES, "float16")
