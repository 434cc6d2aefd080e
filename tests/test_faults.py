"""A fault of losscheck itself, planted in each of its parts, takes nothing else down."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from losscheck import examination
from losscheck.blocks import of_loss
from losscheck.config import Settings
from losscheck.evidence import desk as desks
from losscheck.evidence.desk import FURTHER, GATHER, Desk
from losscheck.evidence.gather import Evidence
from losscheck.examination import Examination
from losscheck.faults import Faults
from losscheck.model import LossReport, Verdict
from losscheck.rules import RULES
from losscheck.targets import from_callable
from tests.desks import desk
from tests.verdicts import codes

NAMES = (*GATHER, *FURTHER)
ALWAYS = {"LC106", "LC902", "LC903"}  # of rules that run when they are asked for
DECLARED = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}


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
        return Examination(self.loss, held, {}, lambda stage: None).report()


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
    asked = {rule.code for rule in RULES if not names.isdisjoint(rule.needs)} - ALWAYS
    masks = asked - {"LC102"}
    return asked | {rule.code for rule in RULES if not masks.isdisjoint(rule.masked_by)}


@pytest.mark.parametrize("name", NAMES)
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
