import xml.etree.ElementTree as ET

import attrs
import numpy as np

from losscheck.model import Report
from losscheck.report import render
from losscheck.report.json import from_json
from losscheck.report.maps import KINDS, drawn_kinds, slopes_svg
from losscheck.report.pictures import beside_differences
from tests.report.conftest import SLOPES

SVG = "{http://www.w3.org/2000/svg}"


def test_what_differences_say_is_told() -> None:
    assert beside_differences(SLOPES) == (
        "Of 413 elements of the gradient 400 agree with numeric derivatives, 1 do not, 12 could "
        "not be decided. Of the 3 of them that are drawn and agree, none is off by more than 1e-11 "
        "of its size; more than 1e-9 would have shown at half of them, and more than 2e-8 at all "
        "of them."
    )
    undecided = attrs.evolve(SLOPES, verified=0, wrong=0, outcome="uuuuu")
    assert beside_differences(undecided).endswith("12 could not be decided.")


def test_each_kind_is_drawn_in_its_color_in_both_panels() -> None:
    picture = slopes_svg(SLOPES, "g")
    assert picture == slopes_svg(SLOPES, "g")
    assert drawn_kinds(SLOPES) == ["u", "v", "w"]
    paths = [p for p in ET.fromstring(picture).iter(f"{SVG}path") if p.get("stroke-linecap")]
    dots = {kind: [p for p in paths if p.get("stroke") == KINDS[kind][1]] for kind in KINDS}
    assert {kind: len(found) for kind, found in dots.items()} == {"u": 2, "v": 2, "w": 2}
    assert [(p.get("d") or "").count("M") for p in dots["v"]] == [3, 3]
    assert len(picture) < 6_000


def test_any_numbers_can_be_drawn() -> None:
    for number in (0.0, 1e308, -1e308, 5e-324):
        one = np.asarray([number])
        same = dict.fromkeys(("gradient", "numeric", "bound", "off", "resolving"), one)
        assert slopes_svg(attrs.evolve(SLOPES, **same, outcome="v"), "g").startswith("<svg")


def test_they_survive_json_and_are_on_the_page(report: Report) -> None:
    loss = attrs.evolve(report.losses[0], slopes=SLOPES)
    shown = attrs.evolve(report, losses=(loss,))
    (again,) = from_json(render(shown, "json")).losses
    assert again.slopes is not None
    assert again.slopes.outcome == SLOPES.outcome
    assert again.slopes.off.tolist() == SLOPES.off.tolist()
    assert "Of 413 elements" in render(shown, "html")
