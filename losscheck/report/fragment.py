"""The report of one loss as a card in a notebook."""

from __future__ import annotations

from losscheck.model import LossReport
from losscheck.report.templating import templates


def fragment(loss: LossReport) -> str:
    """Write a loss as a piece of HTML that stands alone: no id, no script, nothing loaded."""
    return templates().get_template("fragment.html.j2").render(loss=loss)
