"""What a check costs against elements, operations, losses and workers; writes docs/scaling.md.

Each model is fitted to the points of its table, and tried at one that it has not seen.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environment import machine, versions
from benchmarks.markdown import number, table

PAGE = Path("docs/scaling.md")
ELEMENTS, UNSEEN_ELEMENTS = (1, 10, 100, 1_000, 10_000, 100_000), 300
STEPS, UNSEEN_STEPS = (1, 10, 30, 60, 300), 45
FITTED = 1_000, 180  # elements and operations up to which the budget cuts nothing
LOSSES, UNSEEN_LOSSES = (2, 4, 8), 12
LINES = """

def loss_{0:02d}(y_true, y_pred):
    return tf.reduce_mean(tf.math.log(tf.cosh(y_pred - {0}.0 * y_true)), axis=-1)
"""


def squashed(steps: int) -> Callable[..., Any]:
    """A sound loss of about three operations a step."""
    import tensorflow as tf

    def loss(y_true: Any, y_pred: Any) -> Any:
        x = y_pred - y_true
        for _ in range(steps):
            x = tf.tanh(x) + 0.5 * x
        return tf.reduce_mean(tf.square(x), axis=-1)

    return loss


def checked(loss: Callable[..., Any], width: int) -> tuple[float, int, str]:
    """Seconds of processor time, cases, and the verdict of a loss of (B, width)."""
    import losscheck

    shaped = ("real", f"(B, {width})")
    start = time.process_time()
    report = losscheck.check(loss, arguments={"y_true": shaped, "y_pred": shaped})
    return time.process_time() - start, report.cases, str(report.verdict)


def ran(count: int, jobs: int) -> float:
    """Seconds on the clock of a whole command over some losses, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        text = "import tensorflow as tf\n" + "".join(LINES.format(i) for i in range(1, count + 1))
        Path(folder, "losses.py").write_text(text, encoding="utf-8")
        command = ["losscheck", "losses.py", "--jobs", str(jobs), "--no-cache", "--isolation", "-q"]
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, check=False, capture_output=True
        )
        return time.perf_counter() - start


def fitted(x: Sequence[float], seconds: Sequence[float], at: float) -> tuple[float, float, float]:
    """Fit a line by least squares: its offset, its slope, and what it says of a further point."""
    slope, offset = np.polyfit(x, seconds, 1)
    return float(offset), float(slope), float(offset + slope * at)


def main() -> None:
    """Measure, and write the page."""
    checked(squashed(1), 1)  # what a process does once is no part of a loss
    wide = {n: checked(squashed(1), n) for n in (*ELEMENTS, UNSEEN_ELEMENTS)}
    long = {3 * n: checked(squashed(n), 3) for n in (*STEPS, UNSEEN_STEPS)}
    many = {n: ran(n, 1) for n in (*LOSSES, UNSEEN_LOSSES)}
    two = ran(UNSEEN_LOSSES, 2)
    by_width = [n for n in ELEMENTS if n <= FITTED[0]]
    by_length = [3 * n for n in STEPS if 3 * n <= FITTED[1]]
    elements = fitted(
        np.log10(by_width).tolist(),
        [wide[n][0] for n in by_width],
        float(np.log10(UNSEEN_ELEMENTS)),
    )
    operations = fitted(by_length, [long[n][0] for n in by_length], 3 * UNSEEN_STEPS)
    losses = fitted(LOSSES, [many[n] for n in LOSSES], UNSEEN_LOSSES)
    PAGE.write_text(
        "\n\n".join(
            [
                "# Scaling",
                "What a check costs, by `python -m benchmarks.scaling`. The losses are sound and "
                "smooth, so that nothing is told and no fix is tried; the shapes are declared. "
                f"{machine()}. {versions(('tensorflow', 'keras', 'numpy'))}.",
                "## Elements of a prediction",
                _table("elements", ELEMENTS, wide),
                "Cases become fewer as they become wider. Up to "
                f"{FITTED[0]:,} elements a check takes {number(elements[0])} s and "
                f"{number(elements[1])} s more for each factor of ten; above that the budget of "
                "20 s cuts what is left, and says so. "
                + _tried(f"{UNSEEN_ELEMENTS} elements", elements[2], wide[UNSEEN_ELEMENTS][0]),
                "## Operations of a loss",
                _table("operations, about", [3 * n for n in STEPS], long),
                f"A check takes {number(operations[0])} s and {number(operations[1])} s more for "
                "each operation, until the budget cuts. "
                + _tried(
                    f"{3 * UNSEEN_STEPS} operations", operations[2], long[3 * UNSEEN_STEPS][0]
                ),
                "## Losses, and workers",
                table(
                    ["losses", "seconds on the clock, `--jobs 1`"],
                    [[str(n), number(many[n])] for n in LOSSES],
                ),
                f"A command takes {number(losses[0])} s, most of it TensorFlow's import, and "
                f"{number(losses[1])} s for each loss, each in a process of its own. "
                + _tried(f"{UNSEEN_LOSSES} losses", losses[2], many[UNSEEN_LOSSES]),
                f"With `--jobs 2` on {UNSEEN_LOSSES} losses it takes {number(two)} s: "
                f"{many[UNSEEN_LOSSES] / two:.2f} times as fast. Losses share nothing, so that a "
                "cluster of W workers takes the time of the longest loss, or the sum divided by W "
                "where that is more.",
            ]
        )
        + "\n",
        encoding="utf-8",
    )


def _table(what: str, points: Sequence[int], found: dict[int, tuple[float, int, str]]) -> str:
    rows = [[f"{n:,}", number(found[n][0]), f"{found[n][1]:,}", found[n][2]] for n in points]
    return table([what, "seconds of processor time", "cases", "verdict"], rows)


def _tried(point: str, foretold: float, found: float) -> str:
    return (
        f"Of {point} this says {number(foretold)} s; {number(found)} s were measured "
        f"({found / foretold:.2f} of it)."
    )


if __name__ == "__main__":
    main()
