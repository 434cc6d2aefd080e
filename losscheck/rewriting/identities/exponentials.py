"""exp next to 0, differences of exponentials, and quotients that overflow."""

from __future__ import annotations

IDENTITIES = (
    # Next to 0
    "exp(a) - 1 -> expm1(a)",
    "expm1(a) + 1 -> exp(a)",
    "expm1(a) -> exp(a) - 1",
    "expm1(2 * a) -> expm1(a) * (exp(a) + 1)",
    # Differences
    "exp(a) - exp(b) -> exp(b) * expm1(a - b)",
    "expm1(a) - expm1(b) -> exp(b) * expm1(a - b)",
    # Quotients
    "exp(a) / (exp(a) - 1) -> -1 / expm1(-a)",
    "exp(a) / expm1(a) -> -1 / expm1(-a)",
    "exp(a) / (exp(a) + 1) -> sigmoid(a)",
    "exp(a) / (exp(a) + exp(b)) -> sigmoid(a - b)",
    "exp(a) / (exp(a) + b) -> 1 / (1 + b * exp(-a))",
    "exp(a) / exp(b) -> exp(a - b)",
    "exp(a) * exp(b) -> exp(a + b)",
    "exp(a + b) -> exp(a) * exp(b)",
    "exp(-a) -> 1 / exp(a)",
    # The sigmoid and softplus
    "(1 + exp(-a)) ** -1 -> sigmoid(a)",
    "(1 + exp(a)) ** -1 -> sigmoid(-a)",
    "1 - sigmoid(a) -> sigmoid(-a)",
    "sigmoid(a) - sigmoid(b) -> sigmoid(a) * sigmoid(-b) * -expm1(b - a)",
    "sigmoid(a) / sigmoid(-a) -> exp(a)",
    "softplus(a) - softplus(-a) -> a",
    "softplus(a) - a -> softplus(-a)",
    "a + softplus(-a) -> softplus(a)",
    "softplus(a) - softplus(b) -> log1p(sigmoid(b) * expm1(a - b))",
    # The error function
    "1 - erf(a) -> erfc(a)",
    "1 + erf(a) -> erfc(-a)",
    "1 - erfc(a) -> erf(a)",
    "erf(a) - erf(b) -> erfc(b) - erfc(a)",
    "erf(a) - erf(b) -> erfc(-a) - erfc(-b)",
)
