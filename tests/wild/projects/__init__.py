"""Losses of eighty-four public projects, written anew, with truths found without losscheck."""
