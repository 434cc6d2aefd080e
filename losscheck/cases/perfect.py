"""Perfect and worst predictions of a label, and those that nearly are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from losscheck.cases.problem import Problem
from losscheck.cases.variable import Change, Variable
from losscheck.domains.labels import ClassIndex
from losscheck.domains.rows import one_hot
from losscheck.model import Array, Inputs

# How far a confident probability stays from 0 and 1: rounds to 1 in float32, Keras' epsilon,
# what a trained model gives.
_DOUBT = (0.0, 2.0**-24, 1e-7, 1e-6, 1e-4, 1e-3)
# Logits of growing confidence: ordinary, sigmoid rounds to 1 (20), exp overflows in float32 (89),
# exp(-x) is 0 there (104), and far beyond.
_CONFIDENCE = (1.0, 10.0, 20.0, 89.0, 104.0, 1e3, 1e4)


def perfect(problem: Problem) -> Iterator[Change]:
    """List perfect and worst predictions, where the domains say what right is.

    Yields
    ------
    Change
        Of the prediction.
    """
    true, pred = problem.with_role("y_true"), problem.with_role("y_pred")
    if true is None or pred is None or pred.domain.integral or not labelled(true, pred):
        return

    def predict(
        answer: Callable[[Array], Array], inputs: Inputs, rng: np.random.Generator
    ) -> dict[str, Array]:
        return {pred.name: answer(target(inputs[true.name], true, pred))}

    low, high = pred.domain.bounds
    if math.isfinite(low) and math.isfinite(high):
        for doubt, right in product(_DOUBT, (True, False)):
            yield partial(predict, partial(_probability, pred, doubt, right))
    elif math.isinf(low) and math.isinf(high) and pred.domain.elementwise:
        for size in _CONFIDENCE:
            yield partial(predict, partial(_logit, size))
            yield partial(predict, partial(_logit, -size))


def labelled(true: Variable, pred: Variable) -> bool:
    """Whether the label says which prediction is right."""
    if isinstance(true.domain, ClassIndex):
        column = true.shape[-1:] == (1,) and pred.shape[:-1] == true.shape[:-1]
        return column or pred.shape[:-1] == true.shape
    if true.domain.width is not None or pred.domain.width is not None:
        return False  # what is right differs from column to column
    return true.shape == pred.shape and true.domain.bounds in {(0.0, 1.0), (-1.0, 1.0)}


def target(label: Array, true: Variable, pred: Variable) -> Array:
    """Give the right probabilities (n, *prediction) of labels (n, *label)."""
    if isinstance(true.domain, ClassIndex):
        width = pred.shape[-1]
        classes = np.clip(label, 0, width - 1).astype(int).reshape(-1, *pred.shape[:-1])
        return one_hot(classes, width)
    low, high = true.domain.bounds
    return (label - low) / (high - low)


def _logit(size: float, target: Array) -> Array:
    """Give logits of one size, of the sign of the right class; negative sizes are wrong."""
    return size * (2.0 * target - 1.0)


def _probability(pred: Variable, doubt: float, right: bool, target: Array) -> Array:
    """Move from the right probabilities, or from wrong ones, a little towards the others."""
    wrong = np.roll(target, 1, axis=-1) if pred.domain.name == "simplex" else 1.0 - target
    near, far = (target, wrong) if right else (wrong, target)
    low, high = pred.domain.bounds
    return low + (high - low) * ((1.0 - doubt) * near + doubt * far)
