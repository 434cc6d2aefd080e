"""A diagnosis in a terminal: within its lines whatever it holds, and plain about what is proven."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from losscheck.model import Diagnosis, Finding, LossReport, Observed, Report
from losscheck.report import render, told
from losscheck.report.text_diagnosis import ERROR_LINES, WARNING_LINES, diagnosis_lines
from losscheck.report.verdicts import View
from tests.report.conftest import GRADIENT_NAN, OVERFLOW, diagnosis

DIFF = """--- losses.py
+++ losses.py
@@ -16,1 +16,2 @@
-    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
+    safe = tf.where(y_pred > 0.0, y_pred, 1.0)
+    hit = tf.where(y_pred > 0.0, tf.math.log(safe), 0.0)
"""


def _shown(made: Diagnosis, *findings: Finding, width: int = 100) -> list[str]:
    loss = LossReport(
        target="m:loss",
        verdict="fail",
        seconds=0.0,
        cases=1,
        source=None,
        findings=findings,
        diagnoses=(made,),
    )
    (each,) = told.told(loss)
    return [line.plain for line in diagnosis_lines(each, View(width=width))]


def _long(finding: Finding) -> Finding:
    """Everything that a finding may say at length."""
    shapes = {f"argument_{number}": np.zeros((3, 40)) + number for number in range(9)}
    return attrs.evolve(
        finding,
        inputs=shapes,
        cause="A first sentence with a number of 3.5 in it. " + "Then it goes on and on. " * 20,
        fix="\n".join(f"line_{number} = tf.zeros(())\n# why it is so" for number in range(9)),
    )


@pytest.mark.parametrize("width", [80, 100, 120])
def test_an_error_keeps_its_budget(width: int) -> None:
    long = _long(GRADIENT_NAN)
    others = [
        attrs.evolve(OVERFLOW, id=f"LC20{n}-{n}", code=f"LC20{n}", slug="a-long-name-of-a-rule")
        for n in range(9)
    ]
    shown = _shown(diagnosis(long, *others), long, *others, width=width)
    assert len(shown) <= ERROR_LINES
    assert "3.5 in it." in "\n".join(shown)
    assert "-v shows it" in "\n".join(shown)
    assert any("also: " in line for line in shown)


@pytest.mark.parametrize("width", [60, 100])
def test_a_warning_keeps_its_budget(width: int) -> None:
    warning = attrs.evolve(OVERFLOW, message="word 1.5e-7 " * 40)
    shown = _shown(diagnosis(warning), warning, width=width)
    assert len(shown) <= WARNING_LINES + (width == 60)  # where the place takes a line of its own
    assert shown[-1].endswith("...")
    assert all(part in ("word", "1.5e-7", "...") for part in shown[-1].split())


def test_advice_says_that_it_is_not_verified() -> None:
    shown = "\n".join(_shown(diagnosis(GRADIENT_NAN), GRADIENT_NAN))
    assert "advice, not verified" in shown
    assert "safe = tf.where(y_pred > 0.0, y_pred, 1.0)\n" in shown


def test_a_verified_fix_is_shown_as_its_lines_and_says_what_it_clears() -> None:
    half = attrs.evolve(GRADIENT_NAN, id="LC505-0", code="LC505", dtype="float16", severity="note")
    made = attrs.evolve(
        diagnosis(GRADIENT_NAN, half),
        verified=True,
        diff=DIFF,
        clears=(GRADIENT_NAN.id, half.id),
    )
    shown = "\n".join(_shown(made, GRADIENT_NAN, half))
    assert "-  hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)\n" in shown
    assert "+  safe = tf.where(y_pred > 0.0, y_pred, 1.0)\n" in shown
    assert "verified: clears LC203, LC505" in shown
    assert "not verified" not in shown
    assert "losses.py\n" not in shown.replace("my_package/losses.py", "")


def test_a_verified_fix_says_what_it_brings_and_where_numbers_change() -> None:
    fix = attrs.evolve(diagnosis(GRADIENT_NAN), verified=True, diff=DIFF, clears=(GRADIENT_NAN.id,))
    shown = "\n".join(_shown(attrs.evolve(fix, adds=("LC103",)), GRADIENT_NAN))
    assert "verified: clears LC203, adds a warning (LC103)" in shown
    shown = "\n".join(_shown(attrs.evolve(fix, departs=3), GRADIENT_NAN))
    assert "adds none; right numbers change next to that point" in shown


def test_a_change_that_spoils_right_numbers_says_which() -> None:
    made = attrs.evolve(
        diagnosis(GRADIENT_NAN),
        diff=DIFF,
        clears=(GRADIENT_NAN.id,),
        objection="the loss would change at y_pred = 2: from 0 to 0.00142357",
    )
    shown = " ".join(line.strip() for line in _shown(made, GRADIENT_NAN))
    assert "tried: clears LC203, but the loss would change at y_pred = 2" in shown
    assert "verified" not in shown
    assert "+  safe = tf.where(y_pred > 0.0, y_pred, 1.0)" in shown


def test_numbers_that_fill_lines_are_left_to_v_where_the_case_is() -> None:
    large = np.arange(360.0).reshape(4, 90) / 7
    observed = Observed(value=np.asarray(1.5), gradient=large)
    finding = attrs.evolve(_long(GRADIENT_NAN), observed=observed)
    shown = "\n".join(_shown(diagnosis(finding), finding))
    assert "gradient: -v shows it" in shown
    assert "loss 1.5" in shown


def test_symptoms_say_in_what_they_show() -> None:
    ways = [("float16", "graph"), ("bfloat16", "graph"), ("float32", "xla")]
    others = [
        attrs.evolve(GRADIENT_NAN, id=f"LC505-{n}", code="LC505", slug="half", dtype=d, mode=m)
        for n, (d, m) in enumerate(ways)
    ]
    shown = _shown(diagnosis(GRADIENT_NAN, *others), GRADIENT_NAN, *others)
    assert "     also: LC505 half in float16 and in bfloat16 and under XLA" in shown


def test_a_report_without_diagnoses_tells_every_finding(single: Report) -> None:
    loss = attrs.evolve(single.losses[0], diagnoses=())
    old = attrs.evolve(single, losses=(loss,))
    assert render(old, "text") == render(single, "text")
