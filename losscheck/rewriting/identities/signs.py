"""What a sign makes superfluous."""

from __future__ import annotations

IDENTITIES = (
    "abs(a) -> a  if a >= 0",
    "abs(a) -> -a  if a <= 0",
    "sign(a) -> 1  if a > 0",
    "sign(a) * abs(a) -> a",
    "square(abs(a)) -> square(a)",
    "maximum(a, b) - minimum(a, b) -> abs(a - b)",
)
