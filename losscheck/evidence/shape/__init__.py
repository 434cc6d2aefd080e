"""The loss at other shapes, ranks, sizes and dtypes of its arguments."""
