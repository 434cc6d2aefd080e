"""What came of the layouts that were tried, one line for each."""

from __future__ import annotations

from collections.abc import Iterable

from losscheck.evidence.shape.layouts import TOLERANCE, LayoutRun, relative_gap
from losscheck.model import Layout

FORMS = {  # of a LayoutRun -> what is tried
    "as-is": "as taken",
    "batch-of-one": "batch size",
    "batch-size": "batch size",
    "size": "size",
    "unknown-batch": "unknown batch size",
    "unknown-rank": "unknown rank",
    "weights": "weights per sample",
    "declared-rank": "rank of labels",
    "rank": "mismatched ranks",
}


def laid_out(runs: Iterable[LayoutRun]) -> tuple[Layout, ...]:
    """Sum up each layout, the same shapes once, of these what says more."""
    found: dict[tuple[tuple[str, str], ...], Layout] = {}
    for run in runs:
        if run.output:  # it returns no loss, whatever the shapes are
            continue
        shapes = {name: _written(shape) for name, shape in run.shapes.items()}
        told = Layout(
            form=FORMS[run.form],
            shapes=shapes,
            outcome=_outcome(run),
            reason="" if run.error is None else str(run.error),
        )
        key = tuple(sorted(shapes.items()))
        if key not in found or found[key].outcome == "runs":
            found[key] = told
    return tuple(found.values())


def _outcome(run: LayoutRun) -> str:
    if run.error is not None:
        return "raises"
    if run.differs or run.outer is not None or run.constant is not None:
        return "broadcasts"
    if run.value is None or run.aligned is None:
        return "runs"
    return "runs" if (relative_gap(run.value, run.aligned) > TOLERANCE).any() else "agrees"


def _written(shape: tuple[int | None, ...] | None) -> str:
    return "any" if shape is None else str(tuple(shape))
