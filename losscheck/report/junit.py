"""JUnit XML, as pytest writes it (xunit2): a suite a loss, a case a rule."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from losscheck.model import Check, Finding, LossReport, Outcome, Report, Severity, Verdict
from losscheck.report import words
from losscheck.report.verdicts import View

VERDICT = "verdict"  # the case that fails where no rule does


def render(report: Report, view: View) -> str:
    """Write the report as JUnit XML; `view` changes nothing here."""
    root = ElementTree.Element("testsuites", name="losscheck")
    for loss in report.losses:
        root.append(_suite(loss))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(loss: LossReport) -> ElementTree.Element:
    cases = list(_cases(loss))
    count = {kind: sum(case.find(kind) is not None for case in cases) for kind in KINDS}
    suite = ElementTree.Element(
        "testsuite",
        name=words.clean(loss.target),
        tests=str(len(cases)),
        failures=str(count["failure"]),
        errors="0",
        skipped=str(count["skipped"]),
        time=f"{loss.seconds:.3f}",
    )
    suite.extend(cases)
    return suite


KINDS = ("failure", "skipped")  # the schema of xunit2 has no element for a single error


def _cases(loss: LossReport) -> Iterator[ElementTree.Element]:
    # A verdict that no rule explains must not look like a pass.
    unexplained = loss.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR)
    failing = {loss.reason: VERDICT} if unexplained else {}  # the case that fails by a reason
    for check in loss.checks:
        case = _case(loss, f"{check.code} {check.slug}", check.seconds)
        found = [finding for finding in loss.findings if finding.code == check.code]
        _add_outcome(case, check, found, failing)
        yield case
    judged = {check.code for check in loss.checks}
    for code in dict.fromkeys(f.code for f in loss.findings if f.code not in judged):
        found = [finding for finding in loss.findings if finding.code == code]
        case = _case(loss, f"{code} {found[0].slug}", 0.0)
        _add_findings(case, code, found)
        yield case
    if unexplained:
        case = _case(loss, VERDICT, 0.0)
        faults = "\n".join(map(words.fault, loss.faults))
        _say(case, "failure", loss.verdict, loss.reason, faults)
        yield case


def _case(loss: LossReport, name: str, seconds: float) -> ElementTree.Element:
    target = words.clean(loss.target)
    return ElementTree.Element("testcase", classname=target, name=name, time=f"{seconds:.3f}")


def _add_outcome(
    case: ElementTree.Element, check: Check, found: list[Finding], failing: dict[str, str]
) -> None:
    if any(finding.severity == Severity.ERROR for finding in found):
        pass  # which says more than that it failed
    elif check.outcome == Outcome.ERROR and check.reason in failing:
        _say(case, "skipped", check.code, f"not run: see {failing[check.reason]} of this loss", "")
    elif check.outcome == Outcome.ERROR:
        failing[check.reason] = check.code
        _say(case, "failure", check.code, check.reason, "")
    elif check.outcome in (Outcome.SKIP, Outcome.INCONCLUSIVE):
        _say(case, "skipped", check.outcome, check.reason or check.outcome, "")
    _add_findings(case, check.code, found)


def _add_findings(case: ElementTree.Element, code: str, found: list[Finding]) -> None:
    """Errors fail a case; warnings and notes stand in what it printed."""
    errors = [finding for finding in found if finding.severity == Severity.ERROR]
    if errors:
        text = "\n\n".join(map(_block, errors))
        _say(case, "failure", code, errors[0].message, text)
    others = [finding for finding in found if finding.severity != Severity.ERROR]
    if others:
        out = ElementTree.SubElement(case, "system-out")
        out.text = _printable("\n\n".join(map(_block, others)))


def _say(case: ElementTree.Element, kind: str, type_: str, message: str, text: str) -> None:
    attributes = {"message": _printable(words.one_line(message))}
    if kind != "skipped":  # which has no other attribute in xunit2
        attributes["type"] = type_
    ElementTree.SubElement(case, kind, attributes).text = _printable(text)


def _block(finding: Finding) -> str:
    parts = [
        f"{finding.severity}: {finding.message}",
        words.place(finding.location),
        finding.cause,
        "   ".join((*words.case(finding), *words.observed(finding))),
        f"Write:\n{finding.fix}" if finding.fix else "",
    ]
    return "\n".join(part for part in parts if part)


def _printable(text: str) -> str:
    """Leave out the control characters that XML 1.0 cannot hold."""
    return "".join(c for c in words.clean(text) if c in "\t\n" or c >= " ")
