"""Two losses compared: whether a rewrite is the same function, and who is right where it is not."""
