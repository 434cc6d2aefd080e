"""What goes wrong in an op and what to write instead, by op type and direction.

Each file holds a table for one family of ops; `nonfinite.py` beside this package looks them up.
"""
