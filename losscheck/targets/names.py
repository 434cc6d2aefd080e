"""What an argument's name says of its role: label, prediction or weight."""

from __future__ import annotations

import re

# Words as they occur in Keras' own losses, in the seed documents and in common usage. A word of the
# first set settles it; `output` and the like only where no label word stands beside them, since
# `expected_output` is a label.
PREDICTION = re.compile(
    r"y?preds?|predict(ed|ions?)?|y?hat|logits?|probs?|probabilit(y|ies)|estimated?|reconstruct.*"
)
LABEL = re.compile(r"y?true|labels?|targets?|truth|gt|actual|expected|desired|reference")
WEAK_PREDICTION = re.compile(r"outputs?|scores?|embeddings?")
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
        "y_true", "y_pred", "weight", or None where the name does not say.

    Examples
    --------
    >>> [role(name) for name in ("y_true", "expected_output", "outputs", "sample_weight", "gamma")]
    ['y_true', 'y_true', 'y_pred', 'weight', None]
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
    for pattern, found in (
        (WEIGHT, "weight"),
        (PREDICTION, "y_pred"),
        (LABEL, "y_true"),
        (WEAK_PREDICTION, "y_pred"),
    ):
        if any(pattern.fullmatch(word) for word in words):
            return found
    return "y_true" if name == "y" else None


def is_pair(names: tuple[str, ...]) -> bool:
    """Say whether there are a label and a prediction among these names."""
    return {"y_true", "y_pred"} <= {role(name) for name in names}
