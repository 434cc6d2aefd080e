"""Rules about shapes and ranks."""
