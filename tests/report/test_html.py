from html.parser import HTMLParser

import attrs
import numpy as np

from losscheck.model import Curve, Report
from losscheck.report import render

VOID = {"meta", "br", "img", "link", "input", "hr"}


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
    assert not {"script", "link", "img", "iframe"} & set(parsed.tags)
    assert parsed.tags.count("section") == len(report.losses) + 1  # and what was left out


def test_text_of_a_loss_is_escaped(report: Report) -> None:
    page = render(report, "html")
    assert "<script" not in page
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
    assert "loss-2-figure_1" in ids
    assert len(ids) == len(set(ids))


def test_hostile_names_stay_text(report: Report) -> None:
    loss = report.losses[0]
    argument = attrs.evolve(loss.arguments[1], name="<img src=x>$\\frac$")
    curve = Curve(label="</svg><img>", x=np.arange(3.0), value=np.zeros(3), gradient=np.ones(3))
    loss = attrs.evolve(loss, arguments=(argument,), curves=(curve,), target="<img src=y>")
    page = render(attrs.evolve(report, losses=(loss,)), "html")
    assert "img" not in outline(page).tags


def test_same_report_same_bytes(report: Report) -> None:
    assert render(report, "html") == render(report, "html")
