import xml.etree.ElementTree as ET

import attrs
import numpy as np

from losscheck.model import Landscape, Report
from losscheck.report import render
from losscheck.report.json import from_json
from losscheck.report.maps import MARKED, map_svg, met
from losscheck.report.pictures import over_both

LAND = Landscape(
    prediction="p</svg><script>",
    label="y",
    x=np.array([0.0, 1e-8, 0.5, 1.0]),
    y=np.array([0.0, 1.0]),
    ordinary=("..o.", "oo"),
    marks=("...I", "N.n."),
)
SVG = "{http://www.w3.org/2000/svg}"


def test_what_a_map_shows_is_told() -> None:
    assert met(LAND) == ["N", "I", "n"]
    assert over_both(LAND) == (
        "Over the working ranges of p</svg><script> and y, at 8 pairs of decades (framed: the "
        "ordinary ranges): the loss is NaN at 1 (12%); the loss is infinite at 1 (12%); the "
        "gradient is NaN at 1 (12%)."
    )
    assert "finite everywhere" in over_both(attrs.evolve(LAND, marks=("....", "....")))


def test_each_mark_is_drawn_in_its_color() -> None:
    picture = map_svg(LAND, "m")
    assert picture == map_svg(LAND, "m")
    drawn = ET.fromstring(picture)
    fills = [path.get("fill") for path in drawn.iter(f"{SVG}path")]
    assert {MARKED[mark] for mark in "NIn"} <= set(fills)
    assert MARKED["0"] not in fills
    assert "script" not in [element.tag for element in drawn.iter()]
    assert len(picture) < 4_000


def test_a_map_survives_json_and_is_on_the_page(report: Report) -> None:
    loss = attrs.evolve(report.losses[0], landscape=LAND)
    shown = attrs.evolve(report, losses=(loss,))
    (again,) = from_json(render(shown, "json")).losses
    assert again.landscape is not None
    assert (again.landscape.marks, again.landscape.x.tolist()) == (LAND.marks, LAND.x.tolist())
    assert "at 8 pairs of decades" in render(shown, "html")
