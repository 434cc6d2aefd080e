"""TensorFlow and Keras, imported and used without noise and without leaving traces.

TensorFlow writes to stderr at import and at its first operation, below Python's reach and even with
TF_CPP_MIN_LOG_LEVEL=3, so the file descriptor itself is turned away meanwhile.

Importing TensorFlow makes a million objects. Collections run through them again and again while
they come, for a fifth of the time of the import, and every full one does so from then on.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import gc
import logging
import os
import random
import re
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from losscheck.model import Environment, UsageError

READ = ("CUDA_", "KERAS_", "OMP_", "ONEDNN_", "TF_", "XLA_")
"""How the variables begin that TensorFlow and Keras read when they are imported."""
SELDOM = 10_000  # objects that come before the youngest are looked through; 700 by default
_BACKENDS = frozenset({"jax", "torch", "openvino"})  # other packages that importing Keras may need


_silent = False  # losses are run by one thread of a process
_turned_to = os.devnull
_NAMES = "object_name_uids"  # under which Keras counts the names it has given away


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Turn file descriptor 2 and TensorFlow's loggers away meanwhile."""
    global _silent
    if _silent:  # thousands of calls are made inside of one that is silent already
        yield
        return
    try:
        kept = os.dup(2)
    except OSError:  # as under 2>&-: nobody hears it anyway
        yield
        return
    _silent = True
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    _flush()
    os.dup2(_away(), 2)
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, 2)
        os.close(kept)
        logger.setLevel(level)
        _silent = False


@functools.cache
def _away() -> int:  # once: a run of a block takes little longer than it
    return os.open(_turned_to, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def turn_to(file: str) -> None:
    """Keep in a file what is silenced from now on: it may say why a library ended the process."""
    global _turned_to
    _turned_to = file
    _away.cache_clear()


def _flush() -> None:
    if sys.stderr is not None:  # it is None in a process that began without one
        sys.stderr.flush()


@functools.cache
def tensorflow() -> Any:
    """Import TensorFlow and run one operation, silently.

    Raises
    ------
    UsageError
        TensorFlow or Keras is not installed.
    """
    tf = imported()
    with silence():
        tf.constant(0.0) + 1.0
    return tf


@functools.cache
def imported() -> Any:
    """Import TensorFlow silently, and start none of its threads: the process may be forked yet.

    Raises
    ------
    UsageError
        TensorFlow or Keras is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silence(), uncollected():
            import keras  # noqa: F401  (its import speaks too)
            import tensorflow as tf
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing in _BACKENDS:
            raise _refusal(missing) from None
        if missing not in ("tensorflow", "keras"):
            raise
        raise UsageError(
            f"{error.name} is not installed, and losscheck runs losses with it. "
            "Install your build of TensorFlow, or: pip install 'losscheck[tensorflow]'"
        ) from None
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # retracing warnings are about us
    _check_backend()
    return tf


def _check_backend() -> None:
    import keras

    if keras.backend.backend() != "tensorflow":
        raise _refusal(keras.backend.backend())


def _refusal(backend: str) -> UsageError:
    return UsageError(
        f"Keras is set to the {backend} backend here; losscheck checks losses on TensorFlow. "
        "Set KERAS_BACKEND=tensorflow."
    )


def environment() -> Environment:
    """Versions and devices, as the report states them."""
    import platform

    import hypothesis
    import numpy

    tf = tensorflow()
    import keras

    return Environment(
        python=platform.python_version(),
        tensorflow=tf.__version__,
        keras=keras.__version__,
        numpy=numpy.__version__,
        hypothesis=hypothesis.__version__,
        platform=platform.platform(),
        devices=tuple(device.name for device in tf.config.list_logical_devices()),
    )


def keras_module() -> ModuleType:
    """Keras, after TensorFlow has been imported silently."""
    tensorflow()
    import keras

    return keras  # type: ignore[no-any-return]


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect garbage less often meanwhile: graphs are many objects at a time, and most stay."""
    youngest, *older = gc.get_threshold()
    gc.set_threshold(max(youngest, SELDOM) if youngest else 0, *older)
    try:
        yield
    finally:
        gc.set_threshold(youngest, *older)


@contextlib.contextmanager
def imported_to_stay() -> Iterator[None]:
    """Collect no garbage meanwhile, and look at nothing again that is there by then.

    For processes that are our own: the garbage of others that is there by then stays as well.
    """
    with uncollected():
        try:
            yield
        finally:
            gc.freeze()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Restore Python's and NumPy's generators and Keras' name counters; nothing is printed.

    Nothing here draws from TensorFlow's generator or sets a policy, so there is nothing of these to
    restore: layers and optimisers are named and initialised explicitly, data are not shuffled.
    """
    python, names = random.getstate(), _names()
    numpy = np.random.get_state()  # noqa: NPY002  (the generator of the user's own code)
    counted = dict(names) if names is not None else {}
    try:
        with warnings.catch_warnings(), silence():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        if names is not None:
            names.clear()
            names.update(counted)


_PLACES = re.compile(r"\{\{.*?\}\} ?| \[Op:\w*\].*$", re.DOTALL)


def said(error: BaseException) -> str:
    """Name an exception and its first sentence, without TensorFlow's names of nodes.

    Keras puts the cause at the end of a long message of its own.
    """
    text = str(error).strip()
    inner = text.partition("Exception encountered:")[2].strip()
    first = _PLACES.sub("", (inner or text).partition("\n")[0]).strip()
    return f"{type(error).__name__}: {first}"[:240]


def _names() -> dict[str, int] | None:
    """Give Keras' own counter, which has no public name; None in a Keras that keeps it elsewhere.

    Without it, a model that the user makes afterwards would be called functional_7.
    """
    keras_module()
    try:
        from keras.src.backend.common import global_state
    except ImportError:
        return None
    found: Any = global_state.get_global_attribute(
        _NAMES, collections.defaultdict(int), set_to_default=True
    )
    return found  # type: ignore[no-any-return]
