"""Keras around a loss: compile, fit, weights, saving, and compiled models."""
