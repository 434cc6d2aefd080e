"""Undeclared losses: what is assumed of their arguments, and the reason that the report gives."""

import functools
import os

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

from losscheck.infer import infer  # noqa: E402
from losscheck.model import UsageError  # noqa: E402
from losscheck.program.tracing.trace import OutputError  # noqa: E402
from losscheck.settings.settings import ArgumentSettings  # noqa: E402
from losscheck.targets import from_callable  # noqa: E402
from tests.desks import desk  # noqa: E402

HOME = os.path.dirname(__file__)
FREE = "nothing in the graph limits it"


def of(loss, **declared):
    return infer(from_callable(loss), declared, home=HOME, base=HOME)


@functools.cache
def found(loss):
    """The spec of a loss of which nothing is declared; shared by the tests of this file."""
    return of(loss).spec


def named(spec):
    return {argument.name: argument for argument in spec.arguments}


def mse(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def entropy(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)


def two_sided(y_true, y_pred):
    hit, miss = y_true * tf.math.log(y_pred), (1.0 - y_true) * tf.math.log(1.0 - y_pred)
    return -tf.reduce_mean(hit + miss, axis=-1)


def softmax_logits(y_true, y_pred):
    return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=y_pred)


def sigmoid_logits(y_true, y_pred):
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=y_pred), axis=-1
    )


def sparse(y_true, y_pred):
    chosen = tf.one_hot(tf.cast(y_true, tf.int32), tf.shape(y_pred)[-1])
    return -tf.reduce_sum(chosen * tf.math.log(y_pred + 1e-7), axis=-1)


def fixed_width(y_true, y_pred):
    return tf.reduce_mean(tf.constant([1.0, 2.0, 0.5]) * tf.square(y_true - y_pred), axis=-1)


def two_outputs(y_true, y_pred):
    """Mean and log variance, in the halves of the prediction."""
    mean, logarithm = y_pred[:, 0], y_pred[:, 1]
    return logarithm + tf.square(y_true - mean) * tf.exp(-logarithm)


def five_wide(y_true, y_pred):
    return tf.reduce_sum(tf.constant([1.0, 2.0, 3.0, 4.0, 5.0]) * tf.abs(y_true - y_pred), axis=-1)


def poisson(y_true, y_pred):
    return tf.reduce_mean(y_pred - y_true * tf.math.log(y_pred), axis=-1)


def hinge(y_true, y_pred):
    return tf.reduce_mean(tf.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


def signed(y_true, y_pred):
    error = tf.where(tf.equal(y_true, -1.0), 1.0 + y_pred, 1.0 - y_pred)
    return tf.reduce_mean(tf.maximum(error, 0.0), axis=-1)


def known_alone(y_true, y_pred):
    known = tf.cast(tf.not_equal(y_true, -1.0), y_pred.dtype)
    return tf.reduce_sum(known * tf.abs(y_true - y_pred)) / tf.reduce_sum(known)


def swapped(y_pred, y_true):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1)


def torch_order(input, target):  # noqa: A002
    return tf.reduce_mean(tf.nn.log_softmax(input) * -target, axis=-1)


def smooth_in_time(y_true, y_pred):
    step = y_pred[:, 1:, :] - y_pred[:, :-1, :]
    return tf.reduce_mean(tf.square(y_true - y_pred)) + tf.reduce_mean(tf.square(step))


def fraction(y_true, y_pred):
    return tf.reduce_mean(y_pred**0.7 - y_true)


def angle(y_true, y_pred):
    return tf.reduce_mean(tf.square(tf.acos(y_pred) - y_true))


def teacher(y_true, y_pred):
    wanted = tf.nn.softmax(y_true / 4.0, axis=-1)
    return -tf.reduce_sum(wanted * tf.nn.log_softmax(y_pred / 4.0, axis=-1), axis=-1)


def shape_and_rate(y_true, y_pred):
    shape, rate = tf.split(tf.nn.softplus(y_pred), 2, axis=-1)
    return tf.reduce_mean(rate * tf.square(y_true) - shape * y_true + tf.math.lgamma(shape))


def box_and_object(y_true, y_pred):
    there = y_true[..., 4:5]
    box = tf.reduce_sum(there * tf.square(y_true[..., :4] - y_pred[..., :4]), axis=-1)
    return box + tf.square(y_true[..., 4] - y_pred[..., 4])


def logarithmic(y_true, y_pred):
    return tf.reduce_mean(tf.square(tf.math.log(y_true + 1.0) - tf.math.log(y_pred + 1.0)))


@pytest.mark.parametrize(
    ("loss", "label", "prediction", "why"),
    [
        (mse, ("real", "(B, D)"), ("real", "(B, D)"), FREE),
        (
            two_sided,
            ("binary", "(B, D)"),
            ("probability", "(B, D)"),
            "goes into a log, and 1 - y_pred goes into a log",
        ),
        (
            softmax_logits,
            ("one_hot", "(B, D)"),
            ("logits", "(B, D)"),
            "goes into a cross entropy with logits",
        ),
        (sparse, ("class_index", "(B,)"), ("probability", "(B, D)"), "goes into a log"),
        (fixed_width, ("real", "(B, 3)"), ("real", "(B, 3)"), FREE),
        (five_wide, ("real", "(B, 5)"), ("real", "(B, 5)"), FREE),
        (
            poisson,
            ("nonnegative", "(B, D)"),
            ("nonnegative", "(B, D)"),
            "goes into a log, and is a term of its own",
        ),
        (hinge, ("real", "(B, D)"), ("real", "(B, D)"), FREE),
        (signed, ("sign", "(B, D)"), ("real", "(B, D)"), FREE),
        (known_alone, ("real", "(B, D)"), ("real", "(B, D)"), FREE),  # -1 is no label of two
        (smooth_in_time, ("real", "(B, T, D)"), ("real", "(B, T, D)"), FREE),
        (fraction, ("nonnegative", "(B, D)"), ("nonnegative", "(B, D)"), "fractional power"),
        (teacher, ("logits", "(B, D)"), ("logits", "(B, D)"), "goes into a log-softmax"),
        # Columns are split, not samples; and five of them are no accident of a square.
        (shape_and_rate, ("real", "(B, 3)"), ("logits", "(B, 6)"), "goes into a softplus"),
        (box_and_object, ("real", "(B, 5)"), ("real", "(B, 5)"), FREE),
        (angle, ("real", "(B, D)"), ("[-1, 1]", "(B, D)"), "goes into acos"),
    ],
)
def test_domain_and_shape_come_from_the_graph(loss, label, prediction, why):
    spec = found(loss)
    arguments = named(spec)
    assert (arguments["y_true"].domain, arguments["y_true"].shape) == label
    assert (arguments["y_pred"].domain, arguments["y_pred"].shape) == prediction
    assert why in arguments["y_pred"].why
    assert {a.origin for a in spec.arguments} == {"inferred"}
    assert {a.dtype for a in spec.arguments} == {"float32"}
    assert [a.role for a in spec.arguments] == ["y_true", "y_pred"]


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (two_sided, "1 - y_true is a weight of the other case"),
        (softmax_logits, "is the label of a softmax cross entropy"),
        (sparse, "goes into a one_hot"),
        (signed, "is compared with -1"),
        (poisson, "belongs to a prediction that is not negative"),
        (mse, FREE),
    ],
)
def test_the_labels_have_a_reason_of_their_own(loss, why):
    assert why in found(loss).named("y_true").why


def test_a_log_of_probabilities_leaves_other_domains_plausible():
    prediction = found(entropy).prediction
    assert prediction.domain in ("probability", "simplex")
    assert "goes into a log" in prediction.why
    # Alone in a log and summed over the last axis: a distribution as well as separate odds.
    assert {prediction.domain, *prediction.plausible} == {"probability", "nonnegative"}
    assert found(entropy).named("y_true").domain in ("binary", "one_hot")


def test_logits_of_a_sigmoid():
    arguments = named(found(sigmoid_logits))
    assert arguments["y_pred"].domain == "logits"
    assert arguments["y_true"].domain == "binary"


def test_the_order_of_the_arguments_is_the_losss_own():
    spec = found(swapped)
    assert [(a.name, a.role) for a in spec.arguments] == [
        ("y_pred", "y_pred"),
        ("y_true", "y_true"),
    ]
    assert spec.prediction.domain == found(entropy).prediction.domain
    assert spec.named("y_true").domain == found(entropy).named("y_true").domain


def test_pytorchs_names():
    arguments = named(found(torch_order))
    assert (arguments["input"].role, arguments["input"].domain) == ("y_pred", "logits")
    assert arguments["target"].role == "y_true"
    assert arguments["input"].why == "goes into a log-softmax"


def test_sizes_of_the_instances():
    assert found(mse).sizes == {"B": 4, "D": 3}
    assert found(mse).narrow == {"B": 1, "D": 1}
    assert found(sparse).narrow == {"B": 1, "D": 2}  # one class would leave nothing to choose
    assert found(fixed_width).sizes == {"B": 4}
    assert found(smooth_in_time).narrow["B"] == 1
    assert found(sparse).classes(found(sparse).sizes) == 3


def weighted(y_true, y_pred, sample_weights):
    return tf.reduce_mean(sample_weights * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1))


def documented(y_true, y_pred, weights):
    """Weigh samples.

    Args:
        y_true: Labels.
        y_pred: Predictions.
        weights: Importance of each sample (shape: (batch_size, 1)).
    """
    return tf.reduce_mean(weights * tf.square(y_true - y_pred))


def of_two_powers(y_true, y_pred, q):
    """Lie between the absolute error and its logarithm.

    Args:
        y_true: Labels.
        y_pred: Predictions.
        q: Float in range `(0, 1)`. What lies outside it divides by zero.
    """
    return tf.reduce_mean((1.0 - tf.pow(1.0 + tf.abs(y_true - y_pred), -q)) / q)


def masked(y_true, y_pred, mask):
    return tf.reduce_sum(mask * tf.abs(y_true - y_pred)) / tf.reduce_sum(mask)


def test_weights_of_samples_are_one_a_sample():
    arguments = named(found(weighted))
    assert arguments["sample_weights"].role == "weight"
    assert arguments["sample_weights"].domain == "weight"
    assert arguments["sample_weights"].shape == "(B,)"
    assert arguments["y_pred"].shape == "(B, D)"  # not the width at which B and D coincide


def test_the_docstring_gives_the_shape_of_weights():
    weights = named(found(documented))["weights"]
    assert weights.shape == "(B, 1)"
    assert (weights.origin, weights.why) == ("inferred", "its docstring gives the shape")


def test_the_docstring_gives_the_interval_of_a_parameter():
    q = named(found(of_two_powers))["q"]
    assert (q.role, q.domain, q.shape) == ("input", "(0, 1)", "()")
    assert (q.origin, q.why) == ("inferred", "its docstring says (0, 1)")


def test_a_mask_is_a_mask():
    mask = named(found(masked))["mask"]
    assert (mask.role, mask.domain, mask.shape) == ("weight", "mask", "(B, D)")


def test_a_narrowed_domain_says_so_and_why():
    spec = found(logarithmic)
    assert {a.domain for a in spec.arguments} == {"nonnegative"}
    assert "y_pred in real" in spec.narrowed
    assert "0% of the cases" in spec.narrowed
    assert {a.why for a in spec.arguments} == {"the loss is finite there"}
    assert found(mse).narrowed == ""


@pytest.mark.parametrize(
    ("loss", "label", "prediction", "shape"),
    [
        (keras.losses.BinaryCrossentropy(from_logits=True), "binary", "logits", "(B, D)"),
        (keras.losses.kl_divergence, "simplex", "simplex", "(B, D)"),
        (keras.losses.sparse_categorical_crossentropy, "class_index", "simplex", "(B,)"),
        (keras.losses.Huber(delta=2.0), "real", "real", "(B, D)"),
    ],
)
def test_keras_own_losses_are_known(loss, label, prediction, shape):
    arguments = named(of(loss).spec)
    assert arguments["y_true"].domain == label
    assert arguments["y_true"].shape == shape
    assert arguments["y_pred"].domain == prediction
    assert {a.origin for a in arguments.values()} == {"known"}
    assert "keras.losses." in arguments["y_pred"].why
    assert arguments["y_pred"].plausible == ()


def test_what_is_declared_goes_before_what_is_inferred():
    declared = {
        "y_pred": ArgumentSettings(domain="simplex", shape="(B, 5)"),
        "y_true": ArgumentSettings(shape="(B, 5)"),
    }
    arguments = named(of(entropy, **declared).spec)
    assert (arguments["y_pred"].domain, arguments["y_pred"].shape) == ("simplex", "(B, 5)")
    assert arguments["y_pred"].origin == "declared"
    assert arguments["y_pred"].plausible == ()
    assert arguments["y_true"].shape == "(B, 5)"
    assert arguments["y_true"].domain == "one_hot"  # as belongs to a simplex


def test_a_list_of_domains_gives_the_size_of_the_last_axis():
    def density(y_true, y_pred):
        return tf.math.log(y_pred[..., 1]) + tf.square(y_true[..., 0] - y_pred[..., 0])

    for declared, shape in (("[real, positive]", "(B, 2)"), ("[real, positive, real]", "(B, 3)")):
        spec = of(density, y_pred=ArgumentSettings(domain=declared)).spec
        assert (spec.prediction.domain, spec.prediction.shape) == (declared, shape)
    by_time = ArgumentSettings(domain="[real, positive]", shape="(B, T, D)")
    assert of(density, y_pred=by_time).spec.prediction.shape == "(B, T, 2)"


def test_a_list_of_domains_takes_the_rank_that_runs():
    def of_images(y_true, y_pred):
        inside = tf.reduce_sum(tf.square(y_true - y_pred[..., 0]), axis=[1, 2])
        return inside + tf.reduce_mean(tf.math.log(y_pred[:, :, :, 1]), axis=[1, 2])

    spec = of(of_images, y_pred=ArgumentSettings(domain="[real, positive]")).spec
    assert spec.prediction.shape == "(B, H, W, 2)"


def test_a_temperature_is_positive_and_an_advantage_any_number():
    def cooled(y_true, y_pred, temperature, advantage):
        shares = tf.nn.log_softmax(y_pred / temperature)
        return -advantage * tf.reduce_sum(y_true * shares, axis=-1)

    arguments = named(of(cooled).spec)
    assert arguments["y_pred"].domain == "logits"
    assert arguments["temperature"].domain == "positive"
    assert arguments["temperature"].why == "is a divisor"
    assert arguments["advantage"].domain == "real"


def test_a_declared_value_is_a_constant():
    def powered(y_true, y_pred, power):
        return tf.reduce_mean(tf.abs(y_true - y_pred) ** power)

    made = of(powered, power=ArgumentSettings(value=3.0, constant=True))
    assert [a.name for a in made.spec.arguments] == ["y_true", "y_pred"]
    assert made.spec.constants == {"power": 3.0}
    assert made.programs.call.constants == {"power": 3.0}


def test_the_programs_are_ready_at_the_sizes_found():
    made = of(mse)
    at = made.spec.shapes(made.spec.sizes)
    given = {name: np.full((1, *shape), 2.0) for name, shape in at.items()}
    given["y_pred"][:] = 5.0
    np.testing.assert_array_equal(made.programs.at(at).run(given).value, np.full((1, 4), 9.0))
    assert made.error is None


def test_a_loss_that_never_runs_keeps_its_error_and_line():
    def broken(y_true, y_pred):
        return tf.reduce_mean(tf.no_such_function(y_true - y_pred))

    made = of(broken)
    assert isinstance(made.error.error, AttributeError)
    assert "tf.no_such_function" in made.error.location.source
    assert [a.role for a in made.spec.arguments] == ["y_true", "y_pred"]


def test_no_tensor_is_an_output_error():
    with pytest.raises(OutputError):
        of(lambda y_true, y_pred: None)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"y_pred": ArgumentSettings(domain="probabilty")}, "probability"),
        ({"y_pred": ArgumentSettings(shape="(B, D")}, "not a shape"),
        ({"y_pre": ArgumentSettings(domain="real")}, "y_pred"),
        ({"y_pred": ArgumentSettings(domain="box", shape="(B, 3)")}, "4 columns.*the shape"),
        ({"y_pred": ArgumentSettings(domain="[real, real]", shape="(B, 3)")}, "of 2 columns"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(declared, said):
    with pytest.raises(UsageError, match=said):
        of(mse, **declared)


def test_labels_of_samples_are_preferred_to_labels_that_broadcast():
    def siamese(y_true, y_pred):  # (B, D) labels run at a width of 1 alone, and as rows of B * D
        same = tf.reshape(y_true, [-1])
        apart = tf.reduce_sum(tf.square(y_pred[:, :2] - y_pred[:, 1:3]), axis=-1)
        return same * apart + (1.0 - same) * tf.nn.relu(1.0 - apart)

    found = desk(siamese).evidence.spec
    assert {a.name: a.shape for a in found.arguments} == {"y_true": "(B,)", "y_pred": "(B, 3)"}


def squared_by_scan(y_true, y_pred):
    last = tf.scan(lambda total, x: total + tf.square(x), tf.transpose(y_pred))[-1]
    return tf.square(y_true - tf.math.log1p(last))


def of_a_sum(y_true, y_pred):
    return tf.square(y_true - tf.reduce_sum(tf.sin(y_pred), axis=-1))


def of_a_class(y_true, y_pred):
    own = tf.equal(y_true[:, None], tf.range(tf.shape(y_pred)[1], dtype=y_true.dtype)[None, :])
    return -tf.reduce_sum(tf.where(own, y_pred, 0.0), axis=-1)


def of_alike(y_true, y_pred):
    alike = tf.cast(tf.equal(y_true[:, None], y_true[None, :]), y_pred.dtype)
    return tf.reduce_sum(alike * tf.matmul(y_pred, y_pred, transpose_b=True), axis=1)


@pytest.mark.parametrize(
    ("loss", "label"),
    [
        # log1p keeps the prediction from below 0, and the label stands beside a logarithm above 0.
        (squared_by_scan, "nonnegative"),
        (of_a_sum, "real"),
        (of_a_class, "class_index"),
        (of_alike, "class_index"),
    ],
)
def test_labels_of_one_axis_less_are_classes_where_they_are_used_as_such(loss, label):
    spec = of(loss, y_true=ArgumentSettings(shape="(B,)"), y_pred=ArgumentSettings(shape="(B, D)"))
    assert named(spec.spec)["y_true"].domain == label
