"""A loss and its gradient op by op, with as many digits as it takes."""
