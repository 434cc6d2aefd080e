"""Complex numbers and spectra by the exact evaluator: TensorFlow's in float64, and exact zeros."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import tensorflow as tf

from losscheck.program.exact import Truth, evaluate

ROUNDING = 1e-12  # a few thousand float64 ulps: rounding of a dozen operations, no more
Loss = Callable[[tf.Tensor], tf.Tensor]


def _truth(loss: Loss, x: np.ndarray) -> tuple[Truth, list[np.ndarray]]:
    """Exact value and gradient, and TensorFlow's own in float64."""

    @tf.function(autograph=False)
    def program(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        value = loss(x)
        return value, tf.convert_to_tensor(tf.gradients(value, [x])[0])

    traced = program.get_concrete_function(tf.TensorSpec(x.shape, tf.float64))
    kernels = [np.asarray(tensor) for tensor in traced(tf.constant(x))]
    return evaluate(traced.outputs, {"x": x}), kernels


def _quotient(x: tf.Tensor) -> tf.Tensor:
    turned = tf.signal.rfft(x) / tf.complex(x[..., :1], x[..., 1:2])
    return tf.reduce_sum(tf.square(tf.signal.irfft(turned)))


LOSSES: dict[str, Loss] = {
    "size": lambda x: tf.reduce_sum(tf.abs(tf.signal.rfft(x))),
    "angle": lambda x: tf.reduce_sum(tf.math.angle(tf.signal.rfft(x))),
    "plane": lambda x: tf.reduce_sum(tf.abs(tf.signal.rfft2d(x))),
    "frames": lambda x: tf.reduce_sum(tf.abs(tf.signal.stft(x, 4, 2))),
    "inverse": lambda x: tf.reduce_sum(tf.math.imag(tf.signal.ifft(tf.complex(x, x * x))) ** 2),
    "quotient": _quotient,
    "power": lambda x: tf.reduce_sum(tf.math.real(tf.exp(tf.complex(x, x)) * tf.complex(x, -x))),
    "product": lambda x: tf.reduce_sum(
        tf.abs(tf.matmul(tf.complex(x, x), tf.complex(x, -x), adjoint_b=True))
    ),
    "mean": lambda x: tf.abs(tf.reduce_mean(tf.complex(x, x * x))),
}


@pytest.mark.parametrize("length", [5, 6, 8])
@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_those_of_the_kernels(name: str, length: int) -> None:
    truth, kernels = _truth(LOSSES[name], np.random.default_rng(0).normal(size=(3, length)))
    for exact, given in zip(truth.values, kernels, strict=True):
        np.testing.assert_allclose(exact.astype(float), given, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("length", [5, 6, 8])
def test_what_a_constant_signal_has_beside_its_sum_is_exactly_0(length: int) -> None:
    truth, _ = _truth(
        lambda x: tf.reduce_sum(tf.math.log(tf.abs(tf.signal.rfft(x))[1:])), np.full(length, 0.1)
    )
    assert truth.values[0].item() == -mpmath.inf
