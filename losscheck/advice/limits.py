"""Sizes that the advice depends on, by dtype."""

from __future__ import annotations

# Smallest round number that can be taken from 1 without vanishing, so that 1 - EPSILON < 1. It must
# exceed half the spacing below 1: 2.4e-4 (float16), 2e-3 (bfloat16), 3e-8 (float32), 5.5e-17.
EPSILON = {"float16": 1e-3, "bfloat16": 1e-2, "float32": 1e-7, "float64": 1e-15}

# Floors below it, for where numbers as small as these count: the second is near the least normal
# one, and its inverse still fits.
SMALL = {"float16": 1e-4, "bfloat16": 1e-12, "float32": 1e-12, "float64": 1e-30}
LEAST = {"float16": 1e-4, "bfloat16": 1e-30, "float32": 1e-30, "float64": 1e-300}

# A floor between these, whose square is a normal number: slopes of quotients and roots have it.
SQUARED = {"float16": 1e-2, "bfloat16": 1e-18, "float32": 1e-18, "float64": 1e-150}

# What to add under a square root: the root of it bounds the slope at 5e5 (float16: 50). It must be
# a normal number of the dtype, since kernels flush subnormals to 0; float16's begin at 6.1e-5.
UNDER_ROOT = {"float16": 1e-4, "bfloat16": 1e-12, "float32": 1e-12, "float64": 1e-12}

# How far to stay from a point of infinite slope such as acos(1): 8 spacings of the dtype or more,
# so that what rounding adds in the line before does not undo the clip.
MARGIN = {"float16": 1e-2, "bfloat16": 5e-2, "float32": 1e-6, "float64": 1e-12}

# The largest finite number, and the logarithm of it, above which exp overflows; rounded down for a
# sentence (IEEE 754-2019, table 3.5; bfloat16 has float32's exponent).
LARGEST = {
    "float16": 65504.0,
    "bfloat16": 3.39e38,
    "float32": 3.4e38,
    "float64": 1.79e308,
}
EXP_LIMIT = {"float16": 11.0, "bfloat16": 88.7, "float32": 88.7, "float64": 709.7}
# Where exp leaves room for a factor of e^1.7, or of e in float16.
EXP_BOUND = {"float16": 10.0, "bfloat16": 87.0, "float32": 87.0, "float64": 708.0}

# What a prediction may be clipped to so that its square, and a sum of 1e20 such squares, still fit;
# in float16 only a few of them do. 1e9 is the end of the working range of a real.
BOUND = {"float16": 100.0, "bfloat16": 1e9, "float32": 1e9, "float64": 1e100}

HALF = ("float16", "bfloat16")
