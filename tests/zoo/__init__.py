"""Losses with known verdicts: sound ones that must pass, and planted faults with their twins."""
