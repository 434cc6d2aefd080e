"""The digits that are right: a drawing, a sentence, and fields that survive JSON."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import attrs

from losscheck.model import DigitCurve, DigitsAt, Report
from losscheck.report import curves, html, json, markdown, text, words
from losscheck.report.verdicts import View


def _at(exponent: int, value: float, slope: float | None) -> DigitsAt:
    return DigitsAt(
        exponent=exponent,
        cases=96,
        value_median=value,
        value_worst=value / 2,
        gradient_median=slope,
        gradient_worst=slope,
    )


CURVE = DigitCurve(
    along="|y_pred - y_true|",
    decades=(_at(-3, 0.0, None), _at(-2, 0.2, 7.2), _at(-1, 3.6, 7.1), _at(0, 7.2, 7.2)),
)


def test_decades_alike_are_told_once() -> None:
    said = words.digits(CURVE)
    assert said == (
        "over |y_pred - y_true|: loss 0 below 0.1, 4 below 1, 7 above; gradient 7 throughout"
    )


def test_a_loss_without_gradient_tells_of_its_value_alone() -> None:
    alone = DigitCurve(along="|y_pred|", decades=(_at(0, 7.0, None),))
    assert words.digits(alone) == "over |y_pred|: loss 7 throughout"


def test_the_drawing_is_an_svg_of_its_own_ids() -> None:
    picture = curves.digits_svg(CURVE, "digits-1")
    assert ET.fromstring(picture).get("aria-label") == "digits right by distance"
    assert picture == curves.digits_svg(CURVE, "digits-1")
    ids = [each.get("id") for each in ET.fromstring(picture).iter() if each.get("id")]
    assert all((name or "").startswith("digits-1-") for name in ids)


def test_what_the_rounding_of_the_inputs_leaves_is_drawn_and_told(report: Report) -> None:
    first, *others = CURVE.decades
    known = (attrs.evolve(first, value_left=0.5), attrs.evolve(others[0], value_left=1.25))
    curve = attrs.evolve(CURVE, decades=(*known, *others[1:]))
    pale = f'stroke-width="{curves.BROAD:g}"'
    assert pale in curves.digits_svg(curve, "d")
    assert pale not in curves.digits_svg(CURVE, "d")
    whole = attrs.evolve(report, losses=(attrs.evolve(report.losses[0], digits=curve),))
    assert (
        "Where fewer than two digits of the loss are right, the rounding of the inputs alone "
        "leaves 0.5 to 1.2 (pale)." in html.render(whole, View())
    )


def test_every_report_has_them(report: Report) -> None:
    losses = tuple(attrs.evolve(loss, digits=CURVE) for loss in report.losses)
    whole = attrs.evolve(report, losses=losses)
    assert json.from_json(json.to_json(whole)).losses[0].digits == CURVE
    assert "Digits right in float32" in html.render(whole, View())
    assert "Digits right in float32 over" in markdown.render(whole, View())
    assert "loss 0 below 0.1" in text.render(whole, View(verbosity=1, width=200))
