"""A module that exits."""

import sys

sys.exit("no arguments")
