"""Losses of which only the text is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscheck.model import Source
from losscheck.targets.loss import unrun

TEXT = """
explode()  # nothing is run

@decorated
@twice
def loss(y_true, y_pred):
    return (
        y_true - y_pred
    )


def factory(gamma):
    def inner(y_true, y_pred):
        return gamma * y_true
    return inner

named = lambda y_true, y_pred: y_pred
"""


@pytest.mark.parametrize(("line", "lines"), [(6, (4, 8)), (13, (13, 14)), (17, (17, 17))])
def test_the_lines_of_a_loss_are_those_of_its_text(
    tmp_path: Path, line: int, lines: tuple[int, int]
) -> None:
    (tmp_path / "my.py").write_text(TEXT)
    loss = unrun("my.py:loss", Source(file="my.py", line=line), tmp_path)
    assert loss.file == str(tmp_path / "my.py")
    assert loss.lines == lines


@pytest.mark.parametrize("text", [None, "def (", "x = 1"])
def test_the_line_is_known_of_what_has_changed(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "my.py").write_text(text)
    loss = unrun("my.py:loss", Source(file="my.py", line=6), tmp_path)
    assert (loss.file, loss.lines[0]) == (str(tmp_path / "my.py"), 6)


def test_nothing_is_known_without_a_source(tmp_path: Path) -> None:
    loss = unrun("m:loss", None, tmp_path)
    assert (loss.target, loss.file, loss.lines) == ("m:loss", "", (0, 0))
