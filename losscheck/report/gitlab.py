"""A code quality report for GitLab: a list of issues, each with a fingerprint of its own."""

from __future__ import annotations

import json
from typing import Any

from losscheck.model import Report, Severity
from losscheck.report.told import Result, results
from losscheck.report.verdicts import View

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render(report: Report, view: View) -> str:
    """Write the issues as JSON; `view` changes nothing here."""
    issues = [_issue(result) for result in results(report) if result.place is not None]
    return json.dumps(issues, ensure_ascii=False, indent=1) + "\n"


def _issue(result: Result) -> dict[str, Any]:
    assert result.place is not None
    file, line = result.place
    return {
        "description": result.message,
        "check_name": f"{result.lead.code} {result.lead.slug}",
        "fingerprint": result.fingerprint,
        "severity": SEVERITIES[Severity(result.severity)],
        "location": {"path": file, "lines": {"begin": line}},
    }
