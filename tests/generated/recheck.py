"""Findings run again by plain TensorFlow, in a process that imports nothing of losscheck.

Called with a JSON file of `[{"module": path, "target": name, "findings": [...]}]`, where a finding
has its code, dtype, mode and inputs. Prints a JSON list of what does not show again.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

Loss = Callable[..., Any]
Run = tuple[np.ndarray, np.ndarray]  # value and gradient
LOST = 1e-3  # relative: what is called lost has fewer than two digits; half of that is left open


def load(module: str, target: str) -> Loss:
    """Load a loss from a file, calling the factory or class that makes it."""
    spec = importlib.util.spec_from_file_location("generated_module", module)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    found = getattr(loaded, target.removesuffix("()"))
    made = found() if target.endswith("()") or isinstance(found, type) else found
    return getattr(made, "call", made)


def run(loss: Loss, inputs: Mapping[str, np.ndarray], dtype: str, mode: str) -> Run:
    """Value and gradient of one case in a dtype and a mode."""

    def both(y_true: tf.Tensor, y_pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    if mode != "eager":
        both = tf.function(both, autograph=False, jit_compile=mode == "xla")
    tensors = [tf.cast(tf.constant(inputs[name]), dtype) for name in ("y_true", "y_pred")]
    return tuple(np.asarray(tf.cast(each, "float64")) for each in both(*tensors))


def shown(finding: Mapping[str, Any], loss: Loss) -> bool:
    """Say whether what a finding claims of its case shows again."""
    code, dtype, mode = finding["code"], finding["dtype"], finding["mode"]
    inputs = {name: np.float32(given) for name, given in finding["inputs"].items()}
    if set(inputs) != {"y_true", "y_pred"}:
        return True  # it is about no case
    part = 0 if code in ("LC201", "LC202", "LC301") else 1
    if code in ("LC201", "LC202", "LC203", "LC204", "LC505"):
        runs = [run(loss, inputs, dtype, how) for how in {mode, "eager"}]
        parts = (0, 1) if code == "LC505" else (part,)
        return any(not np.isfinite(each[p]).all() for each in runs for p in parts)
    if code in ("LC301", "LC302"):
        try:
            single, double = (run(loss, inputs, t, mode)[part] for t in (dtype, "float64"))
        except (TypeError, ValueError, tf.errors.InvalidArgumentError):
            return True  # a constant of it is float32, and so is all that plain TensorFlow knows
        return bool(np.abs(single - double).max() > LOST * np.abs(double).max())
    if code == "LC503":
        runs = [run(loss, inputs, dtype, how) for how in ("eager", "graph", "xla")]
        return any(_apart(a, b) for a in runs for b in runs)
    if code == "LC103":
        return bool((run(loss, inputs, dtype, mode)[1] == 0.0).any())
    return True  # what it claims is no number of one run


def _apart(left: Run, right: Run) -> bool:
    for a, b in zip(left, right, strict=True):
        if (np.isfinite(a) != np.isfinite(b)).any():
            return True
        if np.isfinite(a).all() and np.abs(a - b).max() > LOST * np.abs(a).max(initial=0.0):
            return True
    return False


def main(path: str) -> None:
    """Run every finding again."""
    with open(path, encoding="utf-8") as file:
        given = json.load(file)
    missing = []
    for entry in given:
        loss = load(entry["module"], entry["target"])
        missing += [
            f"{entry['target']} {finding['code']} {finding['message']}"
            for finding in entry["findings"]
            if not shown(finding, loss)
        ]
    assert not any(name.split(".")[0] == "losscheck" for name in sys.modules)
    print(json.dumps(missing))


if __name__ == "__main__":
    main(sys.argv[1])
