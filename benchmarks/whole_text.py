"""The tables of time, in words that explain them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from benchmarks.markdown import number, table
from benchmarks.verdict import MODULE
from benchmarks.whole import Timing

ABSENT = f"(this version of losscheck has no `{MODULE}`; only the other side was timed)"

ABOUT_AGAINST = """\
- *compute_gradient ms*: median milliseconds of `tf.test.compute_gradient` through a `tf.function`
  that sums the loss to a scalar (of a vector it would make a Jacobian at a multiple of the cost),
  after tracing. It takes one step, to both sides of each coordinate; the ladder takes 15 and more.
- *losscheck ms*: median milliseconds of the verdict on the whole gradient, warm (the loss is traced
  before).
- *times faster*: the first over the second. Below 1, losscheck is slower.
- *how*: dense: every coordinate by itself; coloured: coordinates that the loss does not couple move
  together, once that was verified; projected: random directions, and bisection where they disagree.
- Further columns: milliseconds of every part of the round that is the median; parts that did not
  run are left empty. *Not counted* are the second opinion (compute_gradient on a case of at most 64
  elements, traced anew) and the self-test: they come after the verdict, were timed once, and have
  no counterpart in compute_gradient.

Both work in float64 on the same case, in turns within one run. compute_gradient calls the function
twice for each coordinate from Python, so that what a call costs by itself is most of its time; on a
busy machine, whose load stands at the top of this page, that weighs more."""

ABOUT_MILLION = """\
- *one pass ms*: median milliseconds of one warm forward and backward pass of the loss in float64,
  the unit of the next columns.
- *passes by time*: the verdict's time over that of one pass; *bisection by time*: the part of it
  that looks for the wrong elements.
- *forward passes*, *gradient passes*: how often the loss, and its gradient, were evaluated, as
  losscheck counts.
- Further columns: milliseconds of every part, as above.

The prediction has a shape of (1000, 1000). `tf.test.compute_gradient` is not run: its two million
evaluations would take hours. The doubled element is one of a million."""


def describe_times(timings: Sequence[Timing], million: Sequence[Timing]) -> str:
    """Give the section on the time of a whole verdict."""
    return "\n\n".join(
        [
            "## Time of a whole verdict",
            against_table(timings),
            ABOUT_AGAINST,
            "### A million elements",
            million_table(million),
            ABOUT_MILLION,
        ]
    )


def against_table(timings: Sequence[Timing]) -> str:
    """Give one row a loss and size."""
    parts = _parts(timings)
    head = ["loss", "kind", "n", "compute_gradient ms", "losscheck ms", "times faster"]
    head += ["outcome", "how"]
    rows = []
    for timing in timings:
        verdict = timing.verdict
        row = [timing.loss.name, timing.loss.kind, f"{prod(timing.shape):,}"]
        row.append(_milliseconds(timing.compute_gradient))
        row.append(_milliseconds(verdict and verdict.wall))
        row.append("-" if timing.faster is None else f"{timing.faster:.1f}")
        row += [verdict.outcome, verdict.how] if verdict else ["-", "-"]
        rows.append(row + _of_parts(timing, parts))
    return _with_note(table(head + _named(parts, timings), rows), timings)


def million_table(timings: Sequence[Timing]) -> str:
    """Give one row a loss, in passes."""
    parts = _parts(timings)
    head = ["loss", "outcome", "how", "wrong", "one pass ms", "passes by time", "bisection by time"]
    head += ["forward passes", "gradient passes"]
    rows = []
    for timing in timings:
        verdict = timing.verdict
        if verdict is None:
            row = [timing.loss.name, "-", "-", "-", _milliseconds(timing.one_pass), *["-"] * 4]
        else:
            bisection = verdict.seconds.get("bisection", 0.0)
            row = [
                timing.loss.name,
                verdict.outcome,
                verdict.how,
                ", ".join(str(index) for index in verdict.wrong[:3]) or "none",
                _milliseconds(timing.one_pass),
                f"{verdict.wall / timing.one_pass:.1f}",
                f"{bisection / timing.one_pass:.1f}",
                *(number(verdict.passes.get(kind, 0)) for kind in ("forward", "gradient")),
            ]
        rows.append(row + _of_parts(timing, parts))
    return _with_note(table(head + _named(parts, timings), rows), timings)


def _parts(timings: Sequence[Timing]) -> list[str]:
    """Name every part that any verdict has, in the order of their first appearance, extras last."""
    seen: dict[str, None] = {}
    for timing in timings:
        seen |= dict.fromkeys(timing.verdict.seconds if timing.verdict else ())
    for timing in timings:
        seen |= dict.fromkeys(timing.extras)
    return list(seen)


def _named(parts: Sequence[str], timings: Sequence[Timing]) -> list[str]:
    extra = {part for timing in timings for part in timing.extras}
    return [f"{part} ms (not counted)" if part in extra else f"{part} ms" for part in parts]


def _of_parts(timing: Timing, parts: Sequence[str]) -> list[str]:
    seconds = {**(timing.verdict.seconds if timing.verdict else {}), **timing.extras}
    return [_milliseconds(seconds[part]) if part in seconds else "" for part in parts]


def _with_note(text: str, timings: Sequence[Timing]) -> str:
    return text if any(timing.verdicts for timing in timings) else f"{text}\n\n{ABSENT}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else number(1e3 * seconds)
