"""examples/project as its users run it: by the script of the action, with its baseline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
DISTANCE = "    return tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / "project", folder)
    return folder


def run(folder: Path, *arguments: str) -> tuple[dict[str, str], dict[str, Any], str]:
    """Run the script of the action: its outputs, the JSON report, and what it prints."""
    out = folder / "outputs"
    out.unlink(missing_ok=True)
    ran = subprocess.run(
        ["bash", str(ROOT / "action.sh")],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder / "src")]),
            "ARGUMENTS": " ".join(arguments),
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(out),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    outputs = dict(line.split("=", 1) for line in out.read_text(encoding="utf-8").splitlines())
    return outputs, json.loads(Path(outputs["json"]).read_text(encoding="utf-8")), ran.stdout


def test_what_is_known_passes_and_what_is_new_fails(project: Path) -> None:
    quick = ("--select", "LC203", "--budget", "0")
    outputs, report, told = run(project, *quick)
    assert outputs["status"] == "0"
    assert told == ""
    assert [loss["verdict"] for loss in report["losses"]] == ["pass"] * 3
    (known,) = (entry for loss in report["losses"] for entry in loss["ignored"])
    assert known["code"] == "LC203"
    file = project / "src" / "shop_losses" / "losses.py"
    text = file.read_text(encoding="utf-8")
    assert DISTANCE in text
    # The old fault is mended, and another loss gets a new one.
    text = text.replace(DISTANCE, DISTANCE[:-1] + " + 1e-12)")
    text = text.replace("1.0 - sign * y_pred)", "1.0 + tf.sqrt(tf.abs(y_pred)) - sign * y_pred)")
    file.write_text(text, encoding="utf-8")
    outputs, report, told = run(project, *quick)
    assert outputs["status"] == "1"
    (line,) = told.splitlines()
    assert line.startswith("::error title=LC203 gradient-nan,file=src/shop_losses/losses.py,line=")
    reminders = [told for loss in report["losses"] for told in loss["reminders"]]
    assert any("LC203 at Sqrt in float32 is mended" in told for told in reminders)
    summary = (project / "summary.md").read_text(encoding="utf-8")
    assert summary.count("shop_losses.losses:margin") >= 2
    sarif = json.loads(Path(outputs["sarif"]).read_text(encoding="utf-8"))
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["LC203"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "beside"])
def test_pytest_says_what_the_command_line_says(project: Path, workers: tuple[str, ...]) -> None:
    quick = "LC203,LC204"
    status, failed = by_pytest(project, quick, *workers)
    assert (status, failed) == (0, [])
    (project / "losscheck-baseline.json").write_text('{"version": 1, "entries": []}')
    outputs, report, _ = run(project, "--select", quick)
    found = sorted(
        f"src/shop_losses/losses.py::{loss['target'].partition(':')[2]}::{finding['code']}"
        for loss in report["losses"]
        for finding in loss["findings"]
    )
    status, failed = by_pytest(project, quick, *workers)
    assert found
    assert (str(status), failed) == (outputs["status"], found)


def by_pytest(folder: Path, select: str, *more: str) -> tuple[int, list[str]]:
    """Run `pytest --losscheck`: its exit status, and the ids of what fails."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--losscheck", "--losscheck-select", select, *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = ran.stdout.splitlines()
    failed = [line.split()[1] for line in lines if line.startswith(("FAILED", "ERROR"))]
    return ran.returncode, sorted(failed)
