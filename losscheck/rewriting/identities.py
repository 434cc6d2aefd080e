"""Identities by which expressions are rewritten: one line each, grouped by what they are about.

`pattern -> replacement`, and behind it where it holds: `if a > 0`. `where c = ...` names a part of
the replacement. An identity says that both sides are equal in exact arithmetic, not which of them
is better in float32: that is measured.
"""

from __future__ import annotations

FAMILIES: dict[str, tuple[str, ...]] = {
    # exp next to 0, differences of exponentials, and quotients that overflow.
    "exponentials": (
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
    ),
    # Logarithms next to 1, of quotients and powers, of exponentials, and inverse hyperbolic ones.
    "logarithms": (
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
    ),
    # Differences of roots, squares and powers, and squares that overflow.
    "powers": (
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
    ),
    # Half angles, differences of angles, and inverse functions.
    "trigonometry": (
        # Half angles
        "1 - cos(a) -> 2 * square(sin(a / 2))",
        "1 + cos(a) -> 2 * square(cos(a / 2))",
        "(1 - cos(a)) / sin(a) -> tan(a / 2)",
        "sin(a) / (1 + cos(a)) -> tan(a / 2)",
        "1 / sin(a) - cos(a) / sin(a) -> tan(a / 2)",
        "1 / sin(a) - 1 / tan(a) -> tan(a / 2)",
        "1 - square(cos(a)) -> square(sin(a))",
        "1 - square(sin(a)) -> square(cos(a))",
        "square(cos(a)) - square(sin(a)) -> cos(2 * a)",
        "1 / cos(a) - 1 -> 2 * square(sin(a / 2)) / cos(a)",
        "sin(a) / cos(a) -> tan(a)",
        # Differences of angles
        "sin(a) - sin(b) -> 2 * cos((a + b) / 2) * sin((a - b) / 2)",
        "cos(a) - cos(b) -> -2 * sin((a + b) / 2) * sin((a - b) / 2)",
        "tan(a) - tan(b) -> sin(a - b) / (cos(a) * cos(b))",
        "sin(a) * cos(b) - cos(a) * sin(b) -> sin(a - b)",
        "cos(a) * cos(b) + sin(a) * sin(b) -> cos(a - b)",
        # Angles that round away beside others
        "sin(a + b) -> sin(a) * cos(b) + cos(a) * sin(b)",
        "cos(a + b) -> cos(a) * cos(b) - sin(a) * sin(b)",
        # Inverse functions
        "atan(a) - atan(b) -> atan2(a - b, 1 + a * b)",
        "asin(a) - asin(b) -> asin((a - b) * (a + b)"
        " / (a * sqrt(1 - square(b)) + b * sqrt(1 - square(a))))"
        "  if a * b > 0, square(a) + square(b) < 1",
        "acos(1 - a) -> 2 * asin(sqrt(a / 2))",
        "acos(a) -> 2 * asin(sqrt((1 - a) / 2))",
        "acos(a) -> atan2(sqrt((1 - a) * (1 + a)), a)",
        "asin(a) -> atan2(a, sqrt((1 - a) * (1 + a)))",
    ),
    # Hyperbolic functions in place of sums of exponentials, and their half arguments.
    "hyperbolic": (
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
    ),
    # Fractions turned round, put apart and grouped anew; what sums have in common.
    "fractions": (
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
    ),
    # Sums of exponentials along an axis; the axis is that of the expression.
    "reductions": (
        "log(reduce_sum(exp(a))) -> reduce_logsumexp(a)",
        "log(softmax(a)) -> log_softmax(a)",
        "exp(a) / reduce_sum(exp(a)) -> softmax(a)",
        "a - reduce_logsumexp(a) -> log_softmax(a)",
    ),
    # What a sign makes superfluous.
    "signs": (
        "abs(a) -> a  if a >= 0",
        "abs(a) -> -a  if a <= 0",
        "sign(a) -> 1  if a > 0",
        "sign(a) * abs(a) -> a",
        "square(abs(a)) -> square(a)",
        "maximum(a, b) - minimum(a, b) -> abs(a - b)",
    ),
}
