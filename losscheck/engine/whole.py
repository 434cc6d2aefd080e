"""What is said of several losses together, made without running any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from losscheck.model import LossReport, Summary, Verdict


def summary(reports: Sequence[LossReport]) -> Summary:
    """Count losses by verdict."""
    count = Counter(Verdict(report.verdict) for report in reports)
    return Summary(
        losses=len(reports),
        passed=count[Verdict.PASS],
        fail=count[Verdict.FAIL],
        inconclusive=count[Verdict.INCONCLUSIVE],
        error=count[Verdict.ERROR],
        cases=sum(report.cases for report in reports),
    )
