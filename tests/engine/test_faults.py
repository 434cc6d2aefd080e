"""A fault of losscheck itself, planted in each of its parts, takes nothing else down."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import attrs
import pytest

from losscheck.api import check
from losscheck.engine import loss as examination
from losscheck.engine.loss import LossExamination
from losscheck.evidence import desk as desks
from losscheck.evidence import drawn as evidence_drawn
from losscheck.evidence import gather
from losscheck.evidence.desk import FURTHER, GATHER, Desk
from losscheck.evidence.gather import Evidence
from losscheck.faults import Faults
from losscheck.findings import steps
from losscheck.infer import infer
from losscheck.model import Environment, LossReport, Report, Summary, Verdict
from losscheck.report import verdicts
from losscheck.report.blocks import of_loss
from losscheck.report.verdicts import Exit, fails
from losscheck.rules import BUILT_IN
from losscheck.settings.settings import Settings
from losscheck.targets import from_callable
from tests.desks import desk
from tests.verdicts import codes

NAMES = (*GATHER, *FURTHER)
ALWAYS = {"LC106", "LC902", "LC903"}  # of rules that run when they are asked for
DECLARED = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}
EMPTY = Report(
    losscheck="",
    environment=Environment(
        python="", tensorflow="", keras="", numpy="", hypothesis="", platform=""
    ),
    seed=0,
    seconds=0.0,
    summary=Summary(losses=0, passed=0, fail=0, inconclusive=0, error=0, cases=0),
    losses=(),
)


def entropy(y_true: Any, y_pred: Any) -> Any:
    """Its value is infinite at y_pred = 0 and y_true = 1, its gradient NaN at 0 and 0."""
    import tensorflow as tf

    return -tf.reduce_mean(tf.where(y_true > 0.5, tf.math.log(y_pred), 0.0), axis=-1)


def squares(y_true: Any, y_pred: Any) -> Any:
    """Sound."""
    import tensorflow as tf

    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def broken(*given: Any, **named: Any) -> Any:
    """What is planted."""
    raise ValueError("planted")


class Laid:
    """The evidence of a loss, gathered once; each examination starts with it."""

    def __init__(self, loss: Callable[..., Any]) -> None:
        self.loss = from_callable(loss)
        self.desk = desk(loss, **DECLARED)
        for name in NAMES:
            if name != "second_order":
                self.desk.get(name)

    def report(self, patch: pytest.MonkeyPatch, missing: str = "", **settings: Any) -> LossReport:
        """Examine the loss; what is missing of the evidence is gathered again."""
        evidence = self.desk.evidence
        gathered = {
            name: piece
            for name, piece in self.desk._gathered.items()
            if name != missing and missing not in FURTHER.get(name, ((), ()))[1]
        }

        def laid(given: Evidence) -> Desk:
            made = Desk(given)
            made._gathered.update(gathered)
            return made

        def kept(*, faults: Faults, **_: Any) -> Evidence:
            object.__setattr__(evidence, "faults", faults)
            return evidence

        patch.setattr(examination, "infer", lambda *_, **__: evidence.inferred)
        patch.setattr(examination, "Evidence", kept)
        patch.setattr(examination, "Desk", laid)
        held = Settings(directory=os.getcwd(), **settings)
        return LossExamination(self.loss, held, {}, lambda stage: None).report()


@pytest.fixture(scope="module")
def faulty() -> Laid:
    return Laid(entropy)


@pytest.fixture(scope="module")
def sound() -> Laid:
    return Laid(squares)


def plant(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let the gathering of a piece of evidence fail."""
    if name in FURTHER:
        patch.setattr(desks, "FURTHER", {**FURTHER, name: (broken, FURTHER[name][1])})
    else:
        patch.setattr(desks, "GATHER", {**GATHER, name: broken})


def asking(name: str) -> set[str]:
    """The rules that need a piece of evidence, or one that is made of it, or are masked by such."""
    names = {name, *(other for other, (_, parts) in FURTHER.items() if name in parts)}
    asked = {rule.code for rule in BUILT_IN if not names.isdisjoint(rule.needs)} - ALWAYS
    masks = asked - {"LC102"}
    return asked | {rule.code for rule in BUILT_IN if not masks.isdisjoint(rule.masked_by)}


@pytest.mark.parametrize(
    "name",  # each third of them; `make test-slow` has all
    [pytest.param(n, marks=() if i % 3 == 0 else pytest.mark.slow) for i, n in enumerate(NAMES)],
)
def test_a_piece_of_evidence_that_fails_leaves_all_others(
    name: str, faulty: Laid, sound: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = faulty.report(monkeypatch)
    plant(monkeypatch, name)
    report = faulty.report(monkeypatch, name)
    asked = asking(name)
    lost = {c for c in codes(healthy, "error", "warning", "note") if c in asked}
    assert codes(report, "error", "warning", "note") >= (
        codes(healthy, "error", "warning", "note") - lost
    )
    expected = Verdict.FAIL if codes(report, "error") else Verdict.INCONCLUSIVE
    assert report.verdict == expected
    passing = sound.report(monkeypatch, name)
    undecided = {c.code for c in passing.checks if c.outcome == "inconclusive"}
    assert undecided <= asked
    assert passing.verdict == (Verdict.INCONCLUSIVE if asked else Verdict.PASS)
    for told in (report, passing):
        text = of_loss(told)
        assert "Traceback" not in text
        assert (name in ("ending", "second_order")) or "planted" in text
        assert all(fault.error == "ValueError: planted" for fault in told.faults)
        assert len(told.faults) <= 1


STEPS = {
    "shrink": "the simplification of a case of LC203",
    "confirmed": "the confirmation of a case of LC203",
    "observe": "the numbers of a case of LC203",
    "remedy": "the words of LC203",
    "reproduce": "the program of LC203",
    "of_case": "the truth of a case of LC203",
    "kinds": "the truth of the cases of LC203",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_an_explanation_that_fails_loses_no_finding(
    step: str, faulty: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, step, broken)
    report = faulty.report(monkeypatch, select=("LC203",))
    (finding,) = (f for f in report.findings if f.severity != "note")
    # What nobody could run alone is no fact that anyone can run again, and beyond the ordinary
    # range NaN may be right.
    sure = step not in ("confirmed", "of_case")
    assert finding.severity == ("error" if sure else "warning")
    assert report.verdict == (Verdict.FAIL if sure else Verdict.INCONCLUSIVE)
    assert STEPS[step] in {fault.what for fault in report.faults}
    assert finding.message
    assert finding.fix
    assert finding.location is not None
    assert "Traceback" not in of_loss(report)


def test_who_is_to_blame_may_not_be_told(faulty: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("losscheck.findings.locate.groups", broken)
    monkeypatch.setattr("losscheck.findings.locate.blame", broken)
    report = faulty.report(monkeypatch, select=("LC203",))
    assert codes(report, "error") == {"LC203"}
    assert report.findings[0].location is not None  # the line where the loss begins


def test_a_judgment_that_fails_leaves_what_it_had_named(
    faulty: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = next(rule for rule in BUILT_IN if rule.code == "LC203")
    judge = rule.judge

    def stopping(**evidence: Any) -> Iterator[Any]:
        yield from judge(**evidence)
        broken()

    monkeypatch.setattr(rule, "judge", stopping, raising=False)
    report = faulty.report(monkeypatch, select=("LC203",))
    assert report.verdict == Verdict.FAIL
    assert report.faults[0].what == "the judgment of LC203"


@pytest.mark.parametrize(
    ("home", "part"),
    [
        (evidence_drawn, "curves"),
        (evidence_drawn, "executions"),
        (examination, "covered"),
        (examination, "summary"),
        (examination, "remarks"),
    ],
)
def test_what_is_shown_beside_a_judgment_changes_no_verdict(
    home: ModuleType, part: str, sound: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, part, broken)
    report = sound.report(monkeypatch)
    assert report.verdict == Verdict.PASS
    assert len(report.faults) == 1
    assert "losscheck itself failed in" in of_loss(report)


def test_a_selected_rule_that_fails_leaves_nothing_judged(
    sound: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, "crossings")
    report = sound.report(monkeypatch, "crossings", select=("LC104", "LC105"))
    assert report.verdict == Verdict.ERROR
    assert verdicts.status(attrs.evolve(EMPTY, losses=(report,)), "never") == Exit.FAULT


def test_a_search_that_fails_leaves_the_cases_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gather, "guided", broken)
    report = check(squares, arguments=DECLARED, select=["LC201", "LC104"])
    assert report.verdict == Verdict.INCONCLUSIVE
    outcomes = {c.code: c.outcome for c in report.checks}
    assert (outcomes["LC201"], outcomes["LC104"]) == ("inconclusive", "pass")
    assert report.faults[0].what == "the guided search"
    assert any("planted" in line for line in report.faults[0].traceback)


def test_where_inference_fails_the_graph_is_read_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails_undeclared(loss: Any, declared: Any, **rest: Any) -> Any:
        return infer(loss, declared, **rest) if declared else broken()

    monkeypatch.setattr(examination, "infer", fails_undeclared)
    report = check(argmax)
    assert report.verdict == Verdict.FAIL
    assert codes(report, "error") == {"LC102"}
    undecided = {c.code for c in report.checks if c.outcome == "inconclusive"}
    assert {"LC201", "LC301", "LC401"} <= undecided
    monkeypatch.setattr(examination, "infer", broken)
    assert check(argmax).verdict == Verdict.ERROR


def argmax(y_true: Any, y_pred: Any) -> Any:
    """No gradient passes through it."""
    import tensorflow as tf

    return tf.reduce_mean(y_true - tf.cast(tf.argmax(y_pred, axis=-1), y_true.dtype)[:, None])


@pytest.mark.parametrize(
    ("verdict", "fail_on", "expected"),
    [
        (Verdict.INCONCLUSIVE, Settings().fail_on, True),
        (Verdict.INCONCLUSIVE, "error", False),
        (Verdict.INCONCLUSIVE, "warning", True),
        (Verdict.PASS, Settings().fail_on, False),
    ],
)
def test_an_undecided_loss_fails_unless_errors_alone_do(
    verdict: Verdict, fail_on: str, expected: bool
) -> None:
    report = LossReport(target="m:loss", verdict=verdict, seconds=0.0, cases=0, source=None)
    assert fails(report, fail_on) is expected
