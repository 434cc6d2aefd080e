"""`losscheck config`: what is in force, and where each setting comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from losscheck import cli

PYPROJECT = """
[project]
name = "x"
[tool.losscheck]
targets = ["sub/losses.py", "mod"]
exclude = ["old:*"]
ignore = { LC103 = "meant", gradient-kink = "also meant" }
baseline = "known.json"
[tool.losscheck.losses."sub/losses.py:f"]
ignore.LC105 = "a step"
data = "batch.npz"
arguments.y_pred = ["real", "(B, D)"]
arguments.gamma.value = 2.0
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below that of a configuration."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    return tmp_path


def settings(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What `losscheck config --format json` says, by keys: the value, and where it is from."""
    assert cli.run(("config", "--format", "json", *arguments)) == 0
    tree = json.loads(capsys.readouterr().out)
    for each in tree["settings"]:
        assert (each["file"], each["line"] is None) == (
            (tree["file"], False) if each["origin"] == "configuration" else (None, True)
        )
    return {
        each["key"]: (each["value"], each["line"] or each["origin"]) for each in tree["settings"]
    }


def test_lines_of_the_configuration(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = settings(capsys)
    loss = 'losses."losses.py:f"'
    given = {key: value for key, value in found.items() if value[1] != "default"}
    assert given == {
        "targets": (["losses.py", "mod"], 5),
        "exclude": ("old:*", 6),
        "ignore.LC103": ("meant", 7),
        "ignore.LC104": ("also meant", 7),
        "baseline": (str(project / "known.json"), 8),
        f"{loss}.ignore.LC105": ("a step", 10),
        f"{loss}.data": ("../batch.npz", 11),
        f"{loss}.arguments.y_pred": ({"domain": "real", "shape": "(B, D)"}, 12),
        f"{loss}.arguments.gamma": ({"value": 2.0}, 13),
    }
    assert found["fail-on"] == ("inconclusive", "default")
    assert found["dtypes"] == (["float32"], "default")


def test_the_command_line_comes_first(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("mod:f", "--seed", "0", "--ignore", "LC103=other", "--arg", "y_pred=real")
    found = settings(capsys, *arguments, "--baseline", "b.json", "--exclude", "new:*", "--changed")
    given = {key: value for key, (value, origin) in found.items() if origin == "command line"}
    assert given == {
        "targets": ["mod:f"],
        "changed": "",
        "seed": 0,
        "ignore.LC103": "other",
        "arguments.y_pred": {"domain": "real"},
        "baseline": str(project / "sub" / "b.json"),
        "exclude": "new:*",
    }
    assert found["ignore.LC104"] == ("also meant", 7)


def test_as_text(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(("config", "--select", "LC2")) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    rows = {row[0]: row[1] for row in lines if len(row) == 2}
    assert lines[0] == ["../pyproject.toml"]
    assert rows["targets"].split()[-1] == "../pyproject.toml:5"
    assert rows["select"].split() == ['["LC2"]', "command", "line"]
    assert rows["data"].split() == ['"../batch.npz"', "../pyproject.toml:11"]
    assert ['losses."losses.py:f"'] in lines


def test_without_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert {origin for _, origin in settings(capsys).values()} == {"default"}
    assert cli.run(("config",)) == 0
    assert capsys.readouterr().out.startswith("no configuration file\n")


def test_what_is_wrong_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text("[tool.losscheck]\ntarget = []")
    assert cli.run(("config",)) == 2
    assert "unknown key 'target'. Did you mean 'targets'?" in capsys.readouterr().err
