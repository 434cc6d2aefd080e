from __future__ import annotations

import base64
import hashlib
import re
import sys
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import attrs
import numpy as np
import pytest

from losscheck.model import Break, Curve, Report
from losscheck.report import render
from losscheck.report.pictures import sentence

VOID = {"meta", "br", "wbr", "img", "link", "input", "hr"}
NAN, INF = np.nan, np.inf
ORDER = ("focal", "diff", "temporal", "mse")  # of the report: fail, fail, inconclusive, pass


class Outline(HTMLParser):
    """Collects ids, links and classes, and holds that every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href"):
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    assert parsed.open == []
    return parsed


def test_page_is_well_formed_and_stands_alone(report: Report) -> None:
    parsed = outline(render(report, "html"))
    assert len(parsed.ids) == len(set(parsed.ids))
    assert all(link.startswith("#") and link[1:] in parsed.ids for link in parsed.links)
    assert not {"link", "img", "iframe"} & set(parsed.tags)
    assert parsed.tags.count("script") == 1
    assert parsed.tags.count("section") == len(report.losses) + 1  # and what was left out


def test_the_page_allows_its_own_script_alone(report: Report) -> None:
    page = render(report, "html")
    script = page[page.index("<script>") + len("<script>") : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_text_of_a_loss_is_escaped(report: Report) -> None:
    page = render(report, "html")
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt; overflows" in page
    assert "&lt;b&gt;sums to 1&lt;/b&gt;" in page
    assert "\x1b" not in page


def test_everything_said_is_on_the_page(report: Report) -> None:
    page = render(report, "html")
    for said in (
        "<mark>tf.math.log(y_pred)</mark>",
        "safe = tf.where(y_pred &gt; 0.0, y_pred, 1.0)",
        "print(tape.gradient(loss, y_pred))",
        "LC203-1f2e3d4c",
        "clipping is deliberate",
        "ask with --select LC106",
        "no ordinary point gave a finite loss",
        "takes one argument, not two",
        "1,204,331",
    ):
        assert said in page


def test_two_drawings_share_a_page(report: Report) -> None:
    twice = attrs.evolve(report, losses=(report.losses[0], report.losses[0]))
    ids = [name for name in outline(render(twice, "html")).ids if not name.startswith("LC")]
    assert "loss-my_package.losses-focal-gamma-2.0" in ids
    assert "loss-my_package.losses-focal-gamma-2.0-2" in ids
    assert len(ids) == len(set(ids))


def test_failures_come_first(report: Report) -> None:
    page = render(report, "html")
    places = [page.index(f'<section id="loss-my_package.losses-{name}') for name in ORDER]
    assert places == sorted(places)


def test_without_matplotlib_the_page_has_no_pictures(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = render(report, "html")
    assert "<svg" not in page
    assert "LC203 gradient-nan" in page


def test_a_page_is_small(report: Report) -> None:
    (loss, *_) = report.losses
    one = attrs.evolve(report, losses=(loss,))
    size = len(render(one, "html").encode())
    more = len(render(attrs.evolve(report, losses=(loss, loss)), "html").encode()) - size
    assert size < 120_000
    assert size + 39 * more < 2_000_000  # forty losses


@pytest.mark.parametrize("scheme", ["colors.css", "dark.css"])
def test_every_text_has_enough_contrast(scheme: str) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1."""
    css = resources.files("losscheck.report").joinpath(f"templates/{scheme}").read_text("utf-8")
    colors = dict(re.findall(r"--([a-z]+): (#[0-9a-f]+)", css))
    texts = {"ink", "dim", "link", "pass", "fail", "warning", "note", "fault"}
    pairs = {(text, ground) for text in texts for ground in ("page", "card", "code")}
    pairs |= {("ink", "mark"), ("ink", "fix"), ("pass", "fix"), ("fail", "fix"), ("dim", "fix")}
    pairs |= {("card", "fail"), ("card", "warning"), ("card", "fault")}  # of the matrix
    low = {pair: contrast(*(colors[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


def contrast(one: str, other: str) -> float:
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    ("x", "value", "gradient", "said"),
    [
        ([0, 1, 2], [1, 0, 1], [-1, 0, 1], "a: finite from 0 to 2, least at p = 1."),
        (
            [0, 1, 2],
            [INF, 0, 1],
            [NAN, 0, 1],
            "a: the loss is infinite at p = 0; the gradient is NaN at p = 0.",
        ),
        (
            [0, 1, 2, 3],
            [0, NAN, NAN, 1],
            [0, NAN, NAN, 1],
            "a: the loss is NaN from p = 1 to 2; the gradient is NaN from p = 1 to 2.",
        ),
        ([0, 1], [NAN, NAN], [0, 1], "a: the loss is NaN throughout."),
        (
            [0, 1, 2, 3, 4, 5, 6],
            [2, 2, 2, 2, 2, 1, 0],
            [0, 0, 0, 0, 0, -1, -1],
            "a: the gradient is 0 from p = 0 to 4, though the loss is lower elsewhere.",
        ),
        (
            [0, 1, 2],
            [9, 1, 0],
            [0, -8, -1],
            "a: the gradient is 0 at p = 0, though the loss is lower elsewhere.",
        ),
        ([0, 1, 2, 3], [0, 4, 4, 0], [4, 0, 0, -4], "a: finite from 0 to 3, least at p = 0."),
        ([], [], [], "a: there is nothing to draw."),
    ],
)
def test_a_sentence_says_what_a_curve_does(x: Any, value: Any, gradient: Any, said: str) -> None:
    parts = {"x": x, "value": value, "gradient": gradient}
    arrays = {name: np.asarray(part, np.float64) for name, part in parts.items()}
    assert sentence(Curve(label="a", **arrays), "p") == said


def test_a_sentence_says_what_steps_and_what_float64_gives() -> None:
    x = np.arange(4.0)
    curve = Curve(
        label="a",
        x=x,
        value=np.array([NAN, 1, 1, 0.5]),
        gradient=np.array([NAN, -1, 0, 2]),
        value_double=np.array([2, 1, 1.02, 0.5]),
        gradient_double=np.array([INF, -1, 1e-9, 2]),
        breaks=(
            Break(at=1.5, kind="kink", before=-1, after=0),
            Break(at=2.5, kind="jump", before=1, after=0.25),
            Break(at=2.75, kind="kink", before=0, after=2),
        ),
    )
    assert sentence(curve, "p") == (
        "a: the loss is NaN at p = 0, where float64 is finite; the gradient is NaN at p = 0; the "
        "loss steps from 1 to 0.25 at p = 2.5; the gradient steps from -1 to 0 at p = 1.5 and from "
        "0 to 2 at p = 2.75; the loss is more than 1% off what float64 gives at p = 2."
    )
    same = attrs.evolve(curve, value_double=curve.value, breaks=())
    assert sentence(same, "p").endswith(
        "float32 is within 1% of float64, or a millionth of the usual size, where both are finite."
    )
    lost = attrs.evolve(curve, value=np.array([0, 0.1, 0, 0.4]), gradient=x - 1.5, breaks=())
    lost = attrs.evolve(lost, value_double=np.array([2, 1, 3, 4]), gradient_double=x - 1.5)
    assert sentence(lost, "p").startswith("a: finite from 0 to 3, least at p = 1; the loss is more")
    flat = Curve(label="", x=x, value=np.full(4, 0.25), gradient=np.zeros(4))
    assert sentence(flat, "p") == "the loss is 0.25 throughout."


def test_hostile_names_stay_text(report: Report) -> None:
    loss = report.losses[0]
    argument = attrs.evolve(loss.arguments[1], name="<img src=x>$\\frac$")
    curve = Curve(label="</svg><img>", x=np.arange(3.0), value=np.zeros(3), gradient=np.ones(3))
    loss = attrs.evolve(loss, arguments=(argument,), curves=(curve,), target="<img src=y>")
    page = render(attrs.evolve(report, losses=(loss,)), "html")
    assert "img" not in outline(page).tags


def test_same_report_same_bytes(report: Report) -> None:
    assert render(report, "html") == render(report, "html")
