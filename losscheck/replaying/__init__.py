"""Findings of a stored report run again on the losses as they are now."""
