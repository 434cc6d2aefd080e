"""Numbers in sentences."""

from __future__ import annotations

import numpy as np

from losscheck.advice import wording


def test_of_large_arrays_the_element_is_written_in_which_they_differ_most() -> None:
    one = np.arange(16.0).reshape(4, 4)
    other = one.copy()
    other[2, 1], other[3, 3] = 9.5, 20.0
    assert wording.beside({"graph": one, "xla": other}) == (
        {"graph": "15", "xla": "20"},
        " at [3, 3]",
    )
    other[1, 0] = np.nan
    assert wording.beside({"graph": one, "xla": other})[0] == {"graph": "4", "xla": "NaN"}


def test_small_arrays_are_written_whole() -> None:
    given = {"graph": np.array([1.0, 2.0]), "eager": np.array([1.0, np.nan])}
    assert wording.beside(given) == ({"graph": "[1, 2]", "eager": "[1, NaN]"}, "")
    assert wording.beside({}) == ({}, "")
