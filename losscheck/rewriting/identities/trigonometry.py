"""Half angles, differences of angles, and inverse functions."""

from __future__ import annotations

IDENTITIES = (
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
)
