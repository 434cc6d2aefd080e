"""Margins of a maximum and of an order change sign exactly where the choice does."""

from __future__ import annotations

import numpy as np

from losscheck.numerics.crossing import lead, margins

ROWS = np.random.default_rng(5).normal(size=(200, 2, 3))


def test_the_maximum_leads_and_no_other_does() -> None:
    found = lead(ROWS, [-1]).reshape(ROWS.shape)
    assert ((found > 0) == (ROWS.max(axis=-1, keepdims=True) == ROWS)).all()


def test_a_maximum_over_several_axes() -> None:
    found = lead(ROWS, [0, 1])
    assert found.shape == (200, 6)
    assert ((found > 0).sum(axis=1) == 1).all()
    np.testing.assert_array_equal(np.sort(lead(ROWS, [1, 0])), np.sort(found))


def test_ties_are_zero() -> None:
    assert lead(np.array([[2.0, 2.0, 1.0]]), [0]).tolist() == [[0.0, 0.0, -1.0]]
    assert margins(np.array([[2.0, 1.0, 1.0]]), 2).tolist() == [[1.0, -1.0, -1.0, 1.0, 0.0, 0.0]]


def test_one_number_leads_nothing() -> None:
    assert lead(np.ones((4, 1)), [0]).shape == (4, 0)
    assert margins(np.ones((4, 1)), 3).shape == (4, 0)


def test_the_sign_of_a_rank_says_who_is_among_the_first() -> None:
    rows = ROWS.reshape(200, 6)
    found = margins(rows, 4).reshape(200, 4, 6)
    places = np.argsort(np.argsort(-rows, axis=1), axis=1)
    for rank in range(1, 5):
        np.testing.assert_array_equal(found[:, rank - 1] > 0, places < rank)
