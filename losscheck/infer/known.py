"""The domains of Keras' own losses, from their documentation: domains, never verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from losscheck import domains

# Class name -> (domain of y_true, of y_pred, of y_pred with from_logits). Functions go by the same
# names in snake case. Shapes are (B, D) but for class indices, which are (B,), and for _SHAPES.
_TABLE: dict[str, tuple[str, str, str]] = {
    "MeanSquaredError": ("real", "real", ""),
    "MeanAbsoluteError": ("real", "real", ""),
    "MeanAbsolutePercentageError": ("real", "real", ""),
    "MeanSquaredLogarithmicError": ("nonnegative", "nonnegative", ""),
    "Huber": ("real", "real", ""),
    "LogCosh": ("real", "real", ""),
    "CosineSimilarity": ("real", "real", ""),
    "Poisson": ("count", "nonnegative", ""),
    "KLDivergence": ("simplex", "simplex", ""),
    "Hinge": ("sign", "real", ""),
    "SquaredHinge": ("sign", "real", ""),
    "CategoricalHinge": ("one_hot", "real", ""),
    "BinaryCrossentropy": ("binary", "probability", "logits"),
    "BinaryFocalCrossentropy": ("binary", "probability", "logits"),
    "CategoricalCrossentropy": ("one_hot", "simplex", "logits"),
    "CategoricalFocalCrossentropy": ("one_hot", "simplex", "logits"),
    "CategoricalGeneralizedCrossEntropy": ("class_index", "simplex", ""),
    "SparseCategoricalCrossentropy": ("class_index", "simplex", "logits"),
    "Dice": ("binary", "probability", ""),
    "Tversky": ("binary", "probability", ""),
    "Circle": ("class_index", "unit_vector", ""),
    "CTC": ("padded_class_index", "logits", ""),
}
# Of y_true and y_pred. Labels as long as there are frames leave CTC no room for the blanks between
# equal ones, and with no alignment at all there is no loss to derive.
_SHAPES: dict[str, tuple[str, str]] = {"CTC": ("(B, L)", "(B, T, C)")}
_FUNCTIONS = {
    re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower(): name
    for name in _TABLE
} | {"log_cosh": "LogCosh", "kl_divergence": "KLDivergence"}


def known(name: str | None, config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Give (domain, shape) of y_true and y_pred of one of Keras' losses; {} for any other.

    Parameters
    ----------
    name
        As in "keras.losses.BinaryCrossentropy" or "keras.losses.binary_crossentropy".
    config
        What the loss was made with; only `from_logits` matters.
    """
    if not name:
        return {}
    last = name.rsplit(".", 1)[-1]
    last = _FUNCTIONS.get(last, last)
    row = _TABLE.get(last)
    if row is None:
        return {}
    label, prediction, logits = row
    if config.get("from_logits") and logits:
        prediction = logits
    flat = "(B,)" if domains.names_classes(label) else "(B, D)"
    of_label, of_prediction = _SHAPES.get(last, (flat, "(B, D)"))
    return {"y_true": (label, of_label), "y_pred": (prediction, of_prediction)}
