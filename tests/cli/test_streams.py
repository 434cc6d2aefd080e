"""Colours only where they are wanted, and lines that stay together on wide screens."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import pytest

from losscheck.cli import outputs, streams


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "terminal", "colorful"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),  # no-color.org: "when present and not an empty string"
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colors(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], terminal: bool, colorful: bool
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal() if terminal else io.StringIO())
    assert streams.colorful() is colorful


@pytest.mark.parametrize(("columns", "used"), [(60, 60), (400, 120)])
def test_width(monkeypatch: pytest.MonkeyPatch, columns: int, used: int) -> None:
    seen: list[Any] = []
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(outputs, "render", lambda *given: seen.append(given) or "")
    outputs.write(object(), outputs.parse([]), verbosity=1)
    ((_, form, view),) = seen
    assert (form, view.width, view.verbosity) == ("text", used, 1)


def test_what_is_printed_meanwhile_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with streams.stdout_to_stderr():
        print("printed")
        os.write(1, b"written\n")
        os.system("echo by a child")
    streams.emit("result\n")
    out, err = capfd.readouterr()
    assert out == "result\n"
    assert sorted(err.splitlines()) == ["by a child", "printed", "written"]
