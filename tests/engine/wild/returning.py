"""Losses that return something odd."""

import tensorflow as tf


class Unprintable:
    """Cannot be shown."""

    def __repr__(self):
        raise RuntimeError("no text")

    __str__ = __repr__


class Unhashable:
    """Cannot be a key, and is like nothing."""

    def __hash__(self):
        raise RuntimeError("no hash")

    def __eq__(self, other):
        raise RuntimeError("no comparison")


class UnprintableError(Exception):
    """Cannot be shown either."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def unprintable(y_true, y_pred):
    return Unprintable()


def unhashable(y_true, y_pred):
    return Unhashable()


def raises_the_unprintable(y_true, y_pred):
    raise UnprintableError


def generator(y_true, y_pred):
    yield tf.reduce_mean(tf.square(y_true - y_pred))


async def coroutine(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred))


def asynchronous(y_true, y_pred):
    return coroutine(y_true, y_pred)


def asks(y_true, y_pred):
    return y_pred if input("go on? ") else y_true  # nobody answers: EOFError
