"""Rules about the gradient and the slope of the loss."""
