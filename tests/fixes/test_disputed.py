"""Faults whose numbers are wrong themselves: what a change is held against, and what not."""

from __future__ import annotations

import pytest

from losscheck.fixes.cure import cures
from tests.fixes.explained import explained
from tests.zoo.catalogue import CATALOGUE
from tests.zoo.faulty import PLANTED

SPECIMENS = {one.name: one for one in (*CATALOGUE, *PLANTED) if hasattr(one.faulty, "__code__")}


@pytest.mark.parametrize(
    ("name", "code", "written"),
    [
        # The gradient from above is one number a sample: times (B, D) it runs for a batch of one.
        ("LC101-unweighable", "LC101", "+        return upstream[..., None] * tf.tanh(error)"),
        pytest.param(
            "LC103-clipped_logits", "LC103", "+    logits = y_pred", marks=pytest.mark.slow
        ),
        pytest.param(
            *("69-byte_edges", "LC303", "+    pixels = tf.cast(y_true, tf.int64)"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(
                "53-over_the_batch",
                "LC404",
                "+    return tf.reduce_mean(tf.square(y_true - y_pred), ",
            ),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *("LC205-dropped_overflow", "LC205", "+    kept = squares"), marks=pytest.mark.slow
        ),
    ],
)
def test_what_is_right_stays_and_what_is_wrong_may_change(name: str, code: str, written: str):
    specimen = SPECIMENS[name]
    found = explained(specimen.faulty, (code,), **specimen.arguments)
    best = cures(found.bench, found.desk, found.explanations)[-1]
    assert best.verified.holds, best.verified.complaints
    assert written in best.verified.diff
