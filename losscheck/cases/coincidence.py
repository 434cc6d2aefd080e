"""Coincidences: values that equal others make a case working, however ordinary each value is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from losscheck.cases.blocks import fingerprint
from losscheck.cases.variable import Variable
from losscheck.domains import layout
from losscheck.model import Array, Inputs, Range


def comparable(true: Variable, pred: Variable) -> bool:
    """Whether a prediction that equals the label is a coincidence, and a perfect one.

    Logits are compared with logits alone: a logit of 1 says nothing of a label of 1. Predictions
    that are whole numbers equal their labels all the time.
    """
    logits = [variable.domain.name == "logits" for variable in (true, pred)]
    return true.shape == pred.shape and pred.continuous and logits[0] == logits[1]


def coincidence(
    variables: Sequence[Variable],
    pair: tuple[Variable, Variable] | None,
    inputs: Inputs,
    count: int,
) -> Array:
    """Tell which cases hold equal values that ordinary data does not.

    Parameters
    ----------
    variables
        All arguments.
    pair
        The label and the prediction, where they are comparable.
    inputs
        For each argument (count, *shape).

    Returns
    -------
    Array
        (count,) uint8: working where an element of the prediction equals its label, two samples of
        an argument are equal, or all entries of a row are; else ordinary.
    """
    found = np.zeros(count, bool)
    if pair is not None:
        true, pred = (layout.flat(inputs[variable.name]) for variable in pair)
        found |= (true == pred).any(axis=1)
    for variable in variables:
        if variable.continuous and variable.size > 1:
            values = inputs[variable.name]
            found |= _equal_samples(values)
            if variable.shape[-1] > 1:
                rows = layout.rows(values)
                found |= (rows == rows[..., :1]).all(axis=2).any(axis=1)
    return np.where(found, Range.WORKING, Range.ORDINARY).astype(np.uint8)


def _equal_samples(values: Array) -> Array:
    """Whether two samples of each case (n, B, ...) are equal: (n,) bool."""
    count, samples = values.shape[:2]
    # Adding 0 turns -0 into 0, which it equals.
    prints = fingerprint(
        values.reshape(count * samples, math.prod(values.shape[2:])) + values.dtype.type(0)
    )
    ordered = np.sort(prints.reshape(count, samples), axis=1)
    equal: Array = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    return equal
