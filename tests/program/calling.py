"""Calls of small losses, as the tests of the TensorFlow adapter make them."""

import numpy as np

from losscheck.program.programs import Programs
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import Call, trace

PAIR = ("y_true", "y_pred")
SHAPE = (2, 3)
SHAPES = {"y_true": SHAPE, "y_pred": SHAPE}


def call(function, *, names=PAIR, positional=None, **changes):
    """A call by position with the prediction under its usual name."""
    positional = len(names) if positional is None else positional
    return Call(
        function=function, names=names, positional=positional, prediction="y_pred", **changes
    )


def traced(function, *, shape=SHAPE, dtype="float32", autograph=False, **changes):
    """A loss of a pair, traced for one shape."""
    made = call(function, **changes)
    return trace(made, dict.fromkeys(made.names, (shape, dtype)), autograph=autograph)


def program(function, **changes):
    """A loss of a pair, ready to be run."""
    return Program(traced(function, **changes), call(function))


def programs(function, **changes):
    """All programs of a loss of a pair."""
    return Programs(call(function, **changes))


def cases(n, *, seed=0, shape=SHAPE, low=0.05, high=0.95):
    """Points of (low, high), float32 numbers, so that no program rounds what it is given."""
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(low, high, (n, *shape)).astype(np.float32) for name in PAIR}
