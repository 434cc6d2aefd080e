"""What values an argument may take, by name, and its ranges: ordinary, working and extreme."""

from __future__ import annotations

import difflib
import math
import re

from losscheck.domains.base import OUTSIDE, Domain
from losscheck.domains.box import Box, boxes, otherwise
from losscheck.domains.columns import Columns, named
from losscheck.domains.labels import ClassIndex, Labels, Mask, OneHot, PaddedClassIndex
from losscheck.domains.numbers import NEAREST, Numbers
from losscheck.domains.rows import Simplex, UnitVector
from losscheck.model import UsageError

__all__ = ["NAMED", "OUTSIDE", "Domain", "names_classes", "parse"]
INF = math.inf
_FREE = (True, True)
_CLOSED = (False, False)
_FROM_ZERO = (False, True)

# The ranges are those of the table in design.md, section Domains.
REAL = Numbers("real", (-INF, INF), _FREE, (-3.0, 3.0), (-1e9, 1e9), nearest=NEAREST)
NAMED: dict[str, Domain] = {
    domain.name: domain
    for domain in (
        REAL,
        Numbers("logits", (-INF, INF), _FREE, (-10.0, 10.0), (-1e4, 1e4), nearest=NEAREST),
        Numbers("positive", (0.0, INF), _FREE, (0.05, 20.0), (1e-8, 1e9), logarithmic=True),
        Numbers(
            "nonnegative",
            (0.0, INF),
            _FROM_ZERO,
            (0.05, 20.0),
            (1e-8, 1e9),
            zero_works=True,
            logarithmic=True,
        ),
        Numbers("probability", (0.0, 1.0), _CLOSED, (1e-3, 1.0 - 1e-3), (0.0, 1.0)),
        Simplex("simplex"),
        UnitVector("unit_vector"),
        Labels("binary", 0.0, 1.0),
        Labels("sign", -1.0, 1.0),
        OneHot("one_hot"),
        Mask("mask", 0.0, 1.0),
        ClassIndex("class_index", 0.0, 1.0),
        PaddedClassIndex("padded_class_index", 0.0, 1.0),
        Numbers("count", (0.0, INF), _FROM_ZERO, (0.0, 20.0), (0.0, 1e6), integral=True),
        Numbers("weight", (0.0, INF), _FROM_ZERO, (0.1, 10.0), (0.0, 1e6), logarithmic=True),
        boxes((0, 1), (2, 3)),
    )
}

_INTERVAL = re.compile(r"([\[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])")
# The middle of an interval: this share of it is left out at each finite end, where poles lie.
_MARGIN = 0.05


def parse(text: str) -> Domain:
    """Read a domain: one of `NAMED`, an interval, or a list of those, one a column.

    Parameters
    ----------
    text
        Such as "probability", "[-1, 1]", "(0, inf)", "[0, 1)", "[real, positive]", "box of x1, x2".

    Raises
    ------
    UsageError
        Where the text is none of these; the message names those that come close.

    Examples
    --------
    >>> parse("[0, 1)").bounds
    (0.0, 1.0)
    >>> parse("[real, [0, 1]]").name
    '[real, [0, 1]]'
    """
    stripped = text.strip()
    found = NAMED.get(stripped.lower().replace("-", "_").replace(" ", "_"))
    if found is not None:
        return found
    if (box := otherwise(stripped)) is not None:
        return box
    if (columns := _listed(stripped)) is not None:
        return _by_column(columns, text)
    match = _INTERVAL.fullmatch(stripped)
    if match is None:
        close = difflib.get_close_matches(stripped.lower(), NAMED, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(close)}?" if close else "Name one of these."
        raise UsageError(
            f"{text!r} is not a domain. Expected one of {', '.join(NAMED)}, an interval such as "
            f'"[-1, 1]" or "(0, inf)", or a list such as "[real, positive]" with one of these for '
            f"each column of the last axis. {hint}"
        )
    opening, low, high, closing = match.groups()
    return _interval(_end(low, text), _end(high, text), opening == "(", closing == ")", text)


def _listed(text: str) -> list[str] | None:
    """Take a list in brackets apart at its own commas; None for what is none, as an interval."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    parts, depth = [""], 0
    for character in text[1:-1]:
        depth += (character in "[(") - (character in "])")
        if depth < 0:
            return None
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    words = [part.strip() for part in parts]
    return None if depth or any(_is_number(word) for word in words) else words


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _by_column(words: list[str], text: str) -> Columns:
    """Read the domains of columns; `UsageError` where one of them is not of single numbers."""
    parts = []
    for word in words:
        if word.startswith("[") and _listed(word) is not None:
            part: Domain | None = None
        else:
            part = parse(word)
        if not isinstance(part, Numbers | Labels | Box) or isinstance(part, ClassIndex):
            raise UsageError(
                f"The domain {text!r} names {word!r} for a column. Expected a domain of single "
                'numbers, such as real, positive, binary or "[0, 1]", or box for four columns. '
                "Name one of these for each column."
            )
        parts.append(part)
    return named(tuple(parts))


def names_classes(text: str) -> bool:
    """Whether the labels of a domain, given by its canonical name, are numbers of classes."""
    return isinstance(NAMED.get(text), ClassIndex)


def _end(number: str, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise UsageError(
            f"The domain {text!r} has an end {number!r}, which is not a number. Expected two "
            'numbers or inf, as in "[-1, 1]" or "(0, inf)". Write the ends as numbers.'
        )
    return value


def _interval(low: float, high: float, open_low: bool, open_high: bool, text: str) -> Domain:
    if not low < high:
        raise UsageError(
            f"The domain {text!r} is empty: its lower end {low:g} is not below its upper end "
            f"{high:g}. Expected the lower end first. Exchange or change the ends."
        )
    open_low, open_high = open_low or math.isinf(low), open_high or math.isinf(high)
    name = f"{'(' if open_low else '['}{low!r}, {high!r}{')' if open_high else ']'}"
    limit = REAL.works[1]
    return Numbers(
        re.sub(r"\.0\b", "", name),
        (low, high),
        (open_low, open_high),
        _middle(low, high),
        # An end at infinity stands for no limit, and works as far as that of `real`.
        (
            min(-limit, 10.0 * high) if math.isinf(low) else low,
            max(limit, 10.0 * low) if math.isinf(high) else high,
        ),
    )


def _middle(low: float, high: float) -> tuple[float, float]:
    """Settle the ordinary range of an interval: its middle, or what of real's lies inside."""
    if math.isinf(low) and math.isinf(high):
        return REAL.usual
    reach = REAL.usual[1]
    # Where nothing of real's range lies inside, an equal stretch from the finite end on.
    first = max(low, min(-reach, high - max(reach, abs(high)))) if math.isinf(low) else low
    last = min(high, max(reach, low + max(reach, abs(low)))) if math.isinf(high) else high
    margin = _MARGIN * (last - first)
    return (
        first if math.isinf(low) else first + margin,
        last if math.isinf(high) else last - margin,
    )
