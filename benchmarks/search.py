"""`python -m benchmarks.search`: the search's speed, beside a test that one would write by hand."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cold import paragraph, start
from benchmarks.environment import machine
from benchmarks.markdown import number, table
from benchmarks.searched import LOSSES, Rate, by_hand, checked, conditioned, swept, trained
from losscheck.engine.events import Done
from losscheck.engine.run import run
from losscheck.engine.task import Task
from losscheck.settings.settings import Settings

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks-search.md"
HEAD = """\
# Speed of the search

Made by `make bench-search`, in one run on one machine; nothing here is edited by hand.

- Machine: {machine}

The losses are written as one would write them: squared error, Huber, cross-entropy by hand, focal,
log-cosh. TensorFlow is imported and has run another loss before; everything about the loss itself
(inference, tracing, compiling, the generation of cases, which losses of the same domains otherwise
share) is counted."""
ABOUT = """\
- *(1, 1)*: one prediction and one label. Cases of every stage, value and gradient, in float32 and
  in float64; a case that is run in both types counts twice. Most are those of the lattice, of
  which only failing ones are kept; one in a hundred of them, with counts for labels one in ten, is
  also among the cases of another stage.
- *(3, 3)*: the same for three rows of three, with conditioning: each case of the first {cases} is
  run again in float64 with every input number moved by an ulp. *evaluations* counts those runs of
  value and gradient, too; *cases* does not.
- *by hand*: Hypothesis draws predictions and labels of shape (1, 1), `tf.test.compute_gradient`
  compares two gradients of each; 200 examples, no deadline.
- *check*: seconds of a full check, all rules, with shrinking and explaining; *training*: of them,
  those in which a small model is trained.

The largest amount of memory that this process ever held was {memory} GiB; those of `--jobs` are
not in it."""


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PAGE, help="where the page goes")
    parser.add_argument("--keras", action="store_true", help="check all of keras.losses as well")
    arguments = parser.parse_args()
    # First runs of TensorFlow and of SciPy are none of the losses' time.
    swept("squared", LOSSES["squared"])
    conditioned("squared", LOSSES["squared"], CONDITIONED)
    head = ("loss", "(1, 1) cases", "cases/s", "(3, 3) cases", "cases/s", "evaluations/s")
    rows = list(_rows())
    head = (*head, "by hand/s", "times", "check s", "training s")
    parts = [HEAD.format(machine=machine()), table(head, rows)]
    if arguments.keras:
        parts.append(_keras())
    parts.append(paragraph(start()))
    # Linux counts in KiB, macOS in bytes.
    unit = 1 << 30 if sys.platform == "darwin" else 1 << 20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    parts.append(ABOUT.format(cases=f"{CONDITIONED:,}", memory=f"{peak:.1f}"))
    page = "\n\n".join(parts) + "\n"
    print(page, end="")
    arguments.output.write_text(page, encoding="utf-8")


CONDITIONED = 4_096
JOBS = 2  # losses of Keras at the same time
ROUNDS = 3  # of them


def _rows() -> Iterator[tuple[str, ...]]:
    # First, as in a process of its own: a search leaves millions of numbers behind, and a thousand
    # functions of compute_gradient's.
    checks = {name: checked(f"benchmarks.searched:{name}") for name in LOSSES}
    for name, loss in LOSSES.items():
        narrow, (square, evaluated) = swept(name, loss), conditioned(name, loss, CONDITIONED)
        hand = by_hand(loss)
        yield (
            name,
            *_cells(narrow),
            *_cells(square),
            number(evaluated.a_second),
            number(hand.a_second),
            number(narrow.a_second / hand.a_second),
            *(f"{seconds:.1f}" for seconds in checks[name]),
        )


def _cells(rate: Rate) -> tuple[str, str]:
    return f"{rate.cases:,}", number(rate.a_second)


def _keras() -> str:
    """Check every class of keras.losses with default arguments."""
    import keras

    names = sorted(
        name
        for name, kind in vars(keras.losses).items()
        if isinstance(kind, type)
        and issubclass(kind, keras.losses.Loss)
        and kind is not keras.losses.Loss
    )
    settings = Settings(jobs=JOBS)
    tasks = [Task(target=f"keras.losses:{name}", settings=settings) for name in names]
    reports = []
    for _ in range(ROUNDS):
        *_, done = run(tasks, settings)
        assert isinstance(done, Done)
        reports.append(done.report)
    imports = _imports()
    # The first round alone starts the process that the others are forked from.
    whole = [r.seconds + (imports if i else 0.0) for i, r in enumerate(reports)]
    training = [sum(map(trained, r.losses)) / JOBS for r in reports]
    net = [w - t - imports for w, t in zip(whole, training, strict=True)]
    slowest = max(reports[0].losses, key=lambda loss: loss.seconds)
    name = slowest.target.partition(":")[2]
    return (
        f"All {len(names)} classes of `keras.losses` took {_rounds(whole)} together with "
        f"`--jobs {JOBS}`; the slowest, {name}, {slowest.seconds:.1f} s. Without the training of "
        f"models, {_rounds(training)}, and TensorFlow's import, {imports:.1f} s, that is "
        f"{_rounds(net)}."
    )


def _rounds(seconds: list[float]) -> str:
    each = ", ".join(f"{s:.0f}" for s in seconds)
    return f"{statistics.median(seconds):.0f} s (the median of {each})"


def _imports() -> float:
    """Seconds that a new process takes to import TensorFlow and Keras, at least."""
    found = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "import tensorflow, keras"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        found.append(time.perf_counter() - begin)
    return min(found)


if __name__ == "__main__":
    main()
