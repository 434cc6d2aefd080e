"""`losscheck diff` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from losscheck import cli

SOURCE = """
import tensorflow as tf

def absolute(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)

def doubled(y_true, y_pred):
    return 2 * absolute(y_true, y_pred)
"""


@pytest.fixture
def losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_pair.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_answer_is_the_exit_status(losses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--mode", "graph", "--arg", "y_pred=real:(B, D)", "--arg", "y_true=real:(B, D)"]
    one, two = "my_pair.py:absolute", "my_pair.py:doubled"
    assert cli.run(["diff", one, one, *given, "--format", "json=same.json", "-q"]) == 0
    assert cli.run(["diff", one, two, *given, "--format", "json"]) == 1
    assert json.loads((losses / "same.json").read_text())["answer"] == "same"
    told = capsys.readouterr().out
    assert "SAME" in told
    tree = json.loads(told[told.index("{") :])
    assert tree["answer"] == "differ"
    assert tree["old"]["target"] == one
    assert "in every ordinary case NEW is 2 times OLD" in tree["notes"]
    assert tree["differences"][0]["inputs"].keys() == {"y_true", "y_pred"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["my_pair.py", "my_pair.py:doubled"], "holds 2 losses"),
        (["my_pair.py:absolute", "my_pair.py:doublet"], "doubled"),
        (["my_pair.py:absolute", "my_pair.py:doubled", "--arg", "y_prod=real"], "y_pred"),
        (["my_pair.py:absolute", "my_pair.py:doubled", "--format", "html"], "html"),
        (["my_pair.py:absolute"], "Missing argument"),
    ],
)
def test_wrong_usage(
    losses: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert cli.run(["diff", *arguments]) == 2
    assert said in capsys.readouterr().err
