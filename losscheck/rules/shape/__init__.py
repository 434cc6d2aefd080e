"""Rules about shapes and ranks, and how shapes and arguments are called in their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import wording

if TYPE_CHECKING:
    from losscheck.rules.base import Arguments


def written(facts: object, key: str) -> str:
    """Write a shape among the facts; nothing for none."""
    value = facts.get(key) if hasattr(facts, "get") else None
    return "" if value is None else wording.shape(value)


def rank(shape: object) -> int:
    """Count the axes of a shape given as numbers or as text."""
    if shape is None:
        return 0
    return len([part for part in wording.shape(shape).strip("()").split(",") if part.strip()])


def column(rank: int) -> str:
    """Write the shape that keeps the batch in the first axis: "(-1,)", "(-1, 1)", ..."""
    return "(-1,)" if rank == 1 else f"(-1{', 1' * (rank - 1)})"


def of_shape(shape: str) -> str:
    """Say of what shape something is, where that is known."""
    return f" of shape {shape}" if shape else ""


def against(shape: str) -> str:
    """Say what shape it meets, where that is known."""
    return f" against {shape}" if shape else ""


def called(arguments: Arguments, role: str, default: str | None = None) -> str:
    """Name the argument that has a role."""
    return next((a.name for a in arguments if a.role == role), role if default is None else default)
