"""Commands run in a folder of their own, with the engine that runs nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from losscheck import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fake_engine: Any,
) -> Iterator[Run]:
    """Run a command in this process; modules that it imports are forgotten behind it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def command(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        fake_engine.examined.clear()
        status = cli.run(arguments)
        out, err = capfd.readouterr()
        _forget(tmp_path)
        return status, out, err

    yield command
    _forget(tmp_path)


def _forget(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
