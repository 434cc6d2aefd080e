"""What the words about kinks and jumps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losscheck.advice import wording

if TYPE_CHECKING:
    from collections.abc import Mapping


def place(at: Any) -> str:
    """Write where it is: a number, or the numbers of several arguments."""
    if hasattr(at, "items"):
        return ", ".join(f"{name} = {wording.array(value)}" for name, value in at.items())
    return wording.array(at)


def both_sides(facts: Mapping[str, Any], numbers: str, without: str) -> str:
    """Fill in what the two sides have, or say it without."""
    left, right = facts.get("left"), facts.get("right")
    if left is None or right is None:
        return without
    return numbers.format(wording.array(left), wording.array(right))
