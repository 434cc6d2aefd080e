"""Cause, fix, minimal case and reproduction of what the rules suspect."""
