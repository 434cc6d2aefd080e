"""What a report means to whoever waits for an answer."""

from __future__ import annotations

import attrs
import pytest

from losscheck.engine.whole import nothing
from losscheck.model import Finding, LossReport, Verdict
from losscheck.report.verdicts import Exit, fails, status
from losscheck.settings.settings import Settings

EMPTY = nothing(Settings()).report


def _report(verdict: Verdict, *severities: str) -> LossReport:
    empty = dict.fromkeys(attrs.fields_dict(Finding))
    findings = tuple(Finding(**{**empty, "severity": severity}) for severity in severities)
    return LossReport(
        target="f", verdict=verdict, seconds=0.0, cases=1, source=None, findings=findings
    )


@pytest.mark.parametrize(
    ("report", "failing"),
    [
        (_report(Verdict.FAIL, "note", "error"), ("error", "inconclusive", "warning")),
        (_report(Verdict.INCONCLUSIVE, "note"), ("inconclusive", "warning")),
        (_report(Verdict.PASS, "note", "warning"), ("warning",)),
        (_report(Verdict.PASS, "note"), ()),
    ],
)
def test_each_bar_includes_those_before_it(report: LossReport, failing: tuple[str, ...]) -> None:
    for bar in ("never", "error", "inconclusive", "warning"):
        assert fails(report, bar) == (bar in failing)
        both = attrs.evolve(EMPTY, losses=(_report(Verdict.PASS), report))
        assert status(both, bar) == (Exit.FINDINGS if bar in failing else Exit.CLEAN)


def test_a_fault_comes_before_findings() -> None:
    losses = (_report(Verdict.FAIL, "error"), _report(Verdict.ERROR))
    assert status(attrs.evolve(EMPTY, losses=losses), "error") == Exit.FAULT
    assert status(attrs.evolve(EMPTY, losses=losses), "never") == Exit.FAULT
