"""Findings of a report run again: on the same loss, on a mended one, and on none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import losscheck
from losscheck import cli, model
from losscheck.model import LossReport, Report, UsageError
from losscheck.replayed import Replay, State
from losscheck.replaying import replay
from losscheck.report.answers import render_replay
from losscheck.report.json import replay_from_json, replay_to_json, to_json
from losscheck.report.verdicts import View

FAULTY = """
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

def untraced(y_true, y_pred):
    if float(tf.reduce_mean(y_pred)) > 0:
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
    return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)
"""
MENDED = """
import tensorflow as tf

def root(y_true, y_pred):
    return tf.sqrt(tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + 1e-6)

def slope(y_true, y_pred):
    return 3 * tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

def softplus(y_true, y_pred):
    return tf.reduce_mean(tf.nn.softplus(y_pred) - y_true * y_pred, axis=-1)

def scalar(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

def untraced(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
"""
RULES = {  # by loss: the rules that find its fault
    "root": ["LC203"],
    "slope": ["LC101"],
    "softplus": ["LC302"],
    "scalar": ["LC602"],
    "untraced": ["LC501"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replayed")
    (folder / "faulty_ones.py").write_text(FAULTY)
    (folder / "mended_ones.py").write_text(MENDED)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    losses = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, codes in RULES.items():
            losses.append(losscheck.check(f"faulty_ones.py:{name}", select=codes))
    return of(losses)


def of(losses: list[LossReport]) -> Report:
    environment = model.Environment(
        python="", tensorflow="", keras="", numpy="", hypothesis="", platform=""
    )
    summary = model.Summary(
        losses=len(losses), passed=0, fail=len(losses), inconclusive=0, error=0, cases=0
    )
    return Report(
        losscheck="0",
        environment=environment,
        seed=0,
        seconds=0.0,
        summary=summary,
        losses=tuple(losses),
    )


def elsewhere(report: Report, file: str) -> Report:
    """The same report of losses of another file."""
    moved = [
        attrs.evolve(loss, target=loss.target.replace("faulty_ones.py", file))
        for loss in report.losses
    ]
    return attrs.evolve(report, losses=tuple(moved))


def states(found: Replay) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {}
    for finding in found.findings:
        result.setdefault(finding.target.partition(":")[2], set()).add(finding.state)
    return result


def test_the_same_loss_has_all_of_it(folder: Path, report: Report) -> None:
    found = replay(report, "report.json", directory=str(folder))
    assert states(found) == {name: {"still there"} for name in RULES}
    assert found.fails
    nan = next(f for f in found.findings if f.code == "LC203")
    assert np.isnan(nan.gradient).any()
    assert np.isfinite(nan.value).all()


def test_a_mended_loss_has_none_of_it(folder: Path, report: Report) -> None:
    """The slope is mended and the loss trebled: its case tells nothing, and its rule does."""
    moved = elsewhere(report, "mended_ones.py")
    found = replay(moved, "report.json", directory=str(folder))
    assert states(found) == {name: {"gone"} for name in RULES}
    assert not found.fails
    root, slope = (next(f for f in found.findings if f.code == c) for c in ("LC203", "LC101"))
    assert root.message == "its case was run again"
    assert "its rule was run again" in slope.message


def test_what_is_not_there_cannot_be_run(folder: Path, report: Report) -> None:
    found = replay(elsewhere(report, "no_such_file.py"), "report.json", directory=str(folder))
    assert {s for each in states(found).values() for s in each} == {State.UNKNOWN.value}
    assert found.fails
    assert all("no_such_file.py" in f.message for f in found.findings)


def test_one_by_its_id_or_that_of_its_diagnosis(folder: Path, report: Report) -> None:
    loss = report.losses[0]
    wanted = next(f for f in loss.findings if f.code == "LC203").id
    (only,) = replay(report, "report.json", wanted, str(folder)).findings
    assert only.id == wanted
    diagnosis = next(d for d in loss.diagnoses if wanted in d.findings)
    told = replay(report, "report.json", diagnosis.id, str(folder)).findings
    assert {f.id for f in told} == set(diagnosis.findings)
    with pytest.raises(UsageError, match=rf"no finding '{wanted}x'\. Did you mean '{wanted}'"):
        replay(report, "report.json", f"{wanted}x", str(folder))


def test_the_command(
    folder: Path, report: Report, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(folder)
    one = attrs.evolve(report, losses=report.losses[:1])
    Path("old.json").write_text(to_json(one))
    Path("new.json").write_text(to_json(elsewhere(one, "mended_ones.py")))
    assert cli.run(["replay", "old.json", "--format", "json"]) == 1
    tree = json.loads(capsys.readouterr().out)
    assert {f["state"] for f in tree["findings"]} == {"still there"}
    assert cli.run(["replay", "new.json"]) == 0
    assert "gone  LC203 gradient-nan" in capsys.readouterr().out
    assert cli.run(["replay", "none.json"]) == 2
    assert cli.run(["replay", "old.json", "LC999"]) == 2


def test_it_survives_json(folder: Path, report: Report) -> None:
    one = attrs.evolve(report, losses=report.losses[:1])
    found = replay(one, "report.json", directory=str(folder))
    text = replay_to_json(found)
    assert replay_to_json(replay_from_json(text)) == text
    assert "still there" in render_replay(found, View())
