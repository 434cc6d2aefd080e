"""`python -m benchmarks.picture README FILE.svg`: what losscheck says of the loss in the README."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

import losscheck
from losscheck.report.text import loss_text
from losscheck.report.verdicts import View

WIDTH = 88  # columns: a README is not wider
TARGET = "losses:cross_entropy"
TIME = re.compile(
    r" +[\d.]+ s(?=\S*\n)"
)  # what it took says something of the machine, and stays out
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # fetched from elsewhere; they stay out


def main(readme: Path, picture: Path) -> None:
    """Check the first loss of the README, and draw what the terminal shows."""
    source = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)[0]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "losses.py").write_text(source, encoding="utf-8")
        shown = TIME.sub("", said(Path(folder)), count=1)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text(f"$ losscheck {TARGET}", "bold"))
    text = Text.from_ansi(shown)
    text.rstrip()
    console.print(text, end="\n\n")
    svg = console.export_svg(title="losscheck", theme=MONOKAI, unique_id="losscheck")
    picture.write_text(FONTS.sub("", svg), encoding="utf-8")


def said(folder: Path) -> str:
    """Give what a terminal shows of the loss, with its escape codes."""
    sys.path.insert(0, str(folder))
    with contextlib.chdir(folder):
        result = losscheck.check(TARGET)
        return loss_text(result, View(width=WIDTH, color=True))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
