"""The file of what is known."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from losscheck.model import UsageError
from losscheck.settings import baseline
from tests.report.conftest import report  # noqa: F401

TODAY = datetime.date(2026, 11, 30)
ENTRY = baseline.Entry(
    fingerprint="ab" * 16,
    target="losses:focal",
    code="LC203",
    op="Log",
    direction="backward",
    dtype="float32",
    mode="graph",
    first_seen="2026-01-02",
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    other = attrs.evolve(ENTRY, fingerprint="cd" * 16, expires="2027-01-01", reason="of old")
    file.write_text(baseline.written([other, ENTRY]), encoding="utf-8")
    assert set(baseline.read(file)) == {ENTRY, other}
    tree = json.loads(file.read_text(encoding="utf-8"))
    assert [entry["pass"] for entry in tree["entries"]] == ["backward", "backward"]
    assert not any("line" in entry for entry in tree["entries"])


def test_it_holds_on_the_day_that_it_names() -> None:
    last = attrs.evolve(ENTRY, expires="2026-11-30")
    assert not last.expired(TODAY)
    assert last.expired(TODAY + datetime.timedelta(days=1))
    assert not ENTRY.expired(TODAY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "no baseline of this version"),
        ({"entries": 3}, "entries: expected a list"),
        ({"entries": [3]}, "entry 1: expected a table"),
        ({"entries": [{"fingerprint": 3}]}, "entry 1: fingerprint: expected a text"),
    ],
)
def test_what_is_no_baseline_is_told(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = tmp_path / "known.json"
    file.write_text(json.dumps({"version": 1, "entries": [], **change}), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        baseline.read(file)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("reason", " ", "say why LC203"), ("expires", "soon", "expires: expected a date")],
)
def test_what_an_entry_must_hold(tmp_path: Path, field: str, value: str, message: str) -> None:
    file = tmp_path / "known.json"
    file.write_text(baseline.written([attrs.evolve(ENTRY, **{field: value})]), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        baseline.read(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="losscheck baseline write"):
        baseline.read(tmp_path / "none.json")


def test_new_findings_are_added_and_known_ones_stay(report: Any) -> None:  # noqa: F811
    loss = report.losses[0]
    first = baseline.entries_of([loss], (), TODAY, reason="of old")
    assert {entry.code for entry in first} == {
        f.code for f in loss.findings if f.severity != "note"
    }
    later = TODAY + datetime.timedelta(days=9)
    assert set(baseline.entries_of([loss], first, later, reason="new")) == set(first)


def test_what_is_gone_is_mended_only_where_it_was_looked_for(report: Any) -> None:  # noqa: F811
    loss = report.losses[0]
    known = baseline.entries_of([loss], (), TODAY)
    assert baseline.mended([loss], known) == ()
    codes = {entry.code for entry in known}
    checks = tuple(
        attrs.evolve(check, outcome="pass") if check.code in codes else check
        for check in loss.checks
    )
    clean = attrs.evolve(loss, findings=(), diagnoses=(), checks=checks)
    judged = {check.code for check in checks}
    assert {e.code for e in baseline.mended([clean], known)} == codes & judged
    unlooked = attrs.evolve(clean, checks=())
    assert baseline.mended([unlooked], known) == ()
    assert baseline.mended([], known) == ()
