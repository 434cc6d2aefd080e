"""The loss under Keras: compiled, trained, weighted, saved; and the weights of a model."""
