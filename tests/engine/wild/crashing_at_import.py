"""A module that takes down what imports it."""

import ctypes

ctypes.string_at(0)
