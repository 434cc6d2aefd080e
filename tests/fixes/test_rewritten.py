"""What no advice knows is rewritten by identities, and verified as any change is."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from losscheck.fixes.candidates import candidates
from losscheck.fixes.cure import cures
from losscheck.fixes.rewritten import _passes_on, numbers_of
from tests.fixes import lossy_losses as losses
from tests.fixes.explained import explained

LOST = ("LC301", "LC302")


@pytest.mark.parametrize(
    ("name", "domain", "written"),
    [
        ("roots_apart", "[1, 1e30]", "1.0 / (tf.sqrt(y_pred + 1.0) + tf.sqrt(y_pred))"),
        (
            "over_statements",
            "[0.1, 1e6]",
            "SCALE / (tf.sqrt(tf.square(y_pred) + SCALE) + y_pred)",
        ),
    ],
)
def test_a_rewriting_cures_what_has_no_advice(name: str, domain: str, written: str):
    found = explained(getattr(losses, name), LOST, y_true="[1, 2]", y_pred=domain)
    assert found.explanations
    assert not any([*candidates(each, found.desk)] for each in found.explanations)
    cure = cures(found.bench, found.desk, found.explanations)[-1]
    assert cure.verified.holds
    assert set(cure.verified.clears) == {each.finding.id for each in found.explanations}
    assert cure.edit.new == written


def test_what_holds_the_expression_is_rewritten_where_it_alone_does_not_do():
    found = explained(losses.tangents, ("LC201", *LOST), y_true="[1, 2]", y_pred="[-1.5, 1.5]")
    cure = cures(found.bench, found.desk, found.of("LC301"))[-1]
    assert cure.verified.holds
    assert cure.edit.before[0] == "near = tf.abs(y_pred) < 0.5"
    assert "+    near = tf.abs(y_pred) < 0.5\n" in cure.verified.diff


@pytest.mark.parametrize(
    ("outer", "inner", "passed"),
    [
        ("y * (tf.exp(p) - 1.0)", "tf.exp(p) - 1.0", True),
        ("(tf.exp(p) - 1.0) / p", "tf.exp(p) - 1.0", False),
        ("(tf.exp(p) - 1.0) / tf.tan(p)", "tf.exp(p) - 1.0", False),
        ("tf.reduce_mean(p - y, axis=-1)", "p - y", True),
        ("tf.math.log(1.0 + p)", "1.0 + p", False),
        ("-(1.0 + p)", "1.0 + p", True),
    ],
)
def test_what_only_passes_on_what_is_lost(outer: str, inner: str, passed: bool):
    node = ast.parse(outer, mode="eval").body
    part = next(n for n in ast.walk(node) if isinstance(n, ast.expr) and ast.unparse(n) == inner)
    assert _passes_on(node, part) is passed


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("y", [[1, 2], [3, 4]]),
        ("y[0]", [1, 3]),
        ("y[..., 1:]", [[2], [4]]),
        ("y[::-1]", [[2, 1], [4, 3]]),
        ("y[None, 0]", None),
        ("tf.cast(y[0], tf.float32)", [1, 3]),
        ("ALPHA", [0.25, 0.25]),
        ("y[7]", None),
        ("y[k]", None),
        ("net(y)", None),
        ("self.y", None),
        ("unknown", None),
    ],
)
def test_numbers_of_pieces_of_source(text: str, numbers: object):
    inputs = {"y": np.float32([[1, 2], [3, 4]])}
    found = numbers_of(text, inputs, {"ALPHA": 0.25, "net": len})
    if numbers is None:
        assert found is None or found.shape == (2, 1)
    else:
        assert found is not None
        assert found.tolist() == numbers
