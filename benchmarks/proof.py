"""`python -m benchmarks.proof`: losses whose truth others have published, in docs/proof.md."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.peers import Published, grist, hamming, pairs
from benchmarks.peers.seen import Seen, look
from benchmarks.proof_text import page
from losscheck.program.quiet import tensorflow

PAGE = Path(__file__).parent.parent / "docs" / "proof.md"
LOST = "LC301 LC302"
# What was found of forms that are sound by the textbook, examined by hand.
REMARKS = {
    "three_fractions_sound": "true: its gradient divides by the square of y_pred² - 1, and a term "
    "of it sinks below float32 at 5e7",
    "quotient_of_logarithms_sound": "true: 0 / 0 at y_pred = 0, and lost digits next to it",
    "two_tangents_sound": "a false alarm: so near a pole, a rounding of y_pred does as much",
}


def main() -> None:
    """Check all of them in one process, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    output = parser.parse_args().output
    tensorflow()  # silently
    text = page(*map(looked, (grist.PROBLEMS, pairs.PROBLEMS, tuple(of_hamming()))))
    print(text)
    output.write_text(text + "\n", encoding="utf-8")


def of_hamming() -> Iterator[Published]:
    """Give the problems of the textbook, and the forms of them that are sound."""
    for name, problem in hamming.PROBLEMS.items():
        arguments = {
            of: (f"[{low:g}, {high:g}]", "(B, D)")
            for of, (low, high) in {"y_true": hamming.LABEL, **problem.domains}.items()
        }
        yield Published(problem.loss, (name,), arguments, LOST)
        if problem.sound:
            remark = REMARKS.get(problem.sound.__name__, "")
            yield Published(problem.sound, (), arguments, why=remark)


def looked(problems: Sequence[Published]) -> list[Seen]:
    """Check losses one after the other."""
    found = []
    for problem in problems:
        found.append(one := look(problem))
        told = " ".join(f"{f.code} {f.severity}" for f in one.findings)
        print(f"{one.name}: {told or 'nothing'} {one.seconds:.1f} s", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
