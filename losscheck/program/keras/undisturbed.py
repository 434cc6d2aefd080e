"""Keras used without leaving traces: the user's random state, names and warnings stay theirs."""

from __future__ import annotations

import collections
import contextlib
import random
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from losscheck.program.quiet import keras_module, silence

_NAMES = "object_name_uids"  # under which Keras counts the names it has given away


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
