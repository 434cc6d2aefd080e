"""The stability report as one page: nothing is loaded from elsewhere, nothing runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from losscheck.model import LossReport, Report
from losscheck.report import told, words
from losscheck.report.excerpt import whole
from losscheck.report.view import View

OUTCOMES = ("fail", "error", "warn", "note", "inconclusive", "pass", "skip")


def render(report: Report, view: View) -> str:
    """Write the page; `view` changes nothing here.

    Raises
    ------
    UsageError
        If there are curves to draw and matplotlib is not installed.
    """
    page = _templates().get_template("stability.html.j2")
    drawings = [_drawing(loss, f"loss-{number}") for number, loss in enumerate(report.losses, 1)]
    digits = [_digits(loss, f"digits-{number}") for number, loss in enumerate(report.losses, 1)]
    return page.render(report=report, drawings=drawings, digits=digits) + "\n"


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("losscheck.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clean=words.clean, excerpt=whole, seconds=words.seconds)
    environment.globals.update(
        words=words,
        outcomes=outcomes,
        told=told.told,
        counts=told.counts,
        count=told.count,
        where=told.where,
    )
    return environment


def outcomes(loss: LossReport) -> list[tuple[str, int]]:
    """How many checks came to each outcome, the worst first."""
    counts = [(name, sum(c.outcome == name for c in loss.checks)) for name in OUTCOMES]
    return [(name, number) for name, number in counts if number]


def _drawing(loss: LossReport, prefix: str) -> dict[str, Any] | None:
    """Draw the curves of a loss; the page names them, so that names are escaped in one place."""
    if not loss.curves:
        return None
    from losscheck.report import curves

    names = [argument.name for argument in loss.arguments if argument.role == "y_pred"]
    picture = curves.svg(loss.curves, (names or ["y_pred"])[0], prefix)
    legend = [
        (curves.COLORS[number % len(curves.COLORS)], curve.label)
        for number, curve in enumerate(loss.curves)
    ]
    numbers = np.concatenate([part for c in loss.curves for part in (c.value, c.gradient)])
    marks = {"NaN": np.isnan(numbers).any(), "infinite": np.isinf(numbers).any()}
    # Safe: matplotlib escapes its texts, and all of them but the axis' name are ours.
    return {"svg": Markup(picture), "legend": legend, "marks": marks}


def _digits(loss: LossReport, prefix: str) -> dict[str, Any] | None:
    """Draw the digits that are right; the legend is the page's."""
    if loss.digits is None:
        return None
    from losscheck.report import curves

    legend = list(zip(curves.COLORS, ("loss", "gradient"), strict=False))
    # Safe: matplotlib escapes its texts, and all of them but the axis' name are ours.
    return {"svg": Markup(curves.digits_svg(loss.digits, prefix)), "legend": legend}
