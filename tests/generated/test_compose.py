"""What the generator promises of its losses, and that the oracle can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.generated import operations
from tests.generated.checking import RECHECK
from tests.generated.compose import SHAPES, Generated, ends, generate, module, namespace
from tests.generated.recheck import load

SEED, COUNT = 11, 60


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generated") / "losses.py"
    path.write_text(module(generate(SEED, COUNT)), encoding="utf-8")
    return path


def test_the_same_seed_gives_the_same_losses() -> None:
    assert generate(SEED, 5) == generate(SEED, 5)
    assert generate(SEED, 5) != generate(SEED + 1, 5)


def test_losses_have_1_to_60_operations_all_ranks_and_all_forms() -> None:
    losses = generate(SEED, 200)
    counts = [loss.operations for loss in losses]
    assert min(counts) <= 2
    assert max(counts) >= 40
    assert {loss.y_pred[1] for loss in losses} == {shape for shape, _ in SHAPES}
    text = module(losses)
    used = [o for o in (*operations.WHOLE, *operations.IMAGE) if _stem(o.text) in text]
    assert len(used) == len(operations.WHOLE) + len(operations.IMAGE)


@pytest.mark.parametrize("loss", generate(SEED, COUNT), ids=lambda loss: loss.name)
def test_value_and_slope_are_finite_in_the_corners_of_the_domain(
    loss: Generated, file: Path
) -> None:
    function = load(str(file), loss.target)
    y_true, y_pred = (_drawn(*given) for given in (loss.y_true, loss.y_pred))
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = function(y_true, y_pred)
    slope = tape.gradient(value, y_pred)
    assert np.isfinite(value).all()
    assert slope is not None
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("operation", operations.ONE_OPERAND, ids=lambda o: o.text)
def test_an_operation_agrees_with_float64_on_its_interval(
    operation: operations.Elementwise,
) -> None:
    if "python" in operation.text or "numpy" in operation.text:
        pytest.skip("runs Python of its own")
    x = np.linspace(*operation.domain, 101)
    names = namespace()
    single, double = (
        np.asarray(eval(operation.text.format(x="x"), {**names, "x": tf.constant(x, dtype)}))
        for dtype in ("float32", "float64")
    )
    np.testing.assert_allclose(single, double, rtol=1e-3, atol=1e-4)


def test_a_finding_that_is_not_so_is_told(tmp_path: Path) -> None:
    file = tmp_path / "sound.py"
    file.write_text(
        "import tensorflow as tf\n\n\n"
        "def root(y_true, y_pred):\n"
        "    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred), axis=-1))\n",
        encoding="utf-8",
    )
    finding = {"code": "LC203", "message": "", "dtype": "float32", "mode": "graph"}
    at_zero, elsewhere = [[1.0, 2.0]], [[1.5, 2.0]]
    claims = [
        {**finding, "inputs": {"y_true": at_zero, "y_pred": y_pred}}
        for y_pred in (at_zero, elsewhere)
    ]
    given = [{"module": str(file), "target": "root", "findings": [claim]} for claim in claims]
    path = tmp_path / "claims.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(RECHECK), str(path)], capture_output=True, text=True, check=True
    )
    # The slope of a root is infinite at 0 and 1 / (2 root) elsewhere: only the first claim is true.
    assert len(json.loads(ran.stdout.splitlines()[-1])) == 1


def _stem(text: str) -> str:
    """The text of an operation up to its operand."""
    return next(part for part in text.replace("{n}", "{x}").split("{x}") if len(part) > 3)


def _drawn(domain: str, shape: str) -> tf.Tensor:
    low, high = ends(domain)
    rng, axes = np.random.default_rng(0), dict(SHAPES)[shape]
    drawn = rng.uniform(low, high, (6, *axes))
    drawn[0], drawn[1], drawn[2] = low, high, rng.choice([low, high], axes)
    return tf.constant(drawn, tf.float32)
