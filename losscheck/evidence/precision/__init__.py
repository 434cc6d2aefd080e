"""Digits: what is lost, what differs between modes and dtypes, and what the truth is."""
