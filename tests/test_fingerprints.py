"""A baseline of each zoo loss holds when its file is edited elsewhere, and with another seed."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

import losscheck
from losscheck.changes import fingerprints, of_lines
from losscheck.model import Check, Location, LossReport
from losscheck.settings import baseline
from tests.zoo.catalogue import CATALOGUE
from tests.zoo.faulty import PLANTED
from tests.zoo.retold import renamed_locally, retold
from tests.zoo.specimen import Specimen

# It has a variable, and either half of its clip may be to blame.
SAMPLE = ("LC103-clipped_logits",)
# Which digits are lost where, if any, depends on the cases that a seed draws.
DRAWN = (
    "10-bare_logsumexp",
    "20-late_clamp",
    "41-bare_mixture",
    "42-one_pass_spread",
    "60-cox_per_event",
)
TODAY = datetime.date(2026, 11, 30)
EVERY = [
    pytest.param(one, id=one.name, marks=() if one.name in SAMPLE else pytest.mark.slow)
    for one in (*CATALOGUE, *PLANTED)
    if one.reproduced
]


def _report(specimen: Specimen, loss: Any, seed: int = 0) -> LossReport:
    quick = sorted(specimen.codes) if specimen.name in SAMPLE else ()
    found = losscheck.check(
        loss,
        arguments=dict(specimen.arguments),
        dtypes=specimen.dtypes,
        order=specimen.order,
        select=quick,
        seed=seed,
        budget=0,  # a rule that is cut finds nothing
    )
    return attrs.evolve(found.report.losses[0], target="losses:it")


@pytest.mark.parametrize("specimen", EVERY)
def test_a_baseline_holds_for_the_same_loss(specimen: Specimen, tmp_path: Path) -> None:
    first = _report(specimen, specimen.faulty)
    again = retold(specimen.faulty, tmp_path)
    for seed in (0,) if specimen.name in DRAWN else (0, 1):
        report = _report(specimen, again, seed)
        known = baseline.entries_of([first], (), TODAY)
        assert baseline.mended([report], known) == ()
        held = baseline.matched(known, report.target, report.findings)
        assert [f for f in report.findings if f.severity != "note" and f.id not in held] == []
        if seed == 0:  # another one may find another of the operations that a line has
            prints = [set(fingerprints(r.target, r.findings).values()) for r in (first, report)]
            assert prints[0] == prints[1]


def test_variables_are_renamed_and_nothing_else() -> None:
    source = "x = 1\ndef f(y_true, y_pred):\n    d = x * y_true.d\n    return g(d, d=lambda k: k)\n"
    wanted = source.replace("    d =", "    d_again =").replace("g(d, ", "g(d_again, ")
    assert renamed_locally(source) == wanted


def _at(finding: Any, source: str, op: str = "Log", line: int = 3, **changes: Any) -> Any:
    place = Location(file="f.py", line=line, column=1, end_column=2, source=source, op=op)
    return finding(id=f"{op} {line} {source}", location=place, **changes)


def test_a_line_is_the_same_whatever_its_variables_are_called(finding: Any) -> None:
    line = "    p = tf.clip_by_value(y_pred, 1e-7, axis=n)"
    (mark,) = of_lines("t", [_at(finding, line)]).values()
    for same in ("    q = tf.clip_by_value(b, 1e-7, axis=z)", f"{line[2:]}  # a comment"):
        assert [*of_lines("t", [_at(finding, same, "Exp")]).values()] == [mark]
    for other in (
        line.replace("1e-7", "1e-8"),
        line.replace("clip_by_value", "maximum"),
        line.replace("y_pred", "p"),
    ):
        assert [*of_lines("t", [_at(finding, other)]).values()] != [mark]
    assert of_lines("t", [finding()]) == {}


def test_an_entry_holds_for_another_operation_of_its_line_alone(finding: Any) -> None:
    clip, root = "p = tf.clip_by_value(q, 0, 1)", "r = tf.sqrt(q)"
    old = _loss(_at(finding, clip, "Minimum"))
    known = baseline.entries_of([old], (), TODAY)

    def new(*findings: Any) -> list[str]:
        held = baseline.matched(known, "t", findings)
        return [f.location.op for f in findings if f.id not in held]

    assert new(_at(finding, clip, "Maximum")) == []
    assert new(_at(finding, root, "Sqrt")) == ["Sqrt"]
    assert new(_at(finding, clip, "Maximum", code="LC202")) == ["Maximum"]
    both = _at(finding, clip, "Minimum"), _at(finding, clip, "Maximum")
    assert new(*both) == []
    twice = baseline.entries_of([_loss(*both)], (), TODAY)
    assert baseline.mended([old], twice) == ()
    # The same line once more is another one.
    assert new(*both, _at(finding, clip, "Minimum", line=9)) == ["Minimum"]
    moved = _loss(_at(finding, clip, "Maximum"))
    assert baseline.entries_of([moved], known, TODAY) == known
    assert baseline.mended([moved], known) == ()
    assert baseline.mended([_loss(_at(finding, root, "Sqrt"))], known) == known


def _loss(*findings: Any) -> LossReport:
    judged = Check(code="LC203", slug="gradient-nan", outcome="fail")
    return LossReport(
        target="t",
        verdict="fail",
        seconds=0,
        cases=1,
        source=None,
        findings=findings,
        checks=(judged,),
    )
