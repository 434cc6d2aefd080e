"""Rules about the weights of a compiled model."""
