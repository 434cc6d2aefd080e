"""Differences of roots, squares and powers, and squares that overflow."""

from __future__ import annotations

IDENTITIES = (
    # Conjugates
    "sqrt(a) - sqrt(b) -> (a - b) / (sqrt(a) + sqrt(b))",
    "sqrt(a) - b -> (a - square(b)) / (sqrt(a) + b)",
    "sqrt(a) + b -> (a - square(b)) / (sqrt(a) - b)",
    # Squares
    "square(a) - square(b) -> (a - b) * (a + b)",
    "square(a) - 1 -> (a - 1) * (a + 1)",
    "square(a) - 2 * a * b + square(b) -> square(a - b)",
    "square(a) + 2 * a * b + square(b) -> square(a + b)",
    "a ** 3 - b ** 3 -> (a - b) * (square(a) + a * b + square(b))",
    "a ** 4 - b ** 4 -> (a - b) * (a + b) * (square(a) + square(b))",
    # Squares that overflow or vanish below a root
    "sqrt(square(a) + square(b)) -> c * sqrt(square(a / c) + square(b / c))"
    "  where c = maximum(maximum(abs(a), abs(b)), 1e-30)",
    "sqrt(square(a) + n) -> c * sqrt(square(a / c) + n / c / c)  if n > 0"
    "  where c = maximum(abs(a), 1)",
    "sqrt(square(a)) -> abs(a)",
    "sqrt(a * b) -> sqrt(a) * sqrt(b)  if a >= 0, b >= 0",
    "sqrt(a / b) -> sqrt(a) / sqrt(b)  if a >= 0, b > 0",
    "sqrt(a) * sqrt(b) -> sqrt(a * b)",
    "sqrt(a) / sqrt(b) -> sqrt(a / b)",
    # Any power
    "a ** b - c ** b -> c ** b * expm1(b * log1p((a - c) / c))  if c > 0",
    "a ** b - 1 -> expm1(b * log(a))  if a > 0",
    "(1 + a) ** b -> exp(b * log1p(a))  if a > -1",
    "a ** b -> exp(b * log(a))  if a > 0",
    "a ** b * a ** c -> a ** (b + c)  if a > 0",
    "sign(a) * abs(a) ** b - sign(c) * abs(c) ** b"
    " -> sign(c) * abs(c) ** b * expm1(b * log1p((a - c) / c))  if a * c > 0",
    "abs(a) - abs(b) -> (a - b) * (a + b) / (abs(a) + abs(b))",
)
