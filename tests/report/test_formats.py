import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from losscheck.model import Check, Report, UsageError
from losscheck.report import FORMATS, render, write_stability
from losscheck.report.json import from_json, to_json
from losscheck.report.verdicts import View


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_every_format_names_every_failing_loss(report: Report, format: str) -> None:  # noqa: A002
    text = render(report, format)
    assert text.endswith("\n")
    for finding in report.losses[0].findings:
        counted = format in ("text", "github") and finding.severity == "note"
        assert (finding.code in text) is not counted


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"json"}))
def test_a_report_read_back_is_shown_the_same(report: Report, format: str) -> None:  # noqa: A002
    assert render(from_json(to_json(report)), format) == render(report, format)


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_empty_report(report: Report, format: str) -> None:  # noqa: A002
    assert isinstance(render(attrs.evolve(report, losses=()), format), str)


def test_unknown_format_lists_the_known(report: Report) -> None:
    with pytest.raises(UsageError, match=r"'pdf'.*text, concise, json"):
        render(report, "pdf")


def test_stability_report_is_three_files(report: Report, tmp_path: Path) -> None:
    out = tmp_path / "new" / "reports"
    files = write_stability(report, out)
    assert sorted(file.name for file in files) == [
        "stability.html",
        "stability.json",
        "stability.md",
    ]
    assert sorted(out.iterdir()) == sorted(files)
    assert (out / "stability.json").read_text(encoding="utf-8") == to_json(report)


def test_folder_that_is_a_file(report: Report, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    with pytest.raises(UsageError, match="--out"):
        write_stability(report, taken)


def test_text_and_json_import_nothing_heavy(report: Report, tmp_path: Path) -> None:
    saved = tmp_path / "report.json"
    saved.write_text(to_json(report), encoding="utf-8")
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from losscheck.report import render\n"
        "from losscheck.report.json import from_json\n"
        f"report = from_json(Path({str(saved)!r}).read_text(encoding='utf-8'))\n"
        "render(report, 'text'), render(report, 'markdown'), render(report, 'concise')\n"
        "heavy = {'tensorflow', 'keras', 'scipy', 'hypothesis', 'matplotlib', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_an_interrupted_report_says_so(report: Report) -> None:
    cut = attrs.evolve(report, unexamined=("my_package.losses:<huber>", "b"))
    said = "The run was interrupted: 2 losses were not examined: my_package.losses:"
    for name in ("text", "markdown", "html"):
        assert said in render(cut, name, View(width=200))
        assert "interrupted" not in render(report, name)
    assert from_json(render(cut, "json")).unexamined == cut.unexamined


def test_the_date_is_shown(report: Report) -> None:
    dated = attrs.evolve(report, date="2026-11-30T06:50:12+00:00")
    for name in ("markdown", "html"):
        assert "2026-11-30 06:50 UTC" in render(dated, name)


def test_rules_of_others_and_of_later_versions_are_shown(report: Report) -> None:
    checks = tuple(
        Check(code=code, slug=f"rule-{code}", outcome=outcome)
        for code, outcome in (("ACME001", "warn"), ("LC799", "pass"), ("LC201", "pass"))
    )
    odd = attrs.evolve(report.losses[1], target="", checks=checks)
    for losses in ((odd, odd), ()):
        for name in FORMATS:
            text = render(attrs.evolve(report, losses=losses), name)
            assert ("rule-LC799" in text) is bool(losses) or name not in (
                "text",
                "markdown",
                "html",
            )
    page = render(attrs.evolve(report, losses=(odd,)), "html")
    assert 'aria-label="other rules: warning: ACME001 rule-ACME001"' in page
