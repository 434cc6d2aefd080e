import attrs
import pytest
from syrupy.assertion import SnapshotAssertion

from losscheck.model import Report
from losscheck.report import render
from losscheck.report.markdown import code, escape, fence


def test_snapshot(report: Report, snapshot: SnapshotAssertion) -> None:
    assert render(report, "markdown") == snapshot


def test_nothing_of_a_loss_becomes_html(report: Report) -> None:
    text = render(report, "markdown")
    assert "<script>" not in text
    assert "<b>" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("y_pred", "y_pred"),
        ("_y_ * z", r"\_y\_ \* z"),
        ("a < b & [c](d)", r"a &lt; b &amp; \[c\](d)"),
        ("a | b\nc", r"a \| b c"),
    ],
)
def test_escape(text: str, markdown: str) -> None:
    assert escape(text) == markdown


def test_code_holds_backticks_and_bars() -> None:
    assert code("a`b|c") == "`` a`b\\|c ``"


def test_fence_is_longer_than_any_within(report: Report) -> None:
    assert fence("```\ncode\n```", "python") == ["````python", "```", "code", "```", "````"]
    finding = attrs.evolve(report.losses[0].findings[0], fix="````\n# not a heading")
    loss = attrs.evolve(report.losses[0], findings=(finding,))
    assert "`````\n````\n# not" in render(attrs.evolve(report, losses=(loss,)), "markdown")
