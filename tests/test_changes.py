"""What differs between two reports, on reports that are made here: no loss is run."""

from __future__ import annotations

import attrs
import pytest

from losscheck.changes import Changes, changes
from losscheck.model import Check, Finding, Ignored, LossReport, Report
from losscheck.report import render
from losscheck.report.verdicts import View
from losscheck.report.words import changed, loss_change
from tests.report.conftest import CALL, GRADIENT_NAN, KINK, OVERFLOW, diagnosis, report, sound

__all__ = ["report"]  # the fixture


def loss(*findings: Finding, **given: object) -> LossReport:
    told = tuple(diagnosis(finding) for finding in findings)
    made = attrs.evolve(sound(), checks=(), findings=findings, diagnoses=told)
    return attrs.evolve(made, **given)


def compared(report: Report, old: LossReport | None, new: LossReport | None) -> Changes:
    before, now = (
        attrs.evolve(report, losses=() if each is None else (each,)) for each in (old, new)
    )
    return changes(before, now)


def codes(found: Changes) -> dict[str, list[str]]:
    named = {name: getattr(found, name) for name in ("new", "worse", "mended", "unsure")}
    return {name: [each.code for each in some] for name, some in named.items() if some}


def moved(finding: Finding, by: int = 7) -> Finding:
    """The same fault on another line, with another id and other numbers."""
    assert finding.location is not None
    place = attrs.evolve(finding.location, line=finding.location.line + by)
    return attrs.evolve(finding, id=f"{finding.code}-99999999", location=place, count=1, inputs={})


def test_a_fault_that_moved_is_the_same(report: Report) -> None:
    found = compared(report, loss(GRADIENT_NAN, KINK), loss(moved(GRADIENT_NAN), KINK))
    assert (codes(found), found.unchanged, found.new_errors) == ({}, 2, 0)
    assert changed(found) == "2 unchanged"


def test_what_is_new_and_what_is_mended(report: Report) -> None:
    ran = Check(code="LC202", slug="forward-inf", outcome="pass")
    old, new = loss(OVERFLOW, KINK), loss(KINK, GRADIENT_NAN, checks=(ran,))
    found = compared(report, old, new)
    assert codes(found) == {"new": ["LC203"], "mended": ["LC202"]}
    assert (found.unchanged, found.new_errors) == (1, 1)
    assert changed(found) == "1 new, 1 mended, 1 unchanged"
    assert compared(report, new, old).new_errors == 0  # the overflow is a warning


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"checks": (Check(code="LC203", slug="s", outcome="skip", reason="cut"),)}, "cut"),
        ({"checks": (Check(code="LC203", slug="s", outcome="inconclusive"),)}, "not decided"),
        ({"checks": ()}, "its rule was not run"),
        ({"ignored": (Ignored(id="x", code="LC203", reason="it is meant"),)}, "ignored: it is"),
        ({"checks": (), "reason": "it was interrupted"}, "interrupted"),
    ],
)
def test_what_was_not_looked_for_is_not_mended(report: Report, given: dict, reason: str) -> None:
    found = compared(report, loss(GRADIENT_NAN), loss(**given))
    assert codes(found) == {"unsure": ["LC203"]}
    assert reason in found.unsure[0].reason


def test_what_became_an_error_is_worse(report: Report) -> None:
    mild = attrs.evolve(GRADIENT_NAN, severity="warning")
    found = compared(report, loss(mild), loss(GRADIENT_NAN))
    assert codes(found) == {"worse": ["LC203"]}
    assert (found.worse[0].was, found.new_errors, found.unchanged) == ("warning", 1, 0)
    assert codes(compared(report, loss(GRADIENT_NAN), loss(mild))) == {}


def test_a_symptom_that_comes_to_a_known_fault_is_no_new_fault(report: Report) -> None:
    both = diagnosis(GRADIENT_NAN, OVERFLOW)
    wider = attrs.evolve(loss(GRADIENT_NAN, OVERFLOW), diagnoses=(both,))
    assert codes(compared(report, loss(GRADIENT_NAN), wider)) == {}
    assert codes(compared(report, wider, loss(GRADIENT_NAN))) == {}


def test_losses_come_and_go(report: Report) -> None:
    found = compared(report, None, loss(CALL))
    assert (codes(found), found.added, found.missing) == (
        {"new": ["LC901"]},
        ("my_package.losses:mse",),
        (),
    )
    gone = compared(report, loss(CALL), None)
    assert (codes(gone), gone.missing) == ({}, ("my_package.losses:mse",))


def test_digits_and_time_beyond_noise_are_told(report: Report) -> None:
    before = report.losses[0]
    assert before.gradient is not None
    fewer = attrs.evolve(before, gradient=attrs.evolve(before.gradient, digits=4.1), seconds=9.0)
    (told,) = compared(report, before, fewer).losses
    assert loss_change(told) == "gradient digits 11.2 -> 4.1; 2.3 s -> 9.0 s"
    near = attrs.evolve(before, gradient=attrs.evolve(before.gradient, digits=11.0), seconds=2.9)
    assert compared(report, before, near).losses == ()
    (told,) = compared(report, before, attrs.evolve(before, gradient=None)).losses
    assert loss_change(told) == "gradient digits 11.2 -> none"


def test_changes_are_shown_first(report: Report) -> None:
    ran = Check(code="LC203", slug="gradient-nan", outcome="pass")
    hostile = attrs.evolve(OVERFLOW, message="<script>alert(1)</script> | `x`")
    found = compared(report, loss(GRADIENT_NAN), loss(hostile, checks=(ran,), verdict="fail"))
    page = render(report, "html", View(changes=found))
    assert page.index("<h2>Changes</h2>") < page.index('class="overview"')
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | `x`" in page
    text = render(report, "markdown", View(changes=found))
    assert text.startswith("# losscheck: stability report\n\n## Changes\n\n1 new, 1 mended.\n")
    assert "- **mended** error: LC203 gradient-nan in `my_package.losses:mse` at" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\| \\`x\\`" in text
    assert "Changes" not in render(report, "html")
