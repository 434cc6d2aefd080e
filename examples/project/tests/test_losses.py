"""The losses themselves; `pytest --losscheck` checks them, too."""

import numpy as np
import tensorflow as tf
from shop_losses import losses


def test_a_right_answer_costs_next_to_nothing() -> None:
    right = tf.constant([[1.0, 0.0]])
    assert float(losses.focal(right, right)[0]) < 1e-6


def test_a_distance_is_one() -> None:
    found = losses.distance(tf.constant([[0.0, 0.0]]), tf.constant([[3.0, 4.0]]))
    assert np.allclose(found, 5.0)
