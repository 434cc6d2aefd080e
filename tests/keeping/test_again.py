"""A run after a run: what is the same is not run, and imports no TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LOSSES = """import tensorflow as tf


def one(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


# Something else.


def other(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)
"""
RUN = """import sys
from losscheck import cli
status = cli.run(sys.argv[1:])
assert status == 0, status
print("with TensorFlow" if "tensorflow" in sys.modules else "without", file=sys.stderr)
"""


def run(folder: Path, *arguments: str) -> tuple[list[str], dict[str, str], str]:
    """Run a command: what it says on stderr, when each loss was kept, and the text on stdout."""
    told = ("--format", "text", "--format", "json=report.json", "--select", "LC405")
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *arguments, *told],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    kept = {loss["target"]: loss["kept"] for loss in report["losses"]}
    assert report["summary"]["losses"] == len(kept)
    return ran.stderr.splitlines(), kept, ran.stdout


def test_what_has_not_changed_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(LOSSES, encoding="utf-8")
    told, kept, first = run(tmp_path, "losses.py:one")
    assert told[-1] == "with TensorFlow"
    assert kept == {"losses.py:one": ""}
    told, kept, second = run(tmp_path, "losses.py:one")
    assert told == [
        "losscheck: 1 loss not run again, as nothing has changed (--no-cache runs all): "
        "losses.py:one",
        "without",
    ]
    assert kept["losses.py:one"] > "2026"
    assert first.splitlines()[0] == second.splitlines()[0]  # verdict, cases and seconds as then


@pytest.mark.slow  # TensorFlow is imported twice
def test_of_a_module_only_what_has_changed_is_run(tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(LOSSES, encoding="utf-8")
    run(tmp_path, "losses.py:one")
    told, kept, _ = run(tmp_path, "losses.py")
    assert "losses.py:one" in told[0]
    assert list(map(bool, kept.values())) == [True, False]
    told, kept, _ = run(tmp_path, "losses.py")
    assert told[-1] == "without"
    assert list(map(bool, kept.values())) == [True, True]
