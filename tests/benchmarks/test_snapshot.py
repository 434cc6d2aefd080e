"""Snapshots: what differs is named, and times and folders count for nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
import tensorflow as tf

import losscheck
from benchmarks.snapshot import main, timeless
from benchmarks.snapshot_difference import differences


def root(y_true: Any, y_pred: Any) -> Any:
    return tf.reduce_mean(tf.sqrt(tf.abs(y_true - y_pred)), axis=-1)


@pytest.fixture(scope="module")
def report() -> Any:
    return losscheck.check(
        root, arguments={"y_true": ("real", "(B, 1)"), "y_pred": ("real", "(B, 1)")}, select=["LC2"]
    )


def test_times_and_the_working_directory_are_left_out(report: Any) -> None:
    later = attrs.evolve(report, seconds=report.seconds + 1.0)
    assert timeless(later) == timeless(report)
    assert str(Path.cwd()) not in json.dumps(timeless(report))
    assert {found["code"] for found in timeless(report)["findings"]} >= {"LC203"}


def test_a_snapshot_equals_itself(report: Any) -> None:
    assert differences({"root": timeless(report)}, {"root": timeless(report)}) == []


def test_what_differs_is_named(report: Any) -> None:
    old, new = timeless(report), timeless(report)
    first, *others = new["findings"]
    identity, count = first["id"], first["count"]
    first["count"] = count + 1
    assert differences({"root": old}, {"root": new}) == [
        f"root: findings {identity}: count: {count} -> {count + 1}"
    ]
    new["findings"] = others
    (line,) = differences({"root": old}, {"root": new})
    assert line.startswith(f"root: findings {identity}: is gone: ")
    (line,) = differences({"root": new}, {"root": old})
    assert line.startswith(f"root: findings {identity}: is new: ")
    assert differences({"root": old}, {}) == ["root: is gone"]
    assert differences({}, {"root": old}) == ["root: is new"]


def test_another_order_of_findings_is_a_difference(report: Any) -> None:
    old, new = timeless(report), timeless(report)
    new["checks"].reverse()
    assert differences({"root": old}, {"root": new}) == ["root: checks: stand in another order"]


@pytest.mark.parametrize(("verdict", "status"), [("fail", 0), ("pass", 1)])
def test_the_exit_status_says_whether_they_differ(
    verdict: str,
    status: int,
    report: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for folder, tree in (
        ("old", timeless(report)),
        ("new", timeless(report) | {"verdict": verdict}),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sound.json").write_text(json.dumps({"root": tree}))
    monkeypatch.setattr(
        "sys.argv", ["snapshot", "compare", str(tmp_path / "old"), str(tmp_path / "new")]
    )
    assert main() == status
    said = capsys.readouterr().out.strip()
    assert said == ("no difference" if not status else "sound/root: verdict: 'fail' -> 'pass'")


def test_folders_without_a_snapshot_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["snapshot", "compare", str(tmp_path), str(tmp_path / "no")])
    assert main() == 2
    assert "write one first" in capsys.readouterr().err
