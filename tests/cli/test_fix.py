"""`losscheck fix` on the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from losscheck import cli

SOURCE = """
import tensorflow as tf

def softplus(y_true, y_pred):
    # a logit and its label
    return tf.reduce_mean(tf.math.log(1.0 + tf.exp(y_pred)) - y_true * y_pred, axis=-1)
"""
FIXED = SOURCE.replace("tf.math.log(1.0 + tf.exp(y_pred))", "tf.math.softplus(y_pred)")
GIVEN = ["my_fix.py:softplus", "--arg", "y_true=binary:(B, D)", "--arg", "y_pred=logits:(B, D)"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_fix.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "."], check=True)
    return tmp_path


def test_the_difference_applies_and_a_dirty_file_needs_force(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = project / "my_fix.py"
    assert cli.run(["fix", *GIVEN, "--select", "LC20", "--write"]) == 2  # git knows nothing of it
    shown = capfd.readouterr()
    assert "--force" in shown.err
    assert "my_fix.py:softplus  error  LC202  my_fix.py:6  fixed: clears LC202" in shown.err
    assert file.read_text() == SOURCE
    subprocess.run(["git", "apply"], input=shown.out, text=True, check=True)
    assert file.read_text() == FIXED
    file.write_text(SOURCE)
    assert cli.run(["fix", *GIVEN, "--select", "LC20", "--write", "--force", "-q"]) == 0
    assert file.read_text() == FIXED
    assert "written: my_fix.py" in capfd.readouterr().err
