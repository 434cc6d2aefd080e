"""Losses made of a loss, to be checked as any other: here one that is weighted from outside."""

from __future__ import annotations

from typing import Any

import attrs

from losscheck.program.quiet import tensorflow
from losscheck.program.trace import Call, as_tensor

UPSTREAM = "upstream"  # what TensorFlow calls the gradient that comes from the ops after a loss


def weighted(call: Call) -> tuple[Call, str]:
    """Give the loss times a further tensor argument of the shape of what the loss returns.

    Its gradient is the loss's own gradient with that tensor for the upstream gradient: what sample
    weights, loss weights and loss scaling make of a loss.

    Returns
    -------
    tuple
        The call, and the name of the further argument.
    """
    name = UPSTREAM
    while name in call.names or name in call.constants:
        name += "_"

    def function(*arguments: Any, **keywords: Any) -> Any:
        upstream = keywords.pop(name)
        value = as_tensor(call.function(*arguments, **keywords))
        return tensorflow().cast(upstream, value.dtype) * value

    return attrs.evolve(call, function=function, names=(*call.names, name)), name
