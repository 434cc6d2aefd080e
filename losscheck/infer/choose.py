"""From the hints of the graph to the domains of the prediction and of the labels."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck import domains
from losscheck.domains.columns import distinct
from losscheck.infer.hints import Hint


@attrs.frozen
class Choice:
    """A domain, why, and which others stay plausible.

    `wider` is one that holds this one, which the loss fails on: that it does is told. `raw` are
    numbers that an activation follows, which say nothing of the labels.
    """

    domain: str
    why: str
    plausible: tuple[str, ...] = ()
    wider: str = ""
    raw: bool = False


def prediction(hints: Sequence[Hint]) -> tuple[Choice, ...]:
    """Domains of the prediction that its uses suggest, the likeliest first."""
    uses = {hint.use: hint.why for hint in hints}
    choices = []
    # A gamma function has a pole at 0, which nobody takes for a fault; and a spread beside a mean
    # is mostly kept above 0 before it comes to the loss.
    spread = any(hint.use == "scale" and hint.columns for hint in hints)
    pole = ("positive",) if "gamma" in uses or spread else ()
    if "logits" in uses and "log" not in uses:
        choices.append(Choice("logits", uses["logits"]))
    elif "softplus" in uses and "log" not in uses:
        choices.append(Choice("logits", uses["softplus"], raw="paired" not in uses))
    if "log" in uses and "log-complement" in uses:
        why = f"{uses['log']}, and {uses['log-complement']}"
        choices.append(Choice("probability", why))
    elif "log-complement" in uses or "unit-interval" in uses:
        why = uses.get("log-complement") or uses["unit-interval"]
        choices.append(Choice("probability", why, ("simplex",)))
    elif "log" in uses and "sums-to-one" in uses:
        choices.append(Choice("simplex", f"{uses['log']}, and {uses['sums-to-one']}"))
    elif "log" in uses and (second := next((u for u in _NOT_PARTS if u in uses), "")):
        choices.append(Choice("nonnegative", f"{uses['log']}, and {uses[second]}", pole))
    elif "log" in uses:
        choices.append(Choice("probability", uses["log"], ("nonnegative",)))
    for use in ("complement", "overlap"):
        if use in uses and not choices:
            choices.append(Choice("probability", uses[use]))
    if "cosine" in uses:
        choices.append(Choice("[-1, 1]", uses["cosine"]))
    if "gamma" in uses and "log" not in uses:
        choices.append(Choice("nonnegative", uses["gamma"], pole))
    elif "positive" in uses and "log" not in uses:
        choices.append(Choice("nonnegative", uses["positive"]))
    if "side" in uses:
        choices.append(Choice("nonnegative", uses["side"], ("real",)))
    if "nonnegative" in uses:
        choices.append(Choice("nonnegative", uses["nonnegative"], wider="real"))
    if "scaled-logits" in uses and not choices:
        choices.append(Choice("logits", uses["scaled-logits"]))
    first, *others = _WIDE
    if "guarded" in uses:
        first = attrs.evolve(first, plausible=("nonnegative", *first.plausible))
    elif spread:
        first = attrs.evolve(first, why=uses["scale"], plausible=("positive", *first.plausible))
    return (*choices, first, *others)


# Uses that a probability is not put to: its logarithm stands alone.
_NOT_PARTS = ("divisor", "gamma", "linear")


def by_column(choices: Sequence[Sequence[Choice]]) -> Choice | None:
    """Make one choice of the likeliest of each part of a row; None where they are all alike."""
    firsts = [_of_one_number(column[0]) for column in choices]
    if len({(choice.domain, choice.plausible) for choice in firsts}) < 2:
        return None
    if not all(domains.parse(choice.domain).movable for choice in firsts):
        return None
    plausible: list[str] = []
    whys: list[str] = []
    for choice in firsts:
        start, size = len(plausible), domains.parse(choice.domain).width or 1
        place = f"column {start}" if size == 1 else f"columns {start} to {start + size - 1}"
        whys.append(f"{place}: {choice.why}")
        plausible += size * [choice.plausible[0]] if choice.plausible else [choice.domain]
    own = tuple(choice.domain for choice in firsts)
    others = () if tuple(plausible) == own else (distinct(tuple(plausible)),)
    return Choice(distinct(own), "; ".join(whys), others)


def _of_one_number(choice: Choice) -> Choice:
    """Take the first two classes for a column of indices, whose number of classes nothing says.

    What else is plausible of a whole row, as that it sums to 1, is not of one of its columns.
    """
    if domains.names_classes(choice.domain):
        choice = attrs.evolve(choice, domain="binary")
    others = (other for other in choice.plausible if domains.parse(other).movable)
    return attrs.evolve(choice, plausible=tuple(others))


UNIT = "[0, 1]"
"""What labels and parameters that nothing limits may be confined to all the same: bits, shares,
rates. An error that needs others rests on a guess. Predictions have no such limit but by an
operation that the graph would show."""
SIGNED_UNIT = "[-1, 1]"
"""The same of labels of which -1 is one."""
LENGTH = "[1, 20]"
"""What whole numbers that something is divided by may be all the same: lengths, which are not 0."""
FAR = "[-10000, 10000]"
"""How far a linear output may be trusted to go, as logits do on a bad day: that one reaches a
billion, where a product of five such numbers overflows, is a guess."""


def label(hints: Sequence[Hint], chosen: Choice, more: int) -> tuple[Choice, ...]:
    """Domains of the labels that their uses and the prediction's domain suggest.

    Parameters
    ----------
    hints
        The uses of the label.
    chosen
        What was chosen for the prediction.
    more
        How many axes the labels have beyond those of the prediction. With more of them they are
        what a prediction is weighed against, as prices are, and no labels of its numbers.
    """
    uses = {hint.use: hint.why for hint in hints}
    by_columns = domains.parse(chosen.domain).width is not None
    choices = []
    if "index" in uses:
        choices.append(Choice("class_index", uses["index"]))
    if "one-hot" in uses:
        choices.append(Choice("one_hot", uses["one-hot"]))
    if "sign" in uses and "linear" in uses:  # -1 stands for what is not known
        choices.append(Choice("real", f"{uses['sign']}, and {uses['linear']}", (SIGNED_UNIT,)))
    elif "sign" in uses:
        choices.append(Choice("sign", uses["sign"]))
    if "count" in uses:
        choices.append(Choice("count", uses["count"]))
    for use in ("logits", "scaled-logits"):  # a teacher's
        if use in uses and "log" not in uses and not choices:
            choices.append(Choice("logits", uses[use]))
    if "log" in uses and "log-complement" in uses:
        choices.append(Choice("probability", f"{uses['log']}, and {uses['log-complement']}"))
    elif "log" in uses and by_columns:
        choices.append(Choice("nonnegative", uses["log"]))
    elif "log" in uses:
        domain = chosen.domain if chosen.domain in ("simplex", "nonnegative") else "probability"
        choices.append(Choice(domain, uses["log"]))
    if "binary" in uses or "complement" in uses:
        choices.append(Choice("binary", uses.get("complement") or uses["binary"]))
    for use in ("nonnegative", "side"):
        if use in uses:
            choices.append(Choice("nonnegative", uses[use]))
    if more < 0 and not choices and chosen.domain == "logits":
        choices.append(Choice("class_index", "has one axis less than the logits"))
    if chosen.domain in ("probability", "logits") and not chosen.raw and more <= 0:
        choices.append(Choice("binary", f"belongs to a prediction in {chosen.domain}"))
    if chosen.domain == "simplex" and more <= 0:
        choices.append(Choice("one_hot", "belongs to a prediction that sums to 1"))
    if chosen.domain == "nonnegative" and "log" not in uses and more <= 0:
        choices.append(Choice("nonnegative", "belongs to a prediction that is not negative"))
    least = (LENGTH,) if {"whole", "divisor"} <= uses.keys() else ()
    fewer = more < 0 and not choices and not by_columns
    named = [Choice("class_index", "has one axis less than the prediction")] if fewer else []
    if fewer and "whole" in uses:
        choices.append(Choice("class_index", f"{named.pop().why}, and {uses['whole']}", least))
    return (
        *choices,
        Choice("real", "nothing in the graph limits it", (UNIT, *least)),
        *named,
        Choice("binary", ""),
    )


def parameter(hints: Sequence[Hint]) -> tuple[Choice, ...]:
    """Domains of an argument besides label and prediction, as a temperature or an advantage."""
    uses = {hint.use: hint.why for hint in hints}
    choices = []
    if "log" in uses and "log-complement" in uses:
        choices.append(Choice("probability", f"{uses['log']}, and {uses['log-complement']}"))
    for use in ("log", "gamma", "positive", "divisor"):
        if use in uses and not choices:
            choices.append(Choice("positive", uses[use]))
    if "nonnegative" in uses:
        choices.append(Choice("nonnegative", uses["nonnegative"]))
    return (*choices, Choice("real", "nothing is known of it", (UNIT,)))


# Where no use limits the prediction: the widest domain first; the narrower ones only where ordinary
# points of a wider one are not finite.
_WIDE = (
    Choice("real", "nothing in the graph limits it", (FAR,)),
    Choice("nonnegative", "the loss is finite there"),
    Choice("probability", "the loss is finite there"),
    Choice("simplex", "the loss is finite there"),
    Choice("unit_vector", "the loss is finite there"),
)
