"""A pytest file that pins what was found: each test fails as long as its fault is there."""
