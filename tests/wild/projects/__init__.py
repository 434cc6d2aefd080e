"""Losses of 124 public projects, written anew, with truths found without losscheck."""
