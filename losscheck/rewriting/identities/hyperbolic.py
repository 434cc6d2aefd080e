"""Hyperbolic functions in place of sums of exponentials, and their half arguments."""

from __future__ import annotations

IDENTITIES = (
    "exp(a) - exp(-a) -> 2 * sinh(a)",
    "exp(a) + exp(-a) -> 2 * cosh(a)",
    "exp(a) - 1 / exp(a) -> 2 * sinh(a)",
    "exp(a) + 1 / exp(a) -> 2 * cosh(a)",
    "(exp(a) - exp(-a)) / (exp(a) + exp(-a)) -> tanh(a)",
    "sinh(a) / cosh(a) -> tanh(a)",
    "cosh(a) - 1 -> 2 * square(sinh(a / 2))",
    "cosh(a) - cosh(b) -> 2 * sinh((a + b) / 2) * sinh((a - b) / 2)",
    "cosh(a) - sinh(a) -> exp(-a)",
    "square(cosh(a)) - 1 -> square(sinh(a))",
    "square(cosh(a)) - square(sinh(a)) -> 1",
    "1 - tanh(a) -> 2 * sigmoid(-2 * a)",
    "1 + tanh(a) -> 2 * sigmoid(2 * a)",
    "1 - square(tanh(a)) -> 4 * sigmoid(2 * a) * sigmoid(-2 * a)",
    "1 - square(tanh(a)) -> square(1 / cosh(a))",
    "tanh(a) - tanh(b) -> sinh(a - b) / (cosh(a) * cosh(b))",
)
