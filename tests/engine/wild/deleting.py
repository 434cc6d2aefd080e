"""A loss that deletes its own source."""

from pathlib import Path

import tensorflow as tf


def deletes_itself(y_true, y_pred):
    Path(__file__).unlink(missing_ok=True)
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
