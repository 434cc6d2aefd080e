"""Losses to try losscheck on."""
