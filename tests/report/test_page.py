"""The page in a browser: what is seen, what is asked of the network, and what the keys do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
import pytest

from losscheck.model import Argument, Curve, Diagnosis, Execution, Finding, Layout, Report
from losscheck.report import render
from tests.report.browser import CHROMIUM, Browser, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, as .ci/run installs it")
AXE = Path(__file__).parents[2] / ".venv/node_modules/axe-core/axe.min.js"
WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SECTIONS = "[...document.querySelectorAll('section[data-verdict]')]"
SHOWN = f"{SECTIONS}.filter(s => s.checkVisibility()).map(s => s.dataset.verdict).join()"

HOSTILE = (
    "<script>document.title = 'stolen'</script>",
    "'\"><img src=x onerror=\"document.title = 'stolen'\">",
    "</style></title></textarea></pre><svg onload=document.title='stolen'>",
    "javascript:document.title='stolen'",
    "{{ 7 * 7 }} {% raw %} ${7 * 7}",
    "\x00\x08\x1b[31m\x7f\x9b",
    "\u202eright to left\u202c \u2066isolated\u2069 \u200f",
    "\U0001f525\U0001f9d1\u200d\U0001f4bb e\u0301 \ud800",
    "x" * 10_000,
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def page(report: Report, tmp_path: Path) -> Path:
    return written(report, tmp_path)


def written(report: Report, folder: Path) -> Path:
    (folder / "page.html").write_text(render(report, "html"), encoding="utf-8")
    return folder / "page.html"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_quiet_and_fits(chromium: Browser, page: Path, width: int, dark: bool) -> None:
    chromium.open(page, width=width, dark=dark)
    assert chromium.says(WIDTH) == 0
    assert chromium.complaints == []
    assert chromium.requests == [page.as_uri()]
    assert chromium.says(SHOWN) == "fail,fail,inconclusive,pass"


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core, as .ci/run fetches it")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_accessible(chromium: Browser, page: Path, width: int, dark: bool) -> None:
    chromium.open(page, width=width, dark=dark)
    chromium.says("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    chromium.says(f"{AXE.read_text('utf-8')}; 1")
    found = chromium.says("axe.run().then(done => JSON.stringify(done.violations))")
    assert [(each["id"], each["nodes"][0]["html"]) for each in json.loads(found)] == []


def test_without_javascript_the_page_is_whole(chromium: Browser, page: Path) -> None:
    chromium.scripts(off=True)
    try:
        chromium.open(page)
        assert chromium.complaints == []
        assert chromium.says(SHOWN) == "fail,fail,inconclusive,pass"
        assert chromium.says("!document.querySelector('#filters').checkVisibility()")
    finally:
        chromium.scripts(off=False)


def test_losses_are_filtered_by_keys(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.says("document.querySelector('[name=search]').focus()")
    chromium.type(*"temporal")
    assert chromium.says(SHOWN) == "inconclusive"
    assert chromium.says("document.querySelector('output').textContent") == "1 of 4 shown"
    chromium.says("document.querySelector('[type=reset]').focus()")
    chromium.type("Enter")
    chromium.says("new Promise(done => setTimeout(done, 20))")
    assert chromium.says(SHOWN) == "fail,fail,inconclusive,pass"
    chromium.says("document.querySelector('[name=verdict]').focus()")
    chromium.type("p")  # selects "pass"
    assert chromium.says(SHOWN) == "pass"


def test_diagnoses_are_filtered_and_notes_opened(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.says("document.querySelector('[name=rule]').focus()")
    chromium.type(*"LC104")
    assert chromium.says(SHOWN) == "fail"
    seen = "[...document.querySelectorAll('.diagnosis')].filter(d => d.checkVisibility())"
    assert chromium.says(f"{seen}.map(d => d.id).join()") == "LC104-deadbeef"


def test_losses_are_sorted_by_keys(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.says("document.querySelector('.overview th button').focus()")
    first = "document.querySelector('.overview tbody th').textContent"
    chromium.type("Enter")
    assert chromium.says(first) == "my_package.losses:diff"
    assert chromium.says(SHOWN) == "fail,fail,pass,inconclusive"  # the sections follow
    chromium.type("Enter")
    assert chromium.says(first) == "my_package.losses:temporal"
    heads = "[...document.querySelectorAll('.overview th[aria-sort]')]"
    assert chromium.says(f"{heads}.map(h => h.ariaSort).join()") == "descending"


def test_code_is_copied(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.call(
        "Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"]
    )
    chromium.says("document.querySelector('.copy').focus()")
    chromium.type("Enter")
    chromium.says("new Promise(done => setTimeout(done, 100))")
    assert chromium.says("document.querySelector('.copy').textContent") in ("Copied", "Selected")
    taken = chromium.says("getSelection().toString() || navigator.clipboard.readText()")
    assert taken.startswith("safe = tf.where(y_pred > 0.0, y_pred, 1.0)\nhit = ")


def test_a_link_opens_what_it_points_to(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    inside = "document.getElementById('LC104-deadbeef').checkVisibility()"
    assert not chromium.says(inside)
    chromium.says("location.hash = 'LC104-deadbeef'")
    assert chromium.says(f"new Promise(done => setTimeout(() => done({inside}), 50))")


def hostile(report: Report, text: str) -> Report:
    """Put a text wherever a user's, or TensorFlow's, may come to stand."""
    loss = report.losses[0]

    def spoilt(finding: Finding) -> Finding:
        place = finding.location
        place = place and attrs.evolve(place, file=text, source=f"{text} {text}")
        said = dict.fromkeys(("slug", "message", "cause", "fix", "reproduce"), text)
        expected = attrs.evolve(finding.expected, text=text)
        inputs = {text: next(iter(finding.inputs.values()))}
        return attrs.evolve(finding, **said, expected=expected, inputs=inputs, location=place)

    def told(diagnosis: Diagnosis) -> Diagnosis:
        said = {"cause": text, "fix": text, "diff": f"--- a/{text}\n+++ b/{text}\n-{text}\n+{text}"}
        return attrs.evolve(diagnosis, **said, verified=True, location=None)

    def taken(argument: Argument) -> Argument:
        return attrs.evolve(argument, name=text, domain=text, why=text, plausible=(text,))

    curve = Curve(label=text, x=np.arange(3.0), value=np.zeros(3), gradient=np.ones(3))
    loss = attrs.evolve(
        loss,
        target=f"{text}:{text}",
        reason=text,
        arguments=tuple(map(taken, loss.arguments)),
        findings=tuple(map(spoilt, loss.findings)),
        diagnoses=tuple(map(told, loss.diagnoses)),
        checks=tuple(attrs.evolve(check, reason=text) for check in loss.checks),
        ignored=tuple(attrs.evolve(each, reason=text) for each in loss.ignored),
        curves=(curve,),
        executions=(Execution(dtype=text, mode=text, outcome="raises", reason=text),),
        layouts=(Layout(form=text, shapes={text: "(4,)"}, outcome="raises", reason=text),),
        notes=(text,),
        reminders=(text,),
    )
    left = tuple(attrs.evolve(each, target=text, reason=text) for each in report.left_out)
    return attrs.evolve(report, losses=(loss, *report.losses[1:]), left_out=left)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_loss_says_is_shown_as_text(
    chromium: Browser, report: Report, tmp_path: Path, text: str
) -> None:
    page = written(hostile(report, text), tmp_path)
    chromium.open(page, width=390)
    assert chromium.says("document.title") == "Stability report: 4 losses"
    assert chromium.complaints == []
    assert chromium.requests == [page.as_uri()]
    assert chromium.says(WIDTH) == 0
    assert chromium.says(f"{SECTIONS}.length") == 4
    made = "img, iframe, script:not(body > script), section svg [onload], style:not(head > style)"
    assert chromium.says(f"document.querySelectorAll({made!r}).length") == 0
    assert not set(chromium.says("document.body.textContent")) & set("\x00\x1b\u202e\u2066\u200f")
