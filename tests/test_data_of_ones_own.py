"""Losses checked on data: what only the data meet is found, and the options lead there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import losscheck
from losscheck import cli
from losscheck.cli.options import settings
from losscheck.model import Argument, LossReport, Range, UsageError
from losscheck.settings.file import read

ODD = np.float32(1234.567)  # no landmark, no half number, and in no ordinary range but of the data


def sound(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def planted(y_true, y_pred):
    lost = tf.math.log(-tf.ones_like(y_pred))
    met = tf.abs(y_pred - ODD) < 1e-3
    return tf.reduce_mean(tf.where(met, lost, tf.square(y_true - y_pred)), axis=-1)


@pytest.fixture(scope="module")
def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    true = rng.normal(size=(30, 2)) * 300.0 + 1000.0
    pred = true + rng.normal(size=true.shape)
    pred[17, 1] = ODD
    return {"y_true": true, "y_pred": pred}


@pytest.fixture(scope="module")
def report(arrays: dict[str, Any]) -> LossReport:
    return losscheck.check(planted, data=arrays, select=["LC201"])


def test_what_only_data_meet_is_found(report: LossReport) -> None:
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("LC201", "error")
    assert finding.range == Range.ORDINARY.label  # a model gave it
    assert ODD in finding.inputs["y_pred"]
    assert "1234.567" in finding.reproduce
    stages = [part for part in report.coverage if part.stage == "data"]
    assert [(part.covered, part.of) for part in stages] == [(30, 30), (30, 30)]


def test_the_arguments_say_what_was_learnt(report: LossReport) -> None:
    arguments: tuple[Argument, ...] = report.arguments
    assert all("data: 60 numbers in [" in a.why for a in arguments)


def test_a_sound_loss_passes_on_the_same_data(arrays: dict[str, Any]) -> None:
    report = losscheck.check(sound, data=(arrays["y_true"], arrays["y_pred"]), select=["LC201"])
    assert (report.verdict, report.findings) == ("pass", ())


def test_wrong_data_stop_a_check() -> None:
    with pytest.raises(UsageError, match="no data file"):
        losscheck.check(sound, data="nowhere.npz")


def test_the_option_reaches_the_engine(fake_engine: Any) -> None:
    assert cli.run(["mse", "mae", "--data", "batch.npz"]) == 0
    first, second = (task.settings for task in fake_engine.examined)
    assert first.for_loss("mse").data == second.for_loss("mae").data == "batch.npz"
    assert {"y_true", "y_pred"} <= set(first.names)


def test_where_data_are_named(tmp_path: Path) -> None:
    (tmp_path / "losscheck.toml").write_text(
        '[losses."a:b"]\ndata = "sub/batch.npz"\n[losses."a:c"]\ndata = "feeds:batches"\n'
        '[losses."a:d"]\ndata = "feeds.py:batches"\n'
    )
    inner = tmp_path / "inner"
    inner.mkdir()
    held = read(inner)
    # Files are named relative to the configuration, and read relative to the working directory.
    assert held.for_loss("a:b").data == "../sub/batch.npz"
    assert held.for_loss("a:c").data == "feeds:batches"
    assert held.for_loss("a:d").data == "../feeds.py:batches"
    assert held.for_loss("a:e").data == ""
    options = dict.fromkeys(("config", "fail_on", "seed", "order"))
    lists: dict[str, Any] = dict.fromkeys(("dtype", "mode", "select", "ignore", "arg"), ())
    asked = settings(inner, {**options, **lists, "data": "own.npz"})
    assert asked.for_loss("a:b").data == "own.npz"  # the command line goes first


@pytest.mark.parametrize("given", ["3", '"batch.csv"'])
def test_a_table_with_wrong_data(tmp_path: Path, given: str) -> None:
    (tmp_path / "losscheck.toml").write_text(f'[losses."a:b"]\ndata = {given}\n')
    with pytest.raises(UsageError, match=r'"a:b".data: expected a'):
        read(tmp_path)
