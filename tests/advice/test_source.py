"""Patterns of expressions: what they are like, and what they are not."""

from __future__ import annotations

import pytest

from losscheck.advice.source import like


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("1 - cos(z)", "1.0 - tf.cos(p / 2)", {"z": "p / 2"}),
        ("1 + z", "p + 1.0", {"z": "p"}),
        ("z ** 2", "p * p", {"z": "p"}),
        ("z ** 2", "tf.square(p)", {"z": "p"}),
        ("sum(a * b, *more)", "tf.reduce_sum(u * v, axis=-1)", None),
        ("softmax(*z)", "tf.nn.softmax(p, axis=1)", {"z": "p, axis=1"}),
        ("exp(z) - z - 1", "tf.exp(p) - p - 1", {"z": "p"}),
        ("t - 2 * sum(u * v)", "a + b - tf.reduce_sum(p * q) * 2.0", None),
    ],
)
def test_what_is_like_a_pattern(pattern: str, text: str, found: dict[str, str] | None) -> None:
    if found is None:
        assert like(pattern, text)
    else:
        assert like(pattern, text) == found


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("1 - cos(z)", "tf.cos(p) - 1.0"),  # a difference has an order
        ("exp(z) - z", "tf.exp(p) - q"),  # a letter stands for one thing
        ("softmax(*z)", "tf.nn.softmax()"),
        ("exp(z)", "tf.exp(x=p)"),
        ("1 - z", "1.0 -"),
    ],
)
def test_what_is_not(pattern: str, text: str) -> None:
    assert like(pattern, text) == {}
