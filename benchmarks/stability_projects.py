"""Losses of public projects under losscheck: what is found of them, and what is alarmed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import attrs

import losscheck
from benchmarks.claims import Claim, claims, repeated
from benchmarks.markdown import percent, table
from losscheck.model import Finding, LossReport, Verdict
from tests.wild.projects.faulty_calls import FAULTY_CALLS
from tests.wild.projects.faulty_numbers import FAULTY_NUMBERS
from tests.wild.projects.fifth import FIFTH
from tests.wild.projects.fourth import FOURTH
from tests.wild.projects.further_faulty import FURTHER_FAULTY
from tests.wild.projects.further_sound import FURTHER_SOUND
from tests.wild.projects.seventh import SEVENTH
from tests.wild.projects.sixth import SIXTH
from tests.wild.projects.sound import SOUND
from tests.wild.projects.third_faulty import THIRD_FAULTY
from tests.wild.projects.third_sound import THIRD_SOUND
from tests.wild.projects.truth import Truth

TRUTHS: tuple[Truth, ...] = (
    *SOUND,
    *FAULTY_CALLS,
    *FAULTY_NUMBERS,
    *FURTHER_SOUND,
    *FURTHER_FAULTY,
    *THIRD_SOUND,
    *THIRD_FAULTY,
    *FOURTH,
    *FIFTH,
    *SIXTH,
    *SEVENTH,
)
Tell = Callable[[str], None]


@attrs.frozen(kw_only=True, eq=False)
class Judged:
    """A loss, and what was said of it beside what is true.

    Attributes
    ----------
    found
        Whether the fault is told at its severity or above; None of a sound loss.
    line
        Whether the first finding that tells it blames its line.
    alarms
        Errors that are not true.
    own
        What losscheck failed at itself, or could not decide.
    seconds
        Of processor time.
    claims
        The numbers that its findings name, computed again.
    """

    truth: Truth
    report: LossReport
    found: bool | None
    line: bool | None
    alarms: tuple[str, ...]
    own: str
    seconds: float
    claims: tuple[Claim, ...] = ()


def look_at_projects(tell: Tell, *, declared: bool) -> list[Judged]:
    """Check all of them, with their domains declared or with nothing."""
    looked = []
    for number, truth in enumerate(TRUTHS, 1):
        looked.append(look(truth, declared=declared))
        tell(f"{number}/{len(TRUTHS)} {described(looked[-1])}")
    return looked


def look(truth: Truth, *, declared: bool) -> Judged:
    """Check one of them."""
    begin = time.process_time()
    report = losscheck.check(truth.loss, arguments=truth.arguments if declared else None)
    seconds = time.process_time() - begin
    said = tuple(claim for each in report.findings for claim in claims(each, truth.loss))
    return attrs.evolve(judged(truth, report, seconds), claims=said)


def judged(truth: Truth, report: LossReport, seconds: float) -> Judged:
    """Put a report beside the truth."""
    errors = [f for f in report.findings if f.severity == "error"]
    hits: list[Finding] = []
    allowed = truth.beside
    if truth.fault is not None:
        allowed = allowed | truth.fault.codes
        severities = ("error",) if truth.fault.severity == "error" else ("error", "warning")
        hits = [
            f for f in report.findings if f.code in truth.fault.codes and f.severity in severities
        ]
    # Of a sound loss whatever is an error is none; of a faulty one what has another cause.
    false = [f for f in errors if truth.fault is None or f.code not in allowed]
    undecided = report.verdict in (Verdict.ERROR, Verdict.INCONCLUSIVE)
    return Judged(
        truth=truth,
        report=report,
        found=bool(hits) if truth.fault is not None else None,
        line=_line(truth, hits),
        alarms=tuple(f"{f.code} {f.message} ({_source(f)})" for f in false),
        own=report.reason if undecided else "",
        seconds=seconds,
    )


def _line(truth: Truth, hits: Sequence[Finding]) -> bool | None:
    if truth.fault is None or not truth.fault.line or not hits:
        return None
    return truth.fault.line in _source(hits[0])


def _source(finding: Finding) -> str:
    return finding.location.source.strip() if finding.location else ""


def described(one: Judged) -> str:
    """Say in a line what came of one loss."""
    kind = "sound" if one.truth.fault is None else "faulty"
    said = "found" if one.found else "missed" if one.found is False else "-"
    parts = [one.truth.name, kind, one.report.verdict, said, f"{one.seconds:.1f} s"]
    line = ["another line"] if one.line is False else []
    return "; ".join([" ".join(parts), *line, *one.alarms, *([one.own] if one.own else [])])


def describe_projects(looked: Sequence[Judged]) -> str:
    """Write the figures, and a row for each loss."""
    faulty = [one for one in looked if one.truth.fault is not None]
    sound = [one for one in looked if one.truth.fault is None]
    lines = [one.line for one in faulty if one.line is not None]
    alarmed = sum(bool(one.alarms) for one in sound)
    seconds = [one.seconds for one in looked]
    found = sum(one.found is True for one in faulty)
    failed = sum(one.report.verdict == Verdict.ERROR for one in looked)
    undecided = sum(one.report.verdict == Verdict.INCONCLUSIVE for one in looked)
    figures = (
        f"{len(looked)} losses of as many public projects, written anew in tests/wild/projects "
        f"with truths that losscheck had no part in. Found: {found} of {len(faulty)} faults "
        f"({percent(found / len(faulty))}), {lines.count(True)} of {len(lines)} on their line. "
        f"Sound losses with an error: {alarmed} of {len(sound)}. Faults of losscheck: {failed}; "
        f"undecided: {undecided}. Processor time of a check: median "
        f"{statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s. "
        f"{repeated([claim for one in looked for claim in one.claims])}"
    )
    rows = [
        (
            one.truth.name,
            one.truth.source.split(",")[0],
            "sound" if one.truth.fault is None else " ".join(sorted(one.truth.fault.codes)),
            one.report.verdict,
            {True: "yes", False: "**no**", None: ""}[one.found],
            "; ".join(alarm.split(" ")[0] for alarm in one.alarms),
            f"{one.seconds:.1f}",
        )
        for one in looked
    ]
    head = ("loss", "source", "truth", "verdict", "found", "other errors", "seconds")
    return f"{figures}\n\n{table(head, rows)}"
