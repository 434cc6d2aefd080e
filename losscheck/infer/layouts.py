"""The layouts that an undeclared loss may take, tried in the order in which people use them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

# (labels, predictions): regression and one-hot first, then sparse labels, sequences, images.
PAIRS: tuple[tuple[str, str], ...] = (
    ("(B, D)", "(B, D)"),
    ("(B,)", "(B, D)"),
    ("(B, 1)", "(B, D)"),
    ("(B,)", "(B,)"),
    ("(B, T, D)", "(B, T, D)"),
    ("(B, H, W, C)", "(B, H, W, C)"),
    ("(B, T)", "(B, T, D)"),
    ("(B, H, W)", "(B, H, W, C)"),
    ("(B, H, W, 1)", "(B, H, W, 1)"),
)
INDEX_PAIRS: tuple[tuple[str, str], ...] = (
    ("(B,)", "(B, D)"),
    ("(B, 1)", "(B, D)"),
    ("(B, T)", "(B, T, D)"),
    ("(B, H, W)", "(B, H, W, C)"),
)
EXTRA: tuple[str, ...] = ("(B, D)", "(B,)", "(B, 1)", "()")  # weights and other inputs
# Tried where a free last axis does not run; 1 last, since anything broadcasts with it, and not the
# size of the batch, which may fit by accident.
WIDTHS: tuple[int, ...] = (2, 5, 6, 7, 8, 10, 1)

Shapes = dict[str, str]
Pairs = Sequence[tuple[str, str]]


def layouts(
    roles: Mapping[str, str], fixed: Mapping[str, str], pairs: Sequence[tuple[str, str]] = PAIRS
) -> Iterator[Shapes]:
    """Give assignments of a shape to every argument, the likeliest first.

    Parameters
    ----------
    roles
        Argument -> role.
    fixed
        The shapes that are declared, known or documented; they stay.
    """
    extras = [name for name, role in roles.items() if role not in ("y_true", "y_pred")]
    seen: set[tuple[tuple[str, str], ...]] = set()
    for label, prediction in pairs:
        for choice in itertools.product(EXTRA, repeat=len(extras)):
            shapes = dict(zip(extras, choice, strict=True))
            for name, role in roles.items():
                if role == "y_true":
                    shapes[name] = label
                elif role == "y_pred":
                    shapes[name] = prediction
            shapes = {name: fixed.get(name, shapes[name]) for name in roles}
            if (key := tuple(shapes.items())) not in seen:
                seen.add(key)
                yield shapes


def with_width(shapes: Shapes, letter: str, width: int) -> Shapes:
    """Write a number for a letter."""
    return {name: re.sub(rf"\b{letter}\b", str(width), text) for name, text in shapes.items()}
