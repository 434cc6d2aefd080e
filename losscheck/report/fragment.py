"""The report of one loss, or one of its diagnoses, as a card in a notebook."""

from __future__ import annotations

from losscheck.model import Diagnosis, LossReport
from losscheck.report.templating import templates
from losscheck.report.told import Told, told


def fragment(loss: LossReport) -> str:
    """Write a loss as a piece of HTML that stands alone: no id, no script, nothing loaded."""
    return _card(loss)


def of_diagnosis(diagnosis: Diagnosis, loss: LossReport) -> str:
    """Write one diagnosis of a loss as such a piece."""
    return _card(loss, next(each for each in told(loss) if each.diagnosis.id == diagnosis.id))


def _card(loss: LossReport, alone: Told | None = None) -> str:
    return templates().get_template("fragment.html.j2").render(loss=loss, alone=alone)
