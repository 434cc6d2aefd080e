"""A loss and its gradient as a graph, and the same graph in another dtype."""
