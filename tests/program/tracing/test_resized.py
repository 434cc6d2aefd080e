"""Products with what a kernel does to rows and columns give what the kernel itself gives."""

import numpy as np
import pytest

from tests.program.calling import call

tf = pytest.importorskip("tensorflow")

from losscheck.program.programs import Programs  # noqa: E402
from losscheck.program.running.ways import Way  # noqa: E402

SHAPES = {"y_true": (2, 4, 5, 2), "y_pred": (2, 4, 5, 2)}
ROUNDING = 1e-6  # some ten float32 ulps, of the largest number


def _resized(method, size, **options):
    def loss(y_true, y_pred):
        gap = tf.image.resize(y_pred - y_true, size, method=method, **options)
        return tf.reduce_sum(gap**3, axis=[1, 2, 3])

    return loss


def _by_corners(y_true, y_pred):
    small = tf.compat.v1.image.resize_bicubic(y_pred - y_true, [3, 2], align_corners=True)
    return tf.reduce_sum(small**3, axis=[1, 2, 3])


@pytest.mark.parametrize(
    "loss",
    [
        _resized("bilinear", [3, 3]),
        _resized("bilinear", [8, 1]),
        _resized("bilinear", [2, 3], antialias=True),
        _resized("bicubic", [6, 9]),
        _resized("lanczos3", [3, 3]),
        _resized("gaussian", [5, 4]),
        _resized("mitchellcubic", [4, 7]),
        _by_corners,
    ],
)
def test_value_and_gradient_agree_with_the_kernels(loss):
    programs = Programs(call(loss))
    rng = np.random.default_rng(0)
    inputs = {n: rng.normal(size=(20, *s)).astype(np.float32) for n, s in SHAPES.items()}
    double, single = (each.run(inputs) for each in (programs.double(SHAPES), programs.at(SHAPES)))
    assert programs.has_double(SHAPES)
    assert programs.double(SHAPES).settle() is Way.VECTORIZED
    for found, kernel in ((double.value, single.value), (double.gradient, single.gradient)):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, kernel, rtol=0, atol=ROUNDING * np.abs(kernel).max())


def test_a_size_that_depends_on_the_batch_is_left_to_the_kernel():
    def loss(y_true, y_pred):
        size = 2 + tf.cast(tf.reduce_max(y_true) > 0.5, tf.int32)
        small = tf.image.resize(y_pred, tf.stack([size, size]))
        return tf.reduce_mean(small, axis=[1, 2, 3])

    programs = Programs(call(loss))
    ones = {name: np.ones((1, *shape), np.float32) for name, shape in SHAPES.items()}
    assert not programs.has_double(SHAPES)
    np.testing.assert_allclose(programs.double(SHAPES).run(ones).value, 1.0)
