"""The gradient: beside numeric derivatives, dead, missing, kinked, of unusual size."""
