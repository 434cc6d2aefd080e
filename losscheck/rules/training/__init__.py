"""Rules about what Keras does with a loss."""
