"""What a loss is called with, what it may return, and what is kept of an error."""

import numpy as np
import pytest

from tests.program.calling import call, traced

tf = pytest.importorskip("tensorflow")

from losscheck.program.tracing.trace import CallError, OutputError, trace  # noqa: E402


def mse(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def test_tensors_go_by_position_then_by_keyword_and_constants_by_keyword():
    seen = {}

    def loss(y_true, /, y_pred, *, weight, gamma):
        seen.update(y_true=y_true, y_pred=y_pred, weight=weight, gamma=gamma)

    made = call(loss, names=("y_true", "y_pred", "weight"), positional=2, constants={"gamma": 2.0})
    made(["t", "p", "w"])
    assert seen == {"y_true": "t", "y_pred": "p", "weight": "w", "gamma": 2.0}


def test_value_gradient_and_placeholders_keep_shape_and_order():
    found = traced(mse, shape=(4, 3))
    assert found.value.shape == (4,)
    assert found.gradient.shape == (4, 3)
    assert [p.shape for p in found.placeholders] == [(4, 3), (4, 3)]
    assert found.placeholders[0].op.outputs[0].consumers()[0].type == "Sub"
    assert found.captures == ()
    assert found.gradient_error == ""


def test_the_gradient_is_taken_of_the_prediction_wherever_it_stands():
    def loss(y_pred, y_true):
        return tf.reduce_sum(y_pred * tf.stop_gradient(y_true))

    made = call(loss, names=("y_pred", "y_true"))
    found = trace(made, {"y_pred": ((2, 3), "float32"), "y_true": ((3,), "float32")})
    assert found.gradient.shape == (2, 3)


def test_unknown_sizes_and_ranks_are_traced():
    assert traced(mse, shape=(None, 3)).gradient.shape.as_list() == [None, 3]
    assert traced(mse, shape=None).value.shape.rank is None


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_the_dtype_of_the_signature_holds_inside(dtype):
    found = traced(mse, dtype=dtype)
    assert found.value.dtype.name == found.gradient.dtype.name == dtype


def test_captured_variables_are_named():
    scale = tf.Variable(3.0)
    found = traced(lambda t, p: tf.reduce_sum(scale * (t - p)))
    ((outer, inner),) = found.captures
    assert outer.dtype == tf.resource
    assert inner.op.type == "Placeholder"


@pytest.mark.parametrize(
    ("loss", "form", "said"),
    [
        (lambda t, p: None, "none", "None"),
        (lambda t, p: 1.5, "not-a-tensor", "float 1.5"),
        (lambda t, p: [tf.reduce_sum(p)], "not-a-tensor", "list"),
        (lambda t, p: {"loss": tf.reduce_sum(p)}, "not-a-tensor", "dict"),
        (lambda t, p: t > p, "not-a-tensor", "a tensor of bool"),
        (lambda t, p: np.float32(3), "not-a-tensor", "float32"),
        (
            lambda t, p: tf.RaggedTensor.from_row_lengths(p[:, 0], [1, 1]),
            "not-a-tensor",
            "RaggedTensor",
        ),
    ],
)
def test_what_is_no_tensor_of_numbers_is_an_output_error(loss, form, said):
    with pytest.raises(OutputError, match=said) as caught:
        traced(loss)
    assert caught.value.form == form
    assert len(caught.value.returned) <= 200


def test_a_variable_counts_as_its_value():
    kept = tf.Variable([1.0, 2.0])
    assert traced(lambda t, p: kept).value.shape == (2,)


@pytest.mark.parametrize(
    "loss",
    [
        lambda t, p: tf.reduce_sum(tf.cast(tf.argmax(p, axis=-1), tf.float32)),
        lambda t, p: tf.reduce_sum(tf.stop_gradient(p) - t),
        lambda t, p: tf.reduce_sum(tf.round(p)),
    ],
)
def test_no_gradient_is_none_and_no_error(loss):
    found = traced(loss)
    assert found.gradient is None
    assert found.gradient_error == ""


def test_a_gradient_that_raises_is_told_of():
    @tf.custom_gradient
    def square(x):
        def gradient(upstream):
            raise ValueError("no slope here\nsecond line")

        return x * x, gradient

    found = traced(lambda t, p: tf.reduce_sum(square(p - t)))
    assert found.gradient is None
    assert found.gradient_error == "ValueError: no slope here"


def test_an_error_keeps_its_cause_and_the_users_line():
    def loss(t, p):
        return tf.reduce_mean(tf.no_such_function(t - p))

    with pytest.raises(CallError, match="AttributeError") as caught:
        traced(loss)
    place = caught.value.location
    assert isinstance(caught.value.error, AttributeError)
    assert place.source[place.column - 1 : place.end_column - 1] == "tf.no_such_function"


def by_sign(t, p):
    if tf.reduce_sum(p) > 0:
        return tf.reduce_sum(tf.abs(t - p))
    return tf.reduce_sum(tf.square(t - p))


def test_a_python_if_needs_autograph_which_the_call_may_ask_for():
    with pytest.raises(CallError, match="Python `bool`") as caught:
        traced(by_sign)
    place = caught.value.location
    assert place.source[place.column - 1 : place.end_column - 1] == "tf.reduce_sum(p) > 0"
    signature = {"y_true": ((3,), "float32"), "y_pred": ((3,), "float32")}
    assert trace(call(by_sign, autograph=True), signature).autograph
    assert traced(by_sign, autograph=True).gradient is not None


def test_what_needs_no_autograph_is_traced_without_it_so_that_its_columns_are_known():
    signature = {"y_true": ((3,), "float32"), "y_pred": ((3,), "float32")}
    made = trace(call(mse, autograph=True), signature)
    assert not made.autograph
    (square,) = (op for op in made.graph.get_operations() if op.name == "Square")
    place = made.origins.location(square.name)
    assert place.source[place.column - 1 : place.end_column - 1] == "tf.square(y_true - y_pred)"
