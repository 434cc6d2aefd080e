"""Logarithms next to 1, of quotients and powers, of exponentials, and inverse hyperbolic ones."""

from __future__ import annotations

IDENTITIES = (
    # Next to 1
    "log(1 + a) -> log1p(a)",
    "log(a) -> log1p(a - 1)",
    "log1p(a) -> log(1 + a)",
    # Quotients, products and powers
    "log(a / b) -> log(a) - log(b)  if a > 0, b > 0",
    "log(a * b) -> log(a) + log(b)  if a > 0, b > 0",
    "log(a) - log(b) -> log1p((a - b) / b)  if b > 0",
    "log(a) - log(b) -> log(a / b)",
    "log(a) + log(b) -> log(a * b)",
    "log1p(a) - log1p(b) -> log1p((a - b) / (1 + b))  if b > -1",
    "log((1 - a) / (1 + a)) -> log1p(-a) - log1p(a)",
    "log(1 + a) + log(1 - a) -> log1p(-a * a)",
    "log1p(a) + log1p(-a) -> log1p(-a * a)",
    "log(sqrt(a)) -> log(a) / 2",
    "log(a ** n) -> n * log(a)  if a > 0",
    "log(a ** b) -> b * log(a)  if a > 0",
    "log(square(a)) -> 2 * log(abs(a))",
    # Of exponentials
    "log(exp(a)) -> a",
    "log(1 + exp(a)) -> softplus(a)",
    "log1p(exp(a)) -> softplus(a)",
    "log(1 - exp(a)) -> log(-expm1(a))",
    "log(exp(a) - 1) -> a + log(-expm1(-a))",
    "log(expm1(a)) -> a + log(-expm1(-a))",
    "log(exp(a) + exp(b)) -> c + log(exp(a - c) + exp(b - c))  where c = maximum(a, b)",
    "log(exp(a) + exp(b)) -> a + softplus(b - a)",
    "log(exp(a) + b) -> a + log1p(b * exp(-a))",
    "log(exp(a) + exp(b) + exp(c)) -> d + log(exp(a - d) + exp(b - d) + exp(c - d))"
    "  where d = maximum(maximum(a, b), c)",
    "log(sigmoid(a)) -> -softplus(-a)",
    "log(1 - sigmoid(a)) -> -softplus(a)",
    "log1p(-sigmoid(a)) -> -softplus(a)",
    "log(cosh(a)) -> log1p(square(sinh(a))) / 2",
    "log(cosh(a)) -> abs(a) + softplus(-2 * abs(a)) - log(2)",
    "log(sinh(a)) -> a + log1p(-exp(-2 * a)) - log(2)",
    # x log x
    "a * log(b) - c * log(d) -> (a - c) * log(b) + c * (log(b) - log(d))",
    "a * log(b) + a * log(c) -> a * log(b * c)  if b > 0, c > 0",
    # Inverse hyperbolic functions
    "log(a + sqrt(square(a) + 1)) -> asinh(a)",
    "log(a + sqrt(square(a) - 1)) -> acosh(a)",
    "acosh(1 + a) -> log1p(a + sqrt(a) * sqrt(a + 2))",
    "acosh(1 + a) -> 2 * asinh(sqrt(a / 2))",
    "log((1 + a) / (1 - a)) -> 2 * atanh(a)",
    "log1p(a) - log1p(-a) -> 2 * atanh(a)",
    "asinh(a) - asinh(b) -> asinh(a * sqrt(1 + square(b)) - b * sqrt(1 + square(a)))",
    "atanh(a) - atanh(b) -> atanh((a - b) / (1 - a * b))",
)
