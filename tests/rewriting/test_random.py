"""Random expressions: whatever is written for them is equal to them."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.rewriting import leaves_in, rewritings
from losscheck.rewriting.judging import Judge
from losscheck.rewriting.python import read

FUNCTIONS = (
    *("tf.exp", "tf.math.log", "tf.sqrt", "tf.square", "tf.sin", "tf.cos", "tf.tanh", "tf.abs"),
    *("tf.math.log1p", "tf.math.expm1", "tf.sigmoid", "tf.cosh", "tf.atan", "tf.math.softplus"),
)


def composed(rng: np.random.Generator, depth: int) -> str:
    choice = rng.random()
    if depth == 0 or choice < 0.12:
        return str(rng.choice(["x", "y", "x", "1.0", "2.0", "0.5"]))
    if choice < 0.5:
        return f"{rng.choice(FUNCTIONS)}({composed(rng, depth - 1)})"
    sign = rng.choice(["+", "-", "-", "*", "/"])
    return f"({composed(rng, depth - 1)} {sign} {composed(rng, depth - 1)})"


def numbers(text: str, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for name in leaves_in(text):
        sizes = np.exp(rng.uniform(-18, 4, 80)) * np.where(rng.random(80) < 0.5, 1, -1)
        sizes[:5] = 0, 1, -1, 2, 100
        found[name] = sizes.astype(np.float32)
    return found


def differing(text: str, seed: int) -> list[str]:
    """The rewritings without a series that are not equal to the original where that is defined."""
    wrong = []
    for each in rewritings(text, numbers(text, seed)):
        if each.statements:
            continue
        judge = Judge(read(text), numbers(text, seed + 10_000))
        truth, exact = judge.truth.value, judge.truth.exact
        holds = np.isfinite(truth)
        for condition in each.conditions:
            holds = holds & np.asarray(exact.of(read(condition)), bool)
        given = np.asarray(exact.of(read(each.text)), float)
        if not np.allclose(given[holds], truth[holds], rtol=1e-6, atol=1e-30):
            wrong.append(each.text)
    return wrong


@pytest.mark.parametrize("seed", range(8))
def test_a_rewriting_is_equal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = (text for _ in range(3) if leaves_in(text := composed(rng, 4)))
    assert {text: wrong for text in texts if (wrong := differing(text, seed))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_more_rewritings_are_equal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = (text for _ in range(10) if leaves_in(text := composed(rng, 4)))
    assert {text: wrong for text in texts if (wrong := differing(text, seed))} == {}
