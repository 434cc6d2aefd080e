"""Exported tests: they fail on the loss that they were written of, and pass on a mended one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import losscheck
from losscheck import cli
from losscheck.exporting import Exported, exported
from losscheck.exporting.program import parts

FAULTY = """
import keras
import tensorflow as tf

def root(y_true, y_pred):
    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred), axis=-1))

@tf.custom_gradient
def _square(x):
    return tf.square(x), lambda upstream: upstream * 1.9 * x

def slope(y_true, y_pred):
    return tf.reduce_mean(_square(y_true - y_pred), axis=-1)

def softplus(y_true, y_pred):
    return tf.reduce_mean(tf.math.log(1.0 + tf.exp(y_pred)) - y_true * y_pred, axis=-1)

def scalar(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred))

def rounded(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - tf.round(y_pred)), axis=-1)

def over_the_batch(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=0)

def untraced(y_true, y_pred):
    if float(tf.reduce_mean(y_pred)) > 0:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)

class Root(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return root(y_true, y_pred)

def noisy(y_true, y_pred):
    noise = tf.random.normal(tf.shape(y_true))
    return tf.reduce_mean(tf.square(y_true + noise - y_pred), axis=-1)
"""
MENDED = """
import keras
import tensorflow as tf

def root(y_true, y_pred):
    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + 1e-6)

def slope(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

def softplus(y_true, y_pred):
    return tf.reduce_mean(tf.nn.softplus(y_pred) - y_true * y_pred, axis=-1)

def scalar(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

def rounded(y_true, y_pred):
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)

def over_the_batch(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

def untraced(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

class Root(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return root(y_true, y_pred)

def noisy(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
"""
RULES = {  # by loss: the rules that find its fault, and what the test is called
    "root": (["LC203"], "test_gradient_nan_line_6"),
    "slope": (["LC101"], "test_gradient_mismatch_line_10"),
    "untraced": (["LC501"], "test_not_traceable_line_28"),
}
FURTHER = {
    "softplus": (["LC202", "LC302"], "test_forward_inf_line_16"),
    "scalar": (["LC602"], "test_sample_weight_line_19"),
    "rounded": (["LC102"], "test_gradient_missing_line_22"),
    "over_the_batch": (["LC404"], "test_output_shape_line_25"),
    "Root": (["LC203"], "test_gradient_nan_line_6"),
    "noisy": (["LC504"], "test_nondeterministic_line_37"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    (folder / "my_losses.py").write_text(FAULTY)
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, Exported]:
    return written(folder, RULES)


def written(folder: Path, rules: dict[str, tuple[list[str], str]]) -> dict[str, Exported]:
    """Export the tests of some losses into files of the folder."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, (codes, _) in rules.items():
            found[name] = exported(losscheck.check(f"my_losses.py:{name}", select=codes))
            (folder / f"test_pins_{name}.py").write_text(found[name].text)
    return found


def outcomes(folder: Path) -> dict[str, str]:
    """Run the tests in a process of their own, without losscheck; how each of them ended."""
    options = ["-p", "no:losscheck", "-p", "no:cacheprovider", "-rA", "-q"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    lines = [line.split() for line in ended.stdout.splitlines()]
    return {
        words[1].removeprefix("test_pins_"): words[0]
        for words in lines
        if words and words[0] in ("PASSED", "FAILED", "ERROR")
    }


@pytest.mark.slow
def test_they_fail_and_pass_once_it_is_mended(folder: Path, files: dict[str, Exported]) -> None:
    fail_and_pass(folder, files, RULES)


@pytest.mark.slow
def test_those_of_other_rules(tmp_path: Path) -> None:
    (tmp_path / "my_losses.py").write_text(FAULTY)
    fail_and_pass(tmp_path, written(tmp_path, FURTHER), FURTHER)


def fail_and_pass(
    folder: Path, files: dict[str, Exported], rules: dict[str, tuple[list[str], str]]
) -> None:
    names = {f"{name}.py::{test}" for name, made in files.items() for test in made.tests}
    assert {f"{name}.py::{test}" for name, (_, test) in rules.items()} <= names
    assert outcomes(folder) == dict.fromkeys(names, "FAILED")
    (folder / "my_losses.py").write_text(MENDED)
    try:
        assert outcomes(folder) == dict.fromkeys(names, "PASSED")
    finally:
        (folder / "my_losses.py").write_text(FAULTY)


def test_they_are_readable(files: dict[str, Exported]) -> None:
    text = files["root"].text
    assert "losscheck" not in "".join(line for line in text.splitlines() if "import" in line)
    assert 'y_pred = np.array([[0.0]], "float32")' in text
    assert "assert np.isfinite(gradient).all()" in text
    assert "(LC203, my_losses.py:6)" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert "rtol=0.01" in files["slope"].text


def test_what_no_call_shows_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that is false of every case has no case that shows it."""
    (folder / "untaken.py").write_text(
        "import tensorflow as tf\n\n"
        "def untaken(y_true, y_pred):\n"
        "    y_true = y_true * 0.9 + 0.05\n"
        "    weight = tf.where(tf.equal(y_true, 1.0), 0.75, 0.25)\n"
        "    return tf.reduce_mean(weight * tf.square(y_true - y_pred), axis=-1)\n"
    )
    monkeypatch.chdir(folder)
    declared = {"y_true": "binary", "y_pred": "probability"}
    made = exported(losscheck.check("untaken.py:untaken", arguments=declared, select=["LC109"]))
    assert made.tests == ()
    assert [left.codes for left in made.left_out] == [("LC109",)]
    assert "# - LC109 branch-untaken: no single call shows it." in made.text


def test_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    given = ["my_losses.py:root", "--select", "LC203"]
    assert cli.run(["export", *given, "--out", "pins_of_root.py"]) == 0
    assert capsys.readouterr().out == "pins_of_root.py: 1 test\n"
    assert "def test_gradient_nan_line_6():" in (folder / "pins_of_root.py").read_text()
    assert cli.run(["export", "mse", "--select", "LC203"]) == 0
    assert "nothing to pin in mse" in capsys.readouterr().err
    assert cli.run(["export", "my_losses.py"]) == 2
    assert "name one of them: my_losses.py:root" in capsys.readouterr().err
    assert cli.run(["export", "my_losses.py:root", "--out", "none/there.py"]) == 2


def test_a_program_is_taken_apart() -> None:
    program = (
        "import tensorflow as tf\n\nmade = tf.square\nloss = made\n"
        "y = tf.constant([1.0], tf.float32)\n\n"
        "def value_and_gradient():\n    with tf.GradientTape() as tape:\n"
        "        tape.watch(y)\n        value = loss(y, gamma=2)\n"
        "    return value, tape.gradient(value, y)\n\n"
        "value, gradient = value_and_gradient()\n"
        'print("loss:", value.numpy())\nprint("reported:", 3)\nprint("direct:", 4)\n'
    )
    found = parts(program)
    assert found.making == "made = tf.square\nloss = made"
    assert (found.call, found.prediction, found.decorator) == ("loss(y, gamma=2)", "y", "")
    assert "print" not in found.body
    assert "assert_allclose(reported_number, direct_number, rtol=1e-3)" in found.body
