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
from benchmarks.tools import every_tool
from losscheck.program.quiet import tensorflow

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

HEAD = """\
# Benchmarks

Made by `make bench-gradient`, in one run on one machine; nothing here is edited by hand.

- Versions: {versions}
- Machine: {machine}
- Seeds: {scalar} and {tensor} (points of the families), {losses} (predictions of timed losses)"""

LOSSES_SEED = 22


def main() -> None:
    """Run everything; the page is written only when all is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    arguments = parser.parse_args()
    tensorflow()  # silently

    families = (*scalar_families(), *tensor_families())
    rows = [measure(tool, families, _tell) for tool in every_tool()]
    head = HEAD.format(
        versions=versions(),
        machine=machine(),
        scalar=SCALAR_SEED,
        tensor=TENSOR_SEED,
        losses=LOSSES_SEED,
    )
    page = "\n\n".join([head, describe_accuracy(rows, families)]) + "\n"
    _tell("")
    print(page)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(page, encoding="utf-8")


def _tell(text: str) -> None:
    """Show on a terminal what is going on, on one line."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
