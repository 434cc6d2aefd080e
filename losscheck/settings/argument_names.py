"""What an argument's name says of its role: label, prediction or weight."""

from __future__ import annotations

import re

# Words as they occur in Keras' own losses, in the seed documents and in common usage. A word of the
# first set settles it; `output` and the like only where no label word stands beside them, since
# `expected_output` is a label.
PREDICTION = re.compile(
    r"y?preds?|predict(ed|ions?)?|y?hat|logits?|probs?|logps?|probabilit(y|ies)|estimated?|"
    r"reconstruct.*|students?"
)
LABEL = re.compile(r"y?true|labels?|targets?|truth|gt|actual|expected|desired|reference")
WEAK_PREDICTION = re.compile(r"outputs?|scores?|embeddings?")
# What another model gave, or this one before: no gradient is meant to go there.
FORMER = re.compile(r"old|prev|previous|behaviou?r|teachers?|frozen")
BESIDE = re.compile(r"actions?|advantages?|rewards?|returns?|discounts?")
WEIGHT = re.compile(r"weights?|masks?|w")


def role(name: str) -> str | None:
    """Read the role of an argument from its name.

    Parameters
    ----------
    name
        The name of a parameter, such as "y_true", "labels" or "pred_logits".

    Returns
    -------
    str or None
        "y_true", "y_pred", "weight", "input" (what only stands beside them), or None where the
        name does not say.

    Examples
    --------
    >>> [role(name) for name in ("y_true", "expected_output", "outputs", "sample_weight", "gamma")]
    ['y_true', 'y_true', 'y_pred', 'weight', None]
    >>> [role(name) for name in ("old_log_probs", "log_probs", "actions")]
    ['input', 'y_pred', 'input']
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
    for pattern, found in (
        (WEIGHT, "weight"),
        (FORMER, "input"),
        (PREDICTION, "y_pred"),
        (LABEL, "y_true"),
        (WEAK_PREDICTION, "y_pred"),
        (BESIDE, "input"),
    ):
        if any(pattern.fullmatch(word) for word in words):
            return found
    return "y_true" if name == "y" else None


def weighs_samples(name: str) -> bool:
    """Say whether a name is the one that Keras gives to the weights of samples.

    Examples
    --------
    >>> [weighs_samples(name) for name in ("sample_weight", "sampleWeights", "weights", "mask")]
    [True, True, False, False]
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return re.fullmatch(r"sample_weights?", words) is not None


def is_pair(names: tuple[str, ...]) -> bool:
    """Say whether there are a label and a prediction among these names."""
    return {"y_true", "y_pred"} <= {role(name) for name in names}
