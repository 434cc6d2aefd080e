"""Losses that never come back."""

import ctypes
import signal
import threading
import time

import tensorflow as tf

_lock = threading.Lock()


def in_python(y_true, y_pred):
    while True:
        time.sleep(1.0)


def in_native_code(y_true, y_pred):
    ctypes.CDLL(None).pause()


def holding_the_interpreter(y_true, y_pred):
    ctypes.PyDLL(None).pause()  # no other thread of Python runs meanwhile


def in_a_graph(y_true, y_pred):
    total = tf.while_loop(lambda x: tf.reduce_all(x == x), lambda x: [x * 1.0], [y_pred])[0]
    return tf.reduce_mean(tf.square(y_true - total), axis=-1)


def deadlock(y_true, y_pred):
    with _lock, _lock:
        return y_pred


def two_threads_in_deadlock(y_true, y_pred):
    first, second = threading.Lock(), threading.Lock()

    def take(one, other):
        with one:
            time.sleep(0.2)
            with other:
                pass

    pairs = ((first, second), (second, first))
    threads = [threading.Thread(target=take, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def deaf(y_true, y_pred):
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1000.0)


def stopped(y_true, y_pred):
    signal.raise_signal(signal.SIGSTOP)
