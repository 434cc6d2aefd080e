"""Losses of 144 public projects, written anew, with truths found without losscheck."""
