"""Domains learnt from data: what their numbers rule out, and what they show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from losscheck import domains
from losscheck.infer.choose import Choice
from losscheck.infer.spec import WHOLE_ROW
from losscheck.model import Array, Met, UsageError

# Numbers from which a limit is read that nothing else suggests. Were one number in five beyond it,
# 32 would all lie inside once in 1,300 times.
ENOUGH = 32
QUANTILES = (0.01, 0.99)  # between which nearly all of the data lie
# (wide, narrow): what data show within what the graph suggests. A row of one 1 is no row of bits.
_NARROWER = frozenset(
    {
        ("binary", "one_hot"),
        ("binary", "class_index"),
        ("probability", "simplex"),
        ("weight", "mask"),
    }
)


def learnt(
    choices: Sequence[Choice], values: Array, role: str, prediction: Array | None = None
) -> Choice:
    """Choose the domain of an argument that there are data of.

    A use in the graph (a log, a softmax) says more than numbers do, as long as they lie inside of
    what it suggests; where nothing in the graph limits an argument, or the numbers are elsewhere,
    the numbers say what it takes.

    Parameters
    ----------
    choices
        What the graph suggests, the likeliest first.
    values
        (N, ...) the rows of the data.
    role
        Of the argument.
    prediction
        The rows of the prediction, for labels.
    """
    told = summary(values)
    shown = _shown(values, role, prediction)
    classes = 2 if prediction is None else max(2, prediction.shape[-1])
    for choice in choices:
        if choice.domain == "real" or choice.why == "the loss is finite there":
            break  # nothing in the graph says so
        if contains(choice.domain, values, classes):
            whole = domains.parse(shown).integral and not domains.parse(choice.domain).integral
            if whole or (choice.domain, shown) in _NARROWER:
                break
            return Choice(choice.domain, f"{choice.why}; data: {told}")
    return Choice(shown, f"learnt from data: {told}")


def summary(values: Array) -> str:
    """Say how many numbers there are and where they lie."""
    return f"{values.size:,} numbers in [{values.min():.3g}, {values.max():.3g}]"


def is_row(values: Array) -> bool:
    """Say whether the numbers of the last axis are one thing: a distribution, a direction."""
    wide = values.ndim > 1 and values.shape[-1] > 1
    return wide and any(contains(name, values, 2) for name in WHOLE_ROW)


def met(values: Array, domain: str) -> Met | None:
    """Give the ends and quantiles of data; None for labels, of which there are only a few."""
    if domains.parse(domain).integral:
        return None
    low, high = np.quantile(values, QUANTILES)
    return Met(
        least=float(values.min()), low=float(low), high=float(high), greatest=float(values.max())
    )


def contains(domain: str, values: Array, classes: int) -> bool:
    """Say whether every row lies in a domain."""
    return not len(outside(domain, values, classes))


def outside(domain: str, values: Array, classes: int) -> Array:
    """Indices of the rows that do not lie in a domain."""
    parsed = domains.parse(domain)
    if not parsed.elementwise and values.ndim < 2:
        return np.arange(len(values))
    codes = parsed.classify(values, "float32", classes)
    return np.flatnonzero(codes == domains.OUTSIDE)


def refuse(name: str, domain: str, origin: str, values: Array, classes: int, source: str) -> None:
    """Complain of data outside a domain that does not give way to them.

    Raises
    ------
    UsageError
        With one of the numbers, and what to declare.
    """
    rows = outside(domain, values, classes)
    if not len(rows):
        return
    row = values[rows[0]]
    example = f"[{', '.join(f'{x:.9g}' for x in row.ravel()[:4])}{', ...' if row.size > 4 else ''}]"
    who = "is declared as" if origin == "declared" else "is known to take"
    raise UsageError(
        f"{name} {who} {domain}, but {len(rows):,} of {len(values):,} rows of {source} lie "
        f"outside, such as {example}. Correct the data, or declare what the loss is to be checked "
        f"on, as in --arg {name}={_shown(values, '', None)}"
    )


def _shown(values: Array, role: str, prediction: Array | None) -> str:
    """Name the domain that numbers show by themselves."""
    whole = bool((values == np.rint(values)).all())
    least, greatest = float(values.min()), float(values.max())
    if role in ("y_true", "weight", "") and whole and (labels := _labels(values, role, prediction)):
        return labels
    if role == "weight":
        return "weight" if least >= 0.0 else "real"
    if values.size < ENOUGH:
        return "real"
    for rows in ("simplex", "unit_vector"):
        if is_row(values) and contains(rows, values, 2):
            return rows
    if least >= 0.0:
        return "probability" if greatest <= 1.0 else "nonnegative"
    return "real"


def _labels(values: Array, role: str, prediction: Array | None) -> str:
    """Name the domain of whole numbers; "" where they are just numbers."""
    least, greatest = float(values.min()), float(values.max())
    if role == "weight":
        return "mask" if least >= 0.0 and greatest <= 1.0 else ""
    if prediction is not None and _one_axis_less(values, prediction):
        classes = prediction.shape[-1]
        if least >= -1.0 and greatest <= classes:  # -1 and C are in use for what is left out
            return "class_index"
    if least >= 0.0 and greatest <= 1.0:
        one_hot = values.ndim > 1 and values.shape[-1] > 1 and contains("one_hot", values, 2)
        return "one_hot" if one_hot else "binary"
    if set(np.unique(values)) == {-1.0, 1.0}:
        return "sign"
    return "count" if least >= 0.0 and values.size >= ENOUGH else ""


def _one_axis_less(values: Array, prediction: Array) -> bool:
    column = values.shape[-1:] == (1,) and values.ndim == prediction.ndim
    return (values.ndim == prediction.ndim - 1 or column) and prediction.shape[-1] > 1
