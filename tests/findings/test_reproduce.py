"""The program that a finding prints runs as printed, and shows the fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from losscheck.engine.task import Task, examine
from losscheck.model import Finding, LossReport
from losscheck.settings.settings import Settings

SOURCE = """
import keras
import tensorflow as tf


def gapped(y_true, y_pred):
    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
    return -tf.reduce_mean(y_true * hit)


def rooted(power=0.5):
    def loss(y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred) ** power)

    return loss


@tf.custom_gradient
def frozen(error):
    slope = 2.0 * error
    return error ** 2, lambda upstream: upstream * tf.stop_gradient(slope)


def squared(y_true, y_pred):
    return tf.reduce_mean(frozen(y_pred - y_true), axis=-1)


class Scaled(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred) / y_true, axis=-1)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("reproduce")
    (directory / "shown_losses.py").write_text(SOURCE)
    return directory


def _report(project: Path, target: str, code: str) -> LossReport:
    settings = Settings(directory=str(project), select=(code,), order=2)
    return examine(Task(target=target, settings=settings))


def _run(finding: Finding, project: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", finding.reproduce],
        cwd=project,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    ("target", "code", "shown"),
    [
        ("shown_losses:gapped", "LC203", "gradient: [[nan]]"),
        ("shown_losses.py:rooted(power=0.5)", "LC203", "nan"),
        ("shown_losses:Scaled", "LC201", "loss: [nan]"),
        ("shown_losses:squared", "LC106", "v: [[2.]]\nsecond derivative times v: None"),
    ],
)
def test_the_program_shows_the_fault(project: Path, target: str, code: str, shown: str) -> None:
    finding = next(f for f in _report(project, target, code).findings if f.code == code)
    assert shown in _run(finding, project)
