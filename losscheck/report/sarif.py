"""SARIF 2.1.0, for code scanning: one result a diagnosis, its symptoms as related locations.

The format is that of the OASIS standard of 27 March 2020 with errata; the limits are those that
GitHub has for an upload.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from losscheck.model import Finding, Location, Report
from losscheck.report import words
from losscheck.report.told import Result, results
from losscheck.report.verdicts import View
from losscheck.rules import rules

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT = "%SRCROOT%"
MOST = 5_000  # results of a run; the rest is counted in a notification
LARGEST = 10_000_000  # bytes
SECTION = re.compile(r"^(\S.*)\n-{3,}$", re.MULTILINE)  # a title in a docstring
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


def render(report: Report, view: View) -> str:
    """Write the report as a SARIF log; `view` changes nothing here."""
    found = results(report)
    kept = found[:MOST]
    text = _log(report, kept, len(found))
    while len(text.encode()) > LARGEST and kept:  # the worst come first, and stay
        kept = kept[: len(kept) * 3 // 4]
        text = _log(report, kept, len(found))
    return text


def _log(report: Report, kept: Sequence[Result], count: int) -> str:
    codes = sorted({result.lead.code for result in kept})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "losscheck",
                "version": report.losscheck,
                "semanticVersion": report.losscheck,
                "rules": [_rule(code, kept) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not any(loss.verdict == "error" for loss in report.losses),
                "toolExecutionNotifications": list(_notifications(report, len(kept), count)),
            }
        ],
        "results": [_of(result, codes.index(result.lead.code)) for result in kept],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=1) + "\n"


def _rule(code: str, kept: Iterable[Result]) -> dict[str, Any]:
    """Describe a rule; of a package that is not installed no more is known than its findings."""
    rule = next((rule for rule in rules() if rule.code == code), None)
    if rule is None:
        slug = next(result.lead.slug for result in kept if result.lead.code == code)
        return {"id": code, "name": _name(slug), "shortDescription": {"text": slug}}
    text = inspect.getdoc(type(rule)) or rule.slug
    summary, _, rest = text.partition("\n\n")
    what = SECTION.split(rest)[2] if SECTION.search(rest) else summary
    return {
        "id": code,
        "name": _name(rule.slug),
        "shortDescription": {"text": words.one_line(summary)},
        "fullDescription": {"text": words.one_line(what)},
        "help": {"text": text, "markdown": SECTION.sub(r"## \1", text)},
    }


def _name(slug: str) -> str:
    """Write a slug as the standard wants a name: GradientNan."""
    return "".join(part.title() for part in slug.split("-"))


def _of(result: Result, index: int) -> dict[str, Any]:
    lead, diagnosis = result.lead, result.diagnosis
    told: dict[str, Any] = {
        "ruleId": lead.code,
        "ruleIndex": index,
        "level": result.severity,  # error, warning and note are SARIF's words, too
        "message": {"text": result.message},
        "locations": _places(result),
        "partialFingerprints": {"losscheck/v1": result.fingerprint},
        "properties": {
            "target": result.loss.target,
            "dtype": lead.dtype,
            "mode": lead.mode,
            "cases": lead.count,
            "codes": sorted({lead.code, *(finding.code for finding in result.symptoms)}),
        },
    }
    related = [
        {"id": number, "message": {"text": _symptom(finding)}, **_place(finding.location)}
        for number, finding in enumerate(result.symptoms)
        if finding.location is not None
    ]
    if related:
        told["relatedLocations"] = related
    if diagnosis is not None and diagnosis.verified and diagnosis.diff:
        told["fixes"] = list(_fixes(diagnosis.diff))
    return told


def _symptom(finding: Finding) -> str:
    return words.one_line(f"{finding.code} {finding.slug}: {finding.message}")


def _places(result: Result) -> list[dict[str, Any]]:
    if result.location is not None:
        return [_place(result.location)]
    if result.place is None:
        return []
    file, line = result.place
    return [{"physicalLocation": {"artifactLocation": _file(file), "region": {"startLine": line}}}]


def _place(location: Location) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": location.line}
    if location.column is not None:
        region["startColumn"] = location.column
        if location.end_column is not None and location.end_column > location.column:
            # An expression of several lines is underlined to the end of its first one.
            region["endColumn"] = min(location.end_column, len(location.source) + 1)
    return {"physicalLocation": {"artifactLocation": _file(location.file), "region": region}}


def _file(file: str) -> dict[str, str]:
    path = PurePath(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": ROOT}


def _fixes(diff: str) -> Iterator[dict[str, Any]]:
    """Turn a unified diff into replacements of whole lines."""
    changes: dict[str, list[dict[str, Any]]] = {}
    for file, line, old, new in _hunks(diff):
        region = {"startLine": line, "startColumn": 1, "endLine": line + len(old), "endColumn": 1}
        replacement = {"deletedRegion": region, "insertedContent": {"text": "".join(new)}}
        changes.setdefault(file, []).append(replacement)
    yield {
        "description": {"text": "The change was applied and run: what it clears is gone."},
        "artifactChanges": [
            {"artifactLocation": _file(file), "replacements": replacements}
            for file, replacements in changes.items()
        ],
    }


def _hunks(diff: str) -> Iterator[tuple[str, int, list[str], list[str]]]:
    """Each hunk: the file, the first line that goes, the lines that go, those that come."""
    file, line = "", 0
    old: list[str] = []
    new: list[str] = []
    for text in (*diff.splitlines(keepends=True), "@@ -0,0 +0,0 @@"):
        if text.startswith("--- "):
            file = text[4:].split("\t")[0].strip().removeprefix("a/")
        elif text.startswith("+++ "):
            continue
        elif hunk := HUNK.match(text):
            if old or new:
                yield file, line, old, new
            line, old, new = int(hunk[1]), [], []
        elif text.startswith(("-", " ")):
            old.append(text[1:])
            if text.startswith(" "):
                new.append(text[1:])
        elif text.startswith("+"):
            new.append(text[1:])


def _notifications(report: Report, kept: int, count: int) -> Iterator[dict[str, Any]]:
    """Say what is no result: losses that could not be decided, our own faults, what was cut."""
    if kept < count:
        yield _notification("warning", f"{count - kept} of {count} results are left out here.")
    for loss in report.losses:
        if loss.verdict in ("inconclusive", "error"):
            level = "error" if loss.verdict == "error" else "warning"
            yield _notification(level, words.one_line(f"{loss.target}: {loss.reason}"))
        for fault in loss.faults:
            yield _notification("error", f"{loss.target}: {words.fault(fault)}")


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}
