"""From the hints of the graph to the domains of the prediction and of the labels."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck.infer.hints import Hint


@attrs.frozen
class Choice:
    """A domain, why, and which others stay plausible."""

    domain: str
    why: str
    plausible: tuple[str, ...] = ()


def prediction(hints: Sequence[Hint]) -> tuple[Choice, ...]:
    """Domains of the prediction that its uses suggest, the likeliest first."""
    uses = {hint.use: hint.why for hint in hints}
    choices = []
    if "logits" in uses and "log" not in uses:
        choices.append(Choice("logits", uses["logits"]))
    if "log" in uses and "log-complement" in uses:
        why = f"{uses['log']}, and {uses['log-complement']}"
        choices.append(Choice("probability", why))
    elif "log-complement" in uses or "unit-interval" in uses:
        why = uses.get("log-complement") or uses["unit-interval"]
        choices.append(Choice("probability", why, ("simplex",)))
    elif "log" in uses and "sums-to-one" in uses:
        choices.append(Choice("simplex", f"{uses['log']}, and {uses['sums-to-one']}"))
    elif "log" in uses and "linear" in uses:
        choices.append(Choice("nonnegative", f"{uses['log']}, and {uses['linear']}"))
    elif "log" in uses:
        choices.append(Choice("probability", uses["log"], ("nonnegative",)))
    for use in ("complement", "overlap"):
        if use in uses and not choices:
            choices.append(Choice("probability", uses[use]))
    if "cosine" in uses:
        choices.append(Choice("[-1, 1]", uses["cosine"]))
    if "nonnegative" in uses:
        choices.append(Choice("nonnegative", uses["nonnegative"]))
    return (*choices, *_WIDE)


def label(hints: Sequence[Hint], chosen: Choice, same: bool) -> tuple[Choice, ...]:
    """Domains of the labels that their uses and the prediction's domain suggest.

    Parameters
    ----------
    hints
        The uses of the label.
    chosen
        What was chosen for the prediction.
    same
        Whether the labels have the shape of the prediction.
    """
    uses = {hint.use: hint.why for hint in hints}
    choices = []
    if "index" in uses:
        choices.append(Choice("class_index", uses["index"]))
    if "one-hot" in uses:
        choices.append(Choice("one_hot", uses["one-hot"]))
    if "sign" in uses:
        choices.append(Choice("sign", uses["sign"]))
    if "log" in uses:
        domain = chosen.domain if chosen.domain in ("simplex", "nonnegative") else "probability"
        choices.append(Choice(domain, uses["log"]))
    if "binary" in uses or "complement" in uses:
        choices.append(Choice("binary", uses.get("complement") or uses["binary"]))
    if "nonnegative" in uses:
        choices.append(Choice("nonnegative", uses["nonnegative"]))
    if chosen.domain in ("probability", "logits"):
        choices.append(Choice("binary", f"belongs to a prediction in {chosen.domain}"))
    if chosen.domain == "simplex":
        choices.append(Choice("one_hot", "belongs to a prediction that sums to 1"))
    if chosen.domain == "nonnegative" and "log" not in uses:
        choices.append(Choice("nonnegative", "belongs to a prediction that is not negative"))
    if not same and not choices:
        choices.append(Choice("class_index", "has one axis less than the prediction"))
    return (*choices, Choice("real", "nothing in the graph limits it"), Choice("binary", ""))


# Where no use limits the prediction: the widest domain first; the narrower ones only where ordinary
# points of a wider one are not finite.
_WIDE = (
    Choice("real", "nothing in the graph limits it"),
    Choice("nonnegative", "the loss is finite there"),
    Choice("probability", "the loss is finite there"),
    Choice("simplex", "the loss is finite there"),
    Choice("unit_vector", "the loss is finite there"),
)
