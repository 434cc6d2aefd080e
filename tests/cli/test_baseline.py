"""A baseline and comments, from the command line: what is known does not fail, what is new does."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from losscheck import cli

Run = Callable[..., tuple[int, str]]
TARGETS = ("losses.py:logarithm", "losses.py:quotient")
HEAD = """import tensorflow as tf

"""
LOGARITHM = """
def logarithm(y_true, y_pred):
    return -tf.reduce_mean(y_true * tf.math.log(y_pred), axis=-1)

"""
QUOTIENT = """
def quotient(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

"""
BROKEN = QUOTIENT.replace("axis=-1)", "axis=-1) / tf.reduce_max(y_pred, axis=-1)")
MENDED = LOGARITHM.replace("(y_pred)", "(tf.maximum(y_pred, 1e-3))")
DECLARED = ("--arg", "y_true=binary:(B, 3)", "--arg", "y_pred=probability:(B, 3)")
QUICK = ("--select", "LC202", "--budget", "0", *DECLARED)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, on the losses of a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        status = cli.run(arguments)
        out, err = capfd.readouterr()
        return status, out + err

    return command


def write(folder: Path, text: str) -> None:
    """Write the module anew, as one that no import has met."""
    file = folder / "losses.py"
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(HEAD + text, encoding="utf-8")
    os.utime(file, ns=(before + 10**9, before + 10**9))
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == str(file):
            del sys.modules[name]


@pytest.mark.slow  # whole commands; tests/test_example_project.py has the same of one project
def test_only_what_is_new_fails(run: Run, tmp_path: Path) -> None:
    write(tmp_path, LOGARITHM + QUOTIENT)
    status, told = run("baseline", "write", *TARGETS, *QUICK, "--reason", "of old")
    assert (status, told.splitlines()[-1]) == (
        0,
        "losscheck-baseline.json: 1 finding, 1 of them new",
    )
    known = ("--baseline", "losscheck-baseline.json")
    status, told = run(*TARGETS, *QUICK, *known)
    assert status == 0
    assert "of old" in told
    # Another line above it, and a planted fault: the one is known still, the other is new.
    write(tmp_path, "# One line more.\n" + LOGARITHM + BROKEN)
    status, told = run(*TARGETS, *QUICK, *known)
    assert status == 1
    assert told.count("error  LC202") == 1
    # The old fault is mended.
    write(tmp_path, MENDED + QUOTIENT)
    status, told = run(*TARGETS, *QUICK, *known)
    assert status == 0
    assert "LC202 at Log in float32 is mended" in told
    status, told = run("baseline", "prune", *TARGETS, *QUICK, *known)
    assert "1 taken out" in told
    assert json.loads((tmp_path / known[1]).read_text(encoding="utf-8"))["entries"] == []


@pytest.mark.slow
def test_what_has_expired_fails_again(run: Run, tmp_path: Path) -> None:
    write(tmp_path, LOGARITHM)
    (tmp_path / "losscheck.toml").write_text('baseline = "known.json"\n', encoding="utf-8")
    run("baseline", "write", TARGETS[0], *QUICK, "--expires", "2020-02-29")
    status, told = run("baseline", "show")
    assert status == 0
    assert "LC202 at Log in float32, since" in told
    assert "expired on 2020-02-29" in told
    status, told = run(TARGETS[0], *QUICK)
    assert status == 1
    assert "stood in the baseline until 2020-02-29" in told


def test_comments_set_findings_apart_and_are_told_where_they_match_none(
    run: Run, tmp_path: Path
) -> None:
    meant = LOGARITHM.replace("axis=-1)", "axis=-1)  # losscheck: ignore[LC202] labels weigh it")
    other = QUOTIENT.replace("def", "# losscheck: ignore[LC202] never\ndef", 1)
    write(tmp_path, meant + other)
    status, told = run(*TARGETS, *QUICK)
    assert status == 0, told
    assert "labels weigh it" in told
    assert "losses.py:8: ignore[LC202] matches no finding" in told
    # What was not asked may match yet.
    status, told = run(*TARGETS, "--select", "LC405", *QUICK[2:])
    assert status == 0, told
    assert "matches no finding" not in told
    write(tmp_path, LOGARITHM.replace("):", "):  # losscheck: ignore[LC202]", 1))
    status, told = run(TARGETS[0], *QUICK)
    assert status == 2
    assert "losses.py:4: give the reason" in told


def test_a_baseline_that_is_not_there_is_told_before_anything_runs(
    run: Run, tmp_path: Path
) -> None:
    write(tmp_path, LOGARITHM)
    status, told = run(TARGETS[0], *QUICK, "--baseline", "none.json")
    assert status == 2
    assert "losscheck baseline write" in told
    assert run("baseline", "write", TARGETS[0], *QUICK, "--expires", "soon")[0] == 2
