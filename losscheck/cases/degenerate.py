"""Degenerate labels and weights: one class alone, a class missing, nothing that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from losscheck.cases.variable import Change, Variable
from losscheck.model import Array, Inputs


def degenerate(variable: Variable) -> Iterator[Change]:
    """List what can be wrong with labels or weights as a whole.

    Yields
    ------
    Change
        Of this argument alone.
    """
    yield from _labels(variable)
    yield from _weights(variable)


def _labels(variable: Variable) -> Iterator[Change]:
    """One label everywhere, and one label missing."""
    if not variable.domain.integral or variable.slots == 1 or variable.domain.name == "count":
        return
    name, pool = variable.name, variable.usual

    def rewrite(everywhere: bool, inputs: Inputs, rng: np.random.Generator) -> dict[str, Array]:
        values = inputs[name].reshape(len(inputs[name]), variable.slots, -1)
        tokens = pool.reshape(len(pool), -1)
        old, new = rng.integers(len(tokens), size=(2, len(values)))
        hit = (values == tokens[old][:, np.newaxis]).all(axis=2, keepdims=True) | everywhere
        changed = np.where(hit, tokens[new][:, np.newaxis], values)
        return {name: changed.reshape(inputs[name].shape)}

    yield partial(rewrite, True)
    yield partial(rewrite, False)


def _weights(variable: Variable) -> Iterator[Change]:
    """Weights or masks that are zero everywhere, in one sample, in half the places, and equal."""
    if variable.role != "weight" and variable.domain.name != "mask":
        return
    name = variable.name

    def scale(keep: Callable[[Array, np.random.Generator], Array]) -> Change:
        return lambda inputs, rng: {name: inputs[name] * keep(inputs[name], rng)}

    yield scale(lambda values, rng: np.zeros(values.shape))
    yield lambda inputs, rng: {name: np.ones(inputs[name].shape)}
    if variable.size > 1:
        yield scale(lambda values, rng: rng.integers(2, size=values.shape))
    if variable.samples > 1:
        first = np.arange(variable.samples) == 0
        first = first.reshape(-1, *(1 for _ in variable.shape[1:]))
        yield scale(lambda values, rng: first)
        yield scale(lambda values, rng: ~first)
