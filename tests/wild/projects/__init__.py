"""Losses of forty public projects, written anew, with truths found without losscheck."""
