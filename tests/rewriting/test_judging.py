"""Bits lost: float32 as TensorFlow computes it, beside exact numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from losscheck.rewriting.arithmetic import ALL, Exact, Single, bits, error
from losscheck.rewriting.evaluation import Values
from losscheck.rewriting.judging import Judge, points
from losscheck.rewriting.python import read


def test_bits_of_a_few_ulps() -> None:
    truth = np.array([1.0, 1.0, 1.0, -2.0])
    given = np.float32([1.0, 1.0 + 2.0**-23, 1.0 + 3 * 2.0**-23, -2.0 - 2.0**-22])
    assert bits(given, truth) == pytest.approx([0, 1, 2, 1])


def test_what_is_not_finite_lost_everything() -> None:
    assert list(bits(np.float32([np.nan, np.inf]), np.array([1.0, 1.0]))) == [ALL, ALL]


def test_an_infinity_is_right_where_float32_ends() -> None:
    truth = np.array([1e300, -1e300, 1e300])
    assert list(bits(np.float32([np.inf, -np.inf, -np.inf]), truth)) == [0, 0, ALL]


def test_where_there_is_no_truth_nothing_is_lost() -> None:
    assert list(bits(np.float32([np.nan, 1]), np.array([np.nan, np.nan]))) == [0, 0]


def test_subnormal_numbers_are_flushed() -> None:
    values = Values({"x": np.float32([1e-20, 1e-10])}, Single())
    assert values.of(read("x * x")) == pytest.approx([0, 1e-20], rel=1e-6, abs=0)
    judge = Judge(read("x * x"), {"x": np.float32([1e-20])})
    assert error(judge.value_bits(read("x * x"))).maximum <= 1


def test_truth_has_the_digits_that_cancel() -> None:
    x = np.float32([1e-12, 1e-30, 3e-38])
    judge = Judge(read("tf.exp(x) - 1.0 - x"), {"x": x})
    assert judge.truth.value == pytest.approx(np.float64(x) ** 2 / 2, rel=1e-9)
    assert judge.truth.slopes["x"] == pytest.approx(np.float64(x), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("tf.math.log(x)", lambda x: 1 / x),
        ("x ** 3 / (1.0 + x)", lambda x: (3 * x**2 * (1 + x) - x**3) / (1 + x) ** 2),
        ("tf.sqrt(x) * tf.sin(x)", lambda x: math.sin(x) / 2 / x**0.5 + x**0.5 * math.cos(x)),
        ("tf.atan2(x, 2.0)", lambda x: 2 / (4 + x * x)),
        ("2.0 ** x", lambda x: math.log(2) * 2**x),
        ("tf.maximum(x, 1.0) - tf.minimum(x, 2.0)", lambda x: float(x >= 1) - float(x <= 2)),
        ("tf.where(x > 1.0, x * x, -x)", lambda x: 2 * x if x > 1 else -1),
        (
            "tf.math.softplus(x) + tf.tanh(x)",
            lambda x: 1 / (1 + math.exp(-x)) + 1 - math.tanh(x) ** 2,
        ),
        ("tf.acosh(1.0 + x)", lambda x: 1 / math.sqrt((1 + x) ** 2 - 1)),
        ("tf.math.erf(x) - tf.math.erfc(x)", lambda x: 4 / math.sqrt(math.pi) * math.exp(-x * x)),
    ],
)
def test_derivatives(text: str, slope: object) -> None:
    x = np.float32([0.3, 1.7, 4.5])
    for arithmetic in (Single(), Exact(100)):
        found = Values({"x": x}, arithmetic).gradient(read(text))["x"]
        wanted = [slope(float(each)) for each in x]  # type: ignore[operator]
        assert np.asarray(found, float) == pytest.approx(wanted, rel=1e-5)


def test_reductions_keep_cases_apart() -> None:
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
    y = np.float32([1, 2, 3, 4, 5])
    values = Values({"x": x, "y": y}, Single())
    assert values.of(read("tf.reduce_sum(x, axis=-1)")).shape == (5, 2)
    assert values.of(read("tf.reduce_mean(x)")) == pytest.approx(x.mean(axis=(1, 2)), rel=1e-5)
    assert values.of(read("tf.reduce_sum(x, axis=0)")).shape == (5, 3)
    scaled = values.of(read("y * tf.reduce_logsumexp(x, axis=1, keepdims=True)"))
    assert scaled == pytest.approx(
        y[:, None, None] * np.log(np.exp(x).sum(axis=2, keepdims=True)), rel=1e-5
    )


def test_gradients_through_reductions_add_up() -> None:
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    text = (
        "w * (tf.nn.log_softmax(x) - tf.nn.softmax(x)) * tf.reduce_max(x, axis=-1, keepdims=True)"
    )
    single = Values({"x": x, "w": x[:, :1]}, Single()).gradient(read(text))
    exact = Values({"x": x, "w": x[:, :1]}, Exact(120))
    for leaf in ("x", "w"):
        assert np.asarray(exact.gradient(read(text))[leaf], float) == pytest.approx(
            single[leaf], rel=1e-4, abs=1e-5
        )


def test_an_axis_that_is_not_there_is_told() -> None:
    values = Values({"x": np.float32([1, 2])}, Single())
    with pytest.raises(ValueError, match="no axis -1"):
        values.of(read("tf.reduce_sum(x, axis=-1)"))


def test_the_worst_points_are_among_those_that_are_chosen() -> None:
    x = np.linspace(1, 2, 5000).astype(np.float32)
    x[[7, 1234]] = 1e-9, -100
    chosen = points(read("tf.math.log(tf.exp(x)) + 0.0 * y"), {"x": x, "y": x})
    assert len(chosen["x"]) == 256
    assert {np.float32(1e-9), np.float32(-100)} <= set(chosen["x"])


def test_without_a_reduction_every_element_is_a_point() -> None:
    x, y = np.ones((5, 4, 3), np.float32), np.ones((5, 3), np.float32)
    chosen = points(read("x - y"), {"x": x, "y": y})
    assert {text: values.shape for text, values in chosen.items()} == {"x": (60,), "y": (60,)}
    whole = points(read("tf.reduce_sum(x - y, axis=-1)"), {"x": x, "y": y})
    assert whole["x"].shape == (5, 4, 3)
    with pytest.raises(ValueError, match="broadcast"):
        points(read("x - y"), {"x": x, "y": np.ones((5, 2))})
