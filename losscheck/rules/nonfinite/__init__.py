"""Rules about NaN, Inf and labels outside their range."""
