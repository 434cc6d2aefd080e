"""Losses that end their process."""

import ctypes
import os
import signal
import sys
import threading

import numpy as np
import tensorflow as tf


class OddError(BaseException):
    """No Exception."""


def aborts(y_true, y_pred):
    os.abort()


def reads_nowhere(y_true, y_pred):
    ctypes.string_at(0)


def reads_nowhere_as_it_runs(y_true, y_pred):
    def read(error):
        ctypes.string_at(0)
        return error

    error = tf.numpy_function(read, [y_true - y_pred], tf.float32)
    return tf.reduce_mean(tf.square(error), axis=-1)


def is_killed(y_true, y_pred):
    os.kill(os.getpid(), signal.SIGKILL)


def is_told_to_end(y_true, y_pred):
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()


def exits(y_true, y_pred):
    sys.exit(3)


def exits_with_words(y_true, y_pred):
    print("three classes, please")
    raise SystemExit("not like this")


def exits_at_once(y_true, y_pred):
    os._exit(4)


def exits_as_if_all_were_well(y_true, y_pred):
    os._exit(0)


def quits(y_true, y_pred):
    quit()


def raises_what_nothing_handles(y_true, y_pred):
    raise OddError("odd")


def interrupts(y_true, y_pred):
    raise KeyboardInterrupt


def ends_a_generator(y_true, y_pred):
    raise GeneratorExit


def takes_all_memory(y_true, y_pred):
    kept = []
    while True:
        kept.append(np.ones(10_000_000))


def constant_of_two_gigabytes(y_true, y_pred):
    table = tf.constant(np.ones(2**28))
    return tf.reduce_mean(tf.square(y_true - y_pred) * tf.cast(table[0], tf.float32), axis=-1)


def recursion_without_an_end(y_true, y_pred):
    return recursion_without_an_end(y_true, y_pred + 1.0)


def recursion_without_a_limit(y_true, y_pred):
    sys.setrecursionlimit(10**9)
    return max([y_pred], key=lambda each: recursion_without_a_limit(y_true, each))


def reads_nowhere_in_a_thread(y_true, y_pred):
    thread = threading.Thread(target=ctypes.string_at, args=(0,))
    thread.start()
    thread.join()
