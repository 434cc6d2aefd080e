import sys
import xml.etree.ElementTree as ET

import attrs
import numpy as np
import pytest

from losscheck.model import Break, Curve, DigitCurve, DigitsAt, UsageError
from losscheck.report import curves

SVG = "{http://www.w3.org/2000/svg}"


def draw(x: object, value: object, gradient: object) -> str:
    parts = {"x": x, "value": value, "gradient": gradient}
    arrays = {name: np.asarray(part, dtype=np.float64) for name, part in parts.items()}
    return curves.svg([Curve(label="c", **arrays)], "p", "i")


def texts(picture: str) -> str:
    return " ".join(
        "".join("".join(text.itertext()).split())
        for text in ET.fromstring(picture).iter(f"{SVG}text")
    )


def marks(picture: str) -> int:
    """Count the markers drawn: each is a `use` in the colour of non-finite points."""
    uses = ET.fromstring(picture).iter(f"{SVG}use")
    return sum(use.get("stroke") == curves.NON_FINITE_COLOR for use in uses)


def tints(picture: str) -> int:
    """Count the lines and stretches in that colour, from the foot of a panel to its top."""
    paths = ET.fromstring(picture).iter(f"{SVG}path")
    whole = [path for path in paths if path.get("stroke-opacity") or path.get("opacity")]
    return sum(curves.NON_FINITE_COLOR in (p.get("stroke"), p.get("fill")) for p in whole)


def test_picture_is_an_svg_of_two_panels_in_the_colors_of_the_page() -> None:
    picture = draw([0, 1, 2], [0, 1, 4], [0, 2, 4])
    assert ET.fromstring(picture).tag == f"{SVG}svg"
    assert {"loss", "gradient", "p"} <= set(texts(picture).split())
    assert "currentColor" in picture
    assert curves.INK not in picture


def test_every_non_finite_point_is_marked() -> None:
    nan, inf = np.nan, np.inf
    assert marks(draw([0, 1, 2], [0, 1, 4], [0, 2, 4])) == 0
    assert marks(draw([0, 1, 2, 3], [nan, inf, -inf, 1], [nan, nan, 0, 1])) == 5


def test_where_nothing_is_finite_the_panel_is_tinted() -> None:
    nan = np.nan
    assert tints(draw([0, 1, 2], [0, 1, 4], [0, 2, 4])) == 0
    assert tints(draw([0, 1, 2, 3], [nan, 0, 1, 2], [1, nan, nan, 1])) == 2
    many = np.full(40, nan)  # is not marked point by point
    assert marks(draw(np.arange(40), np.zeros(40), many)) == curves.MARKS


def test_a_picture_is_lean() -> None:
    x = np.linspace(0, 1, 161)
    picture = draw(x, np.sin(9 * x), np.cos(9 * x))
    assert len(picture) < 8_000
    assert "<g" not in picture
    assert "clip" not in picture
    assert "rotate(-90" in picture  # the names of the axes
    ids = [element.get("id") for element in ET.fromstring(picture).iter() if element.get("id")]
    assert all(name.startswith("i-") for name in ids)


def test_float32_lies_over_float64_and_what_is_drawn_twice_is_written_once() -> None:
    x = np.linspace(0, 1, 161)
    y = np.sin(9 * x)
    curve = Curve(label="c", x=x, value=y, gradient=9 * np.cos(9 * x), value_double=y * (1 + 1e-8))
    alone = curves.svg([attrs.evolve(curve, value_double=np.zeros(0))], "p", "i")
    both = curves.svg([curve], "p", "i")
    assert len(both) - len(alone) < 300
    uses = list(ET.fromstring(both).iter(f"{SVG}use"))
    assert [use.get("stroke-width") for use in uses] == ["5", "1.6"]
    (path,) = (path.get("d") for each in ET.fromstring(both).iter(f"{SVG}defs") for path in each)
    assert path in alone
    apart = curves.svg([attrs.evolve(curve, value_double=y + 0.1)], "p", "i")
    assert not list(ET.fromstring(apart).iter(f"{SVG}use"))


def test_kinks_and_jumps_are_marked() -> None:
    x = np.linspace(-1, 1, 21)
    breaks = (
        Break(at=0.0, kind="kink", before=-1.0, after=1.0),
        Break(at=0.5, kind="jump", before=0.5, after=0.7),
    )
    curve = Curve(label="c", x=x, value=np.abs(x), gradient=np.sign(x), breaks=breaks)
    uses = ET.fromstring(curves.svg([curve], "p", "i")).iter(f"{SVG}use")
    assert len({use.get("href") for use in uses}) == 2


def test_a_gradient_of_0_away_from_the_least_loss_is_a_heavy_line() -> None:
    x = np.linspace(0, 1, 21)
    clipped = np.maximum(x, 0.5)
    heavy = f'stroke-width="{curves.HEAVY:g}"'
    slope = np.where(x > 0.5, 1.0, 0.0)
    assert heavy in draw(x, -clipped, -slope)
    assert heavy not in draw(x, clipped, slope)


def test_round_marks_are_dots_of_a_round_pen() -> None:
    decades = tuple(
        DigitsAt(
            exponent=exponent,
            cases=9,
            value_median=7.0,
            value_worst=6.0,
            gradient_median=None,
            gradient_worst=None,
        )
        for exponent in range(-8, 8)
    )
    drawn = ET.fromstring(curves.digits_svg(DigitCurve(along="|y_pred|", decades=decades), "i"))
    (dots,) = (p for p in drawn.iter(f"{SVG}path") if p.get("stroke-linecap") == "round")
    assert dots.get("stroke") == curves.COLORS[0]
    assert (dots.get("d") or "").count("h0") == len(decades)
    assert not list(drawn.iter(f"{SVG}use"))


def test_huge_range_is_drawn_on_a_logarithmic_axis() -> None:
    x = np.linspace(1, 2, 50)
    flat = texts(draw(x, x, x))
    steep = texts(draw(x, np.where(x > 1.9, 1e30, 1.0), x))
    assert "1e30" not in flat
    assert "1e30" in steep


@pytest.mark.parametrize(
    "y",
    [
        np.full(4, np.nan),
        np.full(4, 1e308),
        np.zeros(4),
        [-1e308, 1e308, 5e-324, np.inf],
        [5e-324, 5e-324, 1],
    ],
)
def test_any_numbers_can_be_drawn(y: np.ndarray | list[float]) -> None:
    assert draw(np.arange(len(y)), y, y).startswith("<svg")


def test_one_point_and_none_can_be_drawn() -> None:
    assert draw([0], [1], [1]).startswith("<svg")
    assert draw([], [], []).startswith("<svg")


def test_same_curves_same_bytes() -> None:
    assert draw([0, 1], [0, np.nan], [1, 1]) == draw([0, 1], [0, np.nan], [1, 1])


def test_missing_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'losscheck\[report\]'"):
        draw([0], [1], [1])
