"""The stability report as one page: nothing is loaded from elsewhere.

Without JavaScript the page is whole; with it, losses are sorted and filtered, and code is copied.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

import attrs
from markupsafe import Markup

from losscheck.model import Report
from losscheck.report import overview, told, words
from losscheck.report.pictures import pictures
from losscheck.report.templating import templates
from losscheck.report.verdicts import View


@attrs.frozen
class Script:
    """The script of the page, and the digest by which the page allows it and no other."""

    text: Markup
    digest: str


def render(report: Report, view: View) -> str:
    """Write the page, with what changed since an earlier report."""
    page = templates().get_template("stability.html.j2")
    made = overview.rows(report)
    shown = {
        "made": " · ".join(_made(report)),
        "found": _found(report),
        "families": overview.families(report),
        "rows": made,
        "signs": overview.signs(made),
        "unchecked": overview.unchecked(report),
        "choices": overview.choices(report, made),
        "changes": view.changes,
    }
    drawn = {row.anchor: pictures(row.loss, f"p{number}") for number, row in enumerate(made)}
    return page.render(report=report, overview=shown, pictures=drawn, script=_script()) + "\n"


def _script() -> Script:
    text = resources.files("losscheck.report").joinpath("templates/page.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(Markup(text), f"sha256-{digest}")


def _made(report: Report) -> list[str]:
    """With what the report was made."""
    env = report.environment
    return [
        *filter(None, [words.date(report)]),
        f"losscheck {report.losscheck}",
        f"seed {report.seed}",
        f"TensorFlow {env.tensorflow}",
        f"Keras {env.keras}",
        f"Python {env.python}",
    ]


def _found(report: Report) -> dict[str, int]:
    """Count the diagnoses of all losses, by severity."""
    return {
        severity: sum(told.count(loss, severity) for loss in report.losses)
        for severity in words.SEVERITIES
    }
