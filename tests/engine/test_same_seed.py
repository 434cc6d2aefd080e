"""The same seed gives the same report, byte for byte but for the clock, whatever runs beside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from losscheck.engine.events import Done
from losscheck.engine.run import run
from losscheck.engine.task import Task
from losscheck.report.json import to_json
from losscheck.settings.settings import Settings

LOSS = """
import tensorflow as tf


def ratio(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred) / (y_pred - 0.3), axis=-1)


def other(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
"""
# All rules but the one that trains: it trains on as many devices as there are, here more.
TRAINING = ("LC603",)
SELECTED = ("LC1", "LC2", "LC3", "LC4", "LC5", "LC601", "LC602")
ROOT = Path(__file__).parents[2]


def _timeless(report: str) -> str:
    report = re.sub(r'("seconds": )[-+.e\d]+', r"\g<1>0", report)
    return re.sub(r'("date": )"[^"]*"', r'\g<1>""', report)


def _here(folder: Path) -> str:
    """The report of a loss, which is examined behind another one."""
    settings = Settings(directory=str(folder), select=SELECTED)
    names = ("other", "ratio")
    *_, done = run([Task(target=f"ratios.py:{n}", settings=settings) for n in names], settings)
    assert isinstance(done, Done)
    other, ratio = done.report.losses
    assert other.own_seed != ratio.own_seed
    cases = {"losses": 1, "passed": 0, "fail": 1, "cases": ratio.cases}
    alone = attrs.evolve(
        done.report, losses=(ratio,), summary=attrs.evolve(done.report.summary, **cases)
    )
    return _timeless(to_json(alone))


def _elsewhere(folder: Path, selected: tuple[str, ...], seed: int) -> tuple[int, str]:
    command = [
        "-m",
        "losscheck",
        "ratios.py:ratio",
        "--select",
        ",".join(selected),
        "--format",
        "json",
    ]
    # Another hash seed: no order may hang on that of a set.
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, _timeless(done.stdout)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report_whatever_runs_beside(tmp_path: Path) -> None:
    (tmp_path / "ratios.py").write_text(LOSS)
    first = _here(tmp_path)
    assert '"stage": "guided"' in first
    assert all(f'"code": "{code}"' in first for code in ("LC105", "LC202", "LC302", "LC505"))
    assert _elsewhere(tmp_path, SELECTED, 7) == (1, first)


@pytest.mark.slow
def test_so_does_training(tmp_path: Path) -> None:
    (tmp_path / "ratios.py").write_text(LOSS)
    status, first = _elsewhere(tmp_path, TRAINING, 7)
    assert status == 0
    assert '"fit"' in first
    assert _elsewhere(tmp_path, TRAINING, 8) == (0, first)
