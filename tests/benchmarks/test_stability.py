"""The accuracy page: what counts as found, and that the corpus can be read as a whole."""

from __future__ import annotations

import attrs
import pytest

from benchmarks.stability import PARTS, _put
from benchmarks.stability_corpus import CODES, PAGE, entries
from benchmarks.stability_projects import TRUTHS, describe_projects, judged
from benchmarks.stability_told import describe_told, told
from benchmarks.stability_zoo import Looked, rates
from benchmarks.stability_zoo_text import describe_zoo
from losscheck.model import Diagnosis, Finding, Location, LossReport
from tests.zoo.catalogue import CATALOGUE
from tests.zoo.judging import hits, right_line

LOG = next(specimen for specimen in CATALOGUE if specimen.row == 1)  # an LC203 error
RATE = next(specimen for specimen in CATALOGUE if specimen.row == 29)  # an LC202 note


def _report(*said: tuple[str, str, str]) -> LossReport:
    """Report findings: code, severity, line."""
    empty = dict.fromkeys(attrs.fields_dict(Finding))
    findings = tuple(
        Finding(
            **{
                **empty,
                "code": code,
                "severity": severity,
                "location": Location(
                    file="f.py", line=1, column=None, end_column=None, source=line, op=""
                ),
            }
        )
        for code, severity, line in said
    )
    return LossReport(
        target="f", verdict="fail", seconds=0.0, cases=1, source=None, findings=findings
    )


def test_an_error_is_found_by_an_error_of_its_code_alone() -> None:
    right = f"x = {LOG.line}"
    assert hits(LOG, _report(("LC203", "error", right)))
    assert not hits(LOG, _report(("LC203", "warning", right)))
    assert not hits(LOG, _report(("LC201", "error", right)))
    assert hits(LOG, _report(("LC203", "warning", right)), declared=False)


def test_an_inherent_fault_is_found_by_a_note_and_not_by_an_error() -> None:
    assert hits(RATE, _report(("LC202", "note", "")))
    assert not hits(RATE, _report(("LC202", "error", ""), ("LC202", "note", "")))


def test_the_first_finding_must_blame_the_line() -> None:
    right, wrong = ("LC203", "error", f"x = {LOG.line}"), ("LC203", "error", "elsewhere")
    assert right_line(LOG, hits(LOG, _report(right, wrong))) is True
    assert right_line(LOG, hits(LOG, _report(wrong, right))) is False
    assert right_line(LOG, []) is None


def _looked(found: bool, line: bool | None = None, alarmed: bool = False) -> Looked:
    return Looked(
        specimen=LOG,
        found=("LC203 error",) if found else (),
        line=line,
        blamed="elsewhere",
        others=(),
        alarms=("LC101 error: wrong at `x`",) if alarmed else (),
        seconds=(1.0, 2.0),
    )


def test_rates_count_lines_of_what_was_found_and_alarms_of_all() -> None:
    looked = [_looked(True, True), _looked(True, False), _looked(False), _looked(True, None, True)]
    found = rates(looked)
    assert (found.recall, found.line, found.alarmed) == (0.75, 0.5, 0.25)
    assert (found.specimens, found.lines, found.twins) == (4, 2, 4)
    page = describe_zoo(looked, recall=0.98, line=0.97, alarmed=0.0)
    assert "75.0%" in page
    assert "Missed:" in page
    assert "LC101 error: wrong" in page
    told = (
        "75.0% of 4 faults found, 50.0% of 2 on their line; 25.0% of 4 sound twins with an error."
    )
    name = LOG.name
    assert page.startswith(f"{told} Missed: {name}. Alarmed: {name}.\n\n")


def test_what_is_told_is_counted_beside_its_targets() -> None:
    def report(*severities: str) -> LossReport:
        made = tuple(
            Diagnosis(id="D", severity=each, location=None, cause="x", fix="", findings=("f",))
            for each in severities
        )
        return attrs.evolve(_report(), diagnoses=made)

    made = [
        told("a", report("error", "warning"), report("warning", "note")),
        told("b", report("error", "error"), report("note")),
    ]
    assert [(one.errors, one.warnings, one.verified) for one in made] == [
        (1, 1, False),
        (2, 0, False),
    ]
    page = " ".join(describe_told(made).split())
    assert "| faulty losses with one error diagnosis | 50.0% |" in page
    assert "| warnings of a sound loss, median | 0.5 |" in page


@pytest.mark.parametrize("order", [("keras", "declared"), ("declared", "keras")])
def test_a_part_replaces_its_own_section_of_the_page(order: tuple[str, str], tmp_path) -> None:  # type: ignore[no-untyped-def]
    page = tmp_path / "accuracy.md"
    for name in (*order, order[0]):
        title = PARTS[name][0]
        _put(page, title, f"## {title}\n\nMeasured with\n\nfigures of {name}\n\nrows of {name}")
    _, short, *sections = page.read_text(encoding="utf-8").split("\n## ")
    assert [section.split("\n\n", 2)[2].strip() for section in sections] == [
        f"figures of {name}\n\nrows of {name}" for name in ("declared", "keras")
    ]
    assert short.splitlines() == [
        "In short",
        "",
        "- **The zoo, domains declared**: figures of declared",
        "- **Keras' own losses**: figures of keras",
    ]


def test_the_corpus_says_nothing_that_cannot_be_read() -> None:
    read = entries()
    assert len(read) == 67
    severe = [defect for entry in read for defect in entry.defects if defect.severe]
    assert {defect.kind for defect in severe} <= set(CODES)
    pinned = (PAGE.parent / "packages.txt").read_text(encoding="utf-8").split()
    assert {f"{e.package}=={e.version}" for e in read if e.package != "keras"} == set(pinned)


def test_a_loss_of_a_project_is_judged_by_its_truth() -> None:
    faulty = next(truth for truth in TRUTHS if truth.name == "tone_histogram")  # LC102
    sound = next(truth for truth in TRUTHS if truth.fault is None)
    assert faulty.fault is not None
    right = f"x = {faulty.fault.line}"
    hit = judged(faulty, _report(("LC102", "error", right)), 1.0)
    assert (hit.found, hit.line, hit.alarms) == (True, True, ())
    assert judged(faulty, _report(("LC102", "warning", right)), 1.0).found is False
    assert judged(faulty, _report(("LC102", "error", "elsewhere")), 1.0).line is False
    both = _report(("LC102", "error", right), ("LC901", "error", ""))
    assert len(judged(faulty, both, 1.0).alarms) == 1
    assert len(judged(sound, _report(("LC203", "error", "")), 1.0).alarms) == 1
    assert judged(sound, _report(("LC104", "note", "")), 1.0).alarms == ()
    figures = describe_projects([judged(sound, _report(("LC203", "error", "")), 1.0), hit])
    assert "Found: 1 of 1 faults (100.0%), 1 of 1 on their line." in figures
    assert "Sound losses with an error: 1 of 1." in figures
