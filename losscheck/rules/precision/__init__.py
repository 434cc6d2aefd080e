"""Rules about lost digits."""
