"""Losses that work, and leave something running or disturb the process that they are in."""

import atexit
import builtins
import contextlib
import gc
import json
import locale
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

_begun = []


def _square(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def _once(do):
    if not _begun:
        _begun.append(do)
        do()


def threads(y_true, y_pred):
    _once(lambda: [threading.Thread(target=time.sleep, args=(1000.0,)).start() for _ in range(20)])
    return _square(y_true, y_pred)


def _fork(times, then):
    for _ in range(times):
        if os.fork() == 0:
            then()
            os._exit(0)


def forks(y_true, y_pred):
    _once(lambda: _fork(20, lambda: time.sleep(1000.0)))
    return _square(y_true, y_pred)


def _forked_again():
    _fork(3, lambda: time.sleep(1000.0))
    time.sleep(1000.0)


def forks_that_fork(y_true, y_pred):
    _once(lambda: _fork(4, _forked_again))
    return _square(y_true, y_pred)


def daemon(y_true, y_pred):
    def away():
        os.setsid()
        _fork(1, lambda: time.sleep(1000.0))

    _once(lambda: _fork(1, away))
    return _square(y_true, y_pred)


def comes_back_twice(y_true, y_pred):
    _once(os.fork)
    return _square(y_true, y_pred)


def command(y_true, y_pred):
    _once(lambda: subprocess.Popen(["sleep", "1000"], start_new_session=True))
    return _square(y_true, y_pred)


def files(y_true, y_pred):
    _once(lambda: Path(tempfile.mkdtemp(), "left").write_text("behind"))
    return _square(y_true, y_pred)


def at_exit(y_true, y_pred):
    _once(lambda: atexit.register(time.sleep, 1000.0))
    return _square(y_true, y_pred)


def patches_tensorflow(y_true, y_pred):
    tf.square = tf.abs = tf.reduce_mean = lambda *given, **named: given[0] * 0.0
    return _square(y_true, y_pred)


def patches_keras(y_true, y_pred):
    keras.losses.mean_squared_error = keras.ops.mean = keras.backend.epsilon = None
    return _square(y_true, y_pred)


def patches_numpy(y_true, y_pred):
    np.isfinite = np.isnan = lambda given: np.asarray(given) == np.asarray(given)
    return _square(y_true, y_pred)


def patches_python(y_true, y_pred):
    builtins.print = json.dumps = None
    return _square(y_true, y_pred)


def elsewhere(y_true, y_pred):
    os.chdir("/")
    return _square(y_true, y_pred)


def in_another_language(y_true, y_pred):
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
    return _square(y_true, y_pred)


def seeds(y_true, y_pred):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    tf.random.set_seed(1)
    return _square(y_true, y_pred)


def sets_the_policy(y_true, y_pred):
    keras.mixed_precision.set_global_policy("float64")
    keras.backend.set_floatx("float64")
    return _square(y_true, y_pred)


def empties_the_environment(y_true, y_pred):
    os.environ.clear()
    return _square(y_true, y_pred)


def handles_signals(y_true, y_pred):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGABRT):
        signal.signal(number, lambda *given: None)
    return _square(y_true, y_pred)


def prints_a_report(y_true, y_pred):
    print('{"schema": 1, "losses": []}', flush=True)
    os.write(1, b'{"schema": 1}\n')
    return _square(y_true, y_pred)


def prints_without_an_end(y_true, y_pred):
    for _ in range(2000):
        os.write(1, 1000 * b"x" + b"\n")
    return _square(y_true, y_pred)


def closes_stdout(y_true, y_pred):
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    return _square(y_true, y_pred)


def closes_all(y_true, y_pred):
    os.closerange(3, 4096)
    return _square(y_true, y_pred)


def stops_collecting(y_true, y_pred):
    gc.disable()
    sys.setswitchinterval(1000.0)
    sys.setrecursionlimit(10_000)
    return _square(y_true, y_pred)
