"""The losses of a shop."""
