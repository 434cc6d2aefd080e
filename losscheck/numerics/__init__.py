"""Differences with error bounds, ulps and conditioning; NumPy only."""
