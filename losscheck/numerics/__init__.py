"""Differences with error bounds, ulps and conditioning; NumPy only."""

from __future__ import annotations

from typing import Final

DIVERGING: Final = -0.05
"""Growth of the increments, as an exponent of 1/h, from which a quotient has no limit: x·log x has
0; from x^1.05 on there is a derivative."""
