"""`python -m benchmarks.gradient`: every table of docs/benchmarks.md, printed and written."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import argparse
import sys
from pathlib import Path

from benchmarks.accuracy import measure
from benchmarks.accuracy_text import describe_accuracy
from benchmarks.environment import machine, versions
from benchmarks.scalar_families import SEED as SCALAR_SEED
from benchmarks.scalar_families import scalar_families
from benchmarks.tensor_families import SEED as TENSOR_SEED
from benchmarks.tensor_families import tensor_families
from benchmarks.timed_losses import LARGE, SMALL, million_losses, timed_losses
from benchmarks.timed_losses import SEED as LOSSES_SEED
from benchmarks.tools import every_tool
from benchmarks.verdict import checker
from benchmarks.whole import time_losses, time_million
from benchmarks.whole_text import describe_times
from losscheck.program.quiet import tensorflow

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

HEAD = """\
# Benchmarks

Made by `make bench-gradient`, in one run on one machine; nothing here is edited by hand.

- Versions: {versions}
- Machine: {machine}
- Seeds: {seeds}"""

SEEDS = (
    f"{SCALAR_SEED} and {TENSOR_SEED} for the points of the families, "
    f"{LOSSES_SEED} for the predictions of the timed losses"
)


def main() -> None:
    """Run everything; the page is written only when all is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument(
        "--only", choices=["accuracy", "time"], help="print one half, and write no page"
    )
    arguments = parser.parse_args()
    tensorflow()  # silently

    parts = [HEAD.format(versions=versions(), machine=machine(), seeds=SEEDS)]
    if arguments.only != "time":
        parts.append(accuracy())
    if arguments.only != "accuracy":
        parts.append(times())
    page = "\n\n".join(parts) + "\n"
    _tell("")
    print(page, end="")
    if arguments.only is None:
        arguments.output.parent.mkdir(exist_ok=True)
        arguments.output.write_text(page, encoding="utf-8")


def accuracy() -> str:
    """Measure every tool on every family."""
    families = (*scalar_families(), *tensor_families())
    return describe_accuracy([measure(tool, families, _tell) for tool in every_tool()], families)


def times() -> str:
    """Measure whole verdicts."""
    check = checker()
    against = time_losses(timed_losses(), (SMALL, LARGE), check, _tell)
    return describe_times(against, time_million(million_losses(), check, _tell))


def _tell(text: str) -> None:
    """Show on a terminal what is going on, on one line."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
