"""Findings with one root cause told as one: a diagnosis, with one thing to write."""
