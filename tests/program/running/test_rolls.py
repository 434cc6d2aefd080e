"""A roll along an axis that is counted from behind is one within each case of a block."""

import numpy as np
import pytest

from tests.program.calling import call

tf = pytest.importorskip("tensorflow")

from losscheck.program.programs import Programs  # noqa: E402
from losscheck.program.running.ways import Way  # noqa: E402

SHAPES = {"y_true": (2, 3), "y_pred": (2, 3)}


def rolled(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - tf.roll(y_pred, 1, axis=-1)), axis=-1)


def rolled_twice(y_true, y_pred):
    return tf.reduce_mean(y_true * tf.roll(y_pred, [1, 2], axis=[-2, -1]), axis=-1)


def hardly_rolled(y_true, y_pred):
    """The roll matters to the seventh digit alone."""
    return tf.reduce_mean(y_true + 1e-7 * tf.square(tf.roll(y_pred, 1, axis=-1)) * y_true, axis=-1)


@pytest.mark.parametrize("loss", [rolled, rolled_twice, hardly_rolled])
def test_cases_are_not_rolled_into_each_other(loss):
    program = Programs(call(loss)).at(SHAPES, "float64")
    assert program.settle() is not Way.SINGLY  # TensorFlow 2.16 stacks them
    rng = np.random.default_rng(0)
    inputs = {name: rng.normal(size=(50, *shape)) for name, shape in SHAPES.items()}
    block, alone = program.run(inputs), program.singly(inputs)
    np.testing.assert_allclose(block.value, alone.value, rtol=1e-13)
    np.testing.assert_allclose(block.gradient, alone.gradient, rtol=1e-13)
