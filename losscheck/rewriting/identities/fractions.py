"""Fractions turned round, put apart and grouped anew; what sums have in common."""

from __future__ import annotations

IDENTITIES = (
    "(a + b) / c -> a / c + b / c",
    "(a - b) / c -> a / c - b / c",
    "(a + b) * c -> a * c + b * c",
    "(a - b) * c -> a * c - b * c",
    "a * b + a * c -> a * (b + c)",
    "a * b - a * c -> a * (b - c)",
    "a / b - c / b -> (a - c) / b",
    "a / b + c / b -> (a + c) / b",
    "a / (a + b) -> 1 / (1 + b / a)",
    "a / (a - b) -> 1 / (1 - b / a)",
    "1 - a / b -> (b - a) / b",
    "1 - a / (a + b) -> b / (a + b)",
    "square(a) / square(b) -> square(a / b)",
    "square(a / b) -> square(a) / square(b)",
    "a * (b / c) -> a * b / c",
    "square(a) / b -> a * (a / b)",
    "(a - b) - c -> a - (b + c)",
)
