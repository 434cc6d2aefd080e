"""Reports are given again where nothing has changed, and in no other case; no loss is run."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from losscheck import cli
from losscheck.engine.whole import summary
from losscheck.keeping import Kept, folder
from losscheck.keeping import folder as folders
from losscheck.keeping.folder import Folder
from losscheck.model import LeftOut, LossReport, Report
from losscheck.settings.settings import ArgumentSettings, LossSettings, Settings
from tests.report.conftest import report

__all__ = ["report"]  # the fixture

ONE, OTHER = "losses:one", "losses:other"
SOURCE = """import tensorflow as tf


def one(y_true, y_pred):
    return tf.square(y_true - y_pred)


# Something else.


def other(y_true, y_pred):
    return tf.abs(y_true - y_pred)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "losses.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve()


@pytest.fixture
def settings(place: Path) -> Settings:
    return Settings(directory=str(place))


@pytest.fixture
def run(report: Report, settings: Settings) -> Callable[..., Report]:
    """Keep what a run finds, and give it."""

    def ran(targets: tuple[str, ...] = (ONE, OTHER), **changes: Any) -> Report:
        given, written = changes.pop("settings", settings), changes.pop("written", True)
        losses = tuple(
            attrs.evolve(report.losses[0], target=target, own_seed=3, **changes)
            for target in targets
        )
        made = attrs.evolve(
            report,
            losscheck=_version(),
            losses=losses,
            summary=summary(losses),
            date="2026-11-30T06:50:00+00:00",
        )
        kept = Kept(("losses",), given)
        assert kept.losses(targets) == {}
        left_out = (LeftOut(target="losses:tf", reason="a module"),)
        assert kept.keep(made, targets, left_out) is written
        return made

    return ran


def _version() -> str:
    from losscheck import __version__

    return __version__


def known(settings: Settings, targets: tuple[str, ...] = (ONE, OTHER)) -> dict[str, LossReport]:
    return Kept(("losses",), settings).losses(targets)


def test_nothing_is_known_before(settings: Settings) -> None:
    assert Kept(("losses",), settings).whole() is None
    assert known(settings) == {}


def test_what_has_not_changed_is_what_it_was(
    run: Callable[..., Report], settings: Settings
) -> None:
    from losscheck.report import render
    from losscheck.report.verdicts import View

    made = run()
    kept = Kept(("losses",), settings)
    whole = kept.whole()
    assert whole is not None
    assert [loss.target for loss in whole.losses] == [ONE, OTHER]
    assert {loss.kept for loss in whole.losses} == {"2026-11-30T06:50:00+00:00"}
    assert whole.left_out == (LeftOut(target="losses:tf", reason="a module"),)
    assert kept.environment == made.environment
    for name in ("text", "markdown", "sarif", "junit", "gitlab"):
        again = attrs.evolve(made, losses=whole.losses)
        assert render(again, name, View()) == render(made, name, View())


def test_an_edit_has_its_loss_run_again(
    run: Callable[..., Report], settings: Settings, place: Path
) -> None:
    run()
    (place / "losses.py").write_text(SOURCE.replace("abs", "exp"), encoding="utf-8")
    assert Kept(("losses",), settings).whole() is None
    assert set(known(settings)) == {ONE}
    (place / "losses.py").write_text(SOURCE, encoding="utf-8")
    assert set(known(settings)) == {ONE, OTHER}


CHANGES: dict[str, dict[str, Any]] = {
    "seed": {"seed": 1},
    "rules": {"select": ("LC2",)},
    "dtypes": {"dtypes": ("float32", "float16")},
    "modes": {"modes": ("eager",)},
    "order": {"order": 2},
    "budget": {"budget": 60.0},
    "severity": {"severity": {"LC203": "warning"}},
    "ignored": {"ignore": {"LC203": "meant"}},
    "arguments": {"arguments": {"y_pred": ArgumentSettings(domain="probability")}},
    "a table": {"losses": {ONE: LossSettings(ignore={"LC203": "meant"})}},
    "data": {"data": "data.npz"},
    "what yields data": {"data": "losses:batches"},
    "a baseline": {"baseline": "known.json"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_settings_have_it_run_again(
    run: Callable[..., Report], settings: Settings, place: Path, change: str
) -> None:
    np.savez(place / "data.npz", y_pred=np.zeros(3))
    (place / "known.json").write_text('{"version": 1, "entries": []}', encoding="utf-8")
    run()
    changed = attrs.evolve(settings, **CHANGES[change])
    assert ONE not in known(changed)
    assert Kept(("losses",), changed).whole() is None
    if change == "a table":
        assert OTHER in known(changed)


@pytest.mark.parametrize(
    "same", [{"jobs": 2}, {"fail_on": "warning"}, {"timeout": 9.0}, {"isolation": True}]
)
def test_what_no_finding_depends_on(
    run: Callable[..., Report], settings: Settings, same: dict[str, Any]
) -> None:
    run()
    assert Kept(("losses",), attrs.evolve(settings, **same)).whole() is not None


def test_files_that_settings_name_count_by_what_they_hold(
    run: Callable[..., Report], settings: Settings, place: Path
) -> None:
    file, baseline = place / "data.npz", place / "known.json"
    np.savez(file, y_pred=np.zeros(3))
    baseline.write_text('{"version": 1, "entries": []}', encoding="utf-8")
    named = attrs.evolve(settings, data="data.npz", baseline=str(baseline))
    run(settings=named)
    assert len(known(named)) == 2
    np.savez(file, y_pred=np.ones(3))
    assert known(named) == {}
    np.savez(file, y_pred=np.zeros(3))
    assert len(known(named)) == 2
    entry = {"fingerprint": "f", "target": ONE, "code": "LC203", "op": "", "pass": "", "dtype": ""}
    entry |= {"mode": "", "first_seen": "2026-01-01", "reason": "of old"}
    tree = {"version": 1, "entries": [entry]}
    baseline.write_text(json.dumps(tree), encoding="utf-8")
    assert known(named) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "error"},
        {"faults": ("a fault",)},
        {"own_seed": None},
        {"findings": "crash"},
        {"kept": "2026-01-01"},
    ],
)
def test_what_another_run_may_not_come_to_is_not_kept(
    report: Report, settings: Settings, finding: Any, changes: dict[str, Any]
) -> None:
    from losscheck.model import Fault

    if "faults" in changes:
        changes = {"faults": (Fault(what="the trace", error="ValueError"),)}
    if "findings" in changes:
        changes = {"findings": (finding("LC903"),)}
    loss = attrs.evolve(report.losses[0], target=ONE, **{"own_seed": 3, **changes})
    kept = Kept((ONE,), settings)
    kept.losses([ONE])
    kept.keep(attrs.evolve(report, losscheck=_version(), losses=(loss,)), (ONE,), ())
    assert known(settings) == {}


def test_what_is_edited_during_a_run_is_not_kept(
    report: Report, settings: Settings, place: Path
) -> None:
    kept = Kept(("losses",), settings)
    loss = attrs.evolve(report.losses[0], target=ONE, own_seed=3)
    assert kept.losses([ONE]) == {}
    (place / "losses.py").write_text(SOURCE.replace("square", "abs"), encoding="utf-8")
    kept.keep(attrs.evolve(report, losses=(loss,)), (ONE,), ())
    (place / "losses.py").write_text(SOURCE, encoding="utf-8")
    assert known(settings) == {}
    # Nor where it was edited while it was imported, before anything was looked up.
    kept = Kept(("losses",), settings)
    later = time.time() + 5
    os.utime(place / "losses.py", (later, later))
    assert kept.losses([ONE]) == {}
    kept.keep(attrs.evolve(report, losses=(loss,)), (ONE,), ())
    os.utime(place / "losses.py", (1, 1))
    assert known(settings) == {}


def test_versions_and_how_tensorflow_is_set_count(
    run: Callable[..., Report], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert known(settings) == {}
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")  # losscheck sets it itself
    assert len(known(settings)) == 2
    monkeypatch.setattr(folder, "_installed", lambda: iter(["keras-1.0.dist-info"]))
    assert known(settings) == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"losses": 3}', '{"schema": 1}', '{"schema": 1, "losses": [{}]}', "\0"]
)
def test_what_is_damaged_is_run_again(
    run: Callable[..., Report], settings: Settings, text: str
) -> None:
    run()
    files = list(Kept((), settings).folder.files())
    assert len(files) == 4
    for each in files:
        each.path.write_text(text, encoding="utf-8")
    assert Kept(("losses",), settings).whole() is None
    assert known(settings) == {}
    assert not {ONE, OTHER} & set(Kept((), settings).seconds())


def test_how_long_losses_took_is_kept(run: Callable[..., Report], settings: Settings) -> None:
    made = run()
    assert Kept((), settings).seconds() == {each.target: each.seconds for each in made.losses}


def test_a_report_of_another_loss_is_not_taken(
    run: Callable[..., Report], settings: Settings
) -> None:
    made = run((ONE,))
    from losscheck.report.json import to_json

    other = attrs.evolve(made, losses=(attrs.evolve(made.losses[0], target=OTHER),))
    for each in Kept((), settings).folder.files():
        each.path.write_text(to_json(other), encoding="utf-8")
    assert known(settings) == {}


def test_a_folder_that_cannot_be_used_is_done_without(
    run: Callable[..., Report], settings: Settings, place: Path, tmp_path_factory: Any
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (place / ".losscheck").symlink_to(elsewhere)
    run(written=False)
    assert list(elsewhere.iterdir()) == []
    (place / ".losscheck").unlink()
    (place / ".losscheck").write_text("a file", encoding="utf-8")
    run(written=False)
    assert known(settings) == {}


def test_the_folder_is_ignored_by_git_and_holds_no_more_than_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MOST_BYTES", 10_000)
    kept = Folder(tmp_path)
    names = [f"{i:064x}" for i in range(6)]
    for i, name in enumerate(names):
        assert kept.write(name, "x" * 3_000)
        os.utime(tmp_path / ".losscheck" / f"{name}.json", (i, i))
    (tmp_path / ".losscheck" / "notes.txt").write_text("mine", encoding="utf-8")
    assert kept.read(names[1]) == "x" * 3_000  # what is read is in use
    kept.trim()
    left = sorted(each.path.stem for each in kept.files())
    assert left == sorted([names[1], *names[4:]])
    assert (tmp_path / ".losscheck" / "notes.txt").exists()
    assert (tmp_path / ".losscheck" / ".gitignore").read_text("utf-8").endswith("*\n")
    assert kept.read("../outside") is None
    monkeypatch.setattr(folders, "LARGEST", 100)
    assert kept.read(names[1]) is None


def _write_and_read(place: str, turns: int) -> None:
    kept = Folder(Path(place))
    for i in range(turns):
        name = f"{i % 3:064x}"
        assert kept.write(name, json.dumps(["text"] * 5_000))
        text = kept.read(name)
        if text is not None:
            json.loads(text)
        kept.trim()


def test_runs_beside_each_other_do_no_harm(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    others = [context.Process(target=_write_and_read, args=(str(tmp_path), 60)) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0, 0]
    left = sorted(path.name for path in (tmp_path / ".losscheck").iterdir())
    assert left == [".gitignore", *(f"{i:064x}.json" for i in range(3))]


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    def command(*arguments: str) -> str:
        capfd.readouterr()
        assert cli.run(arguments) == 0
        return capfd.readouterr().out

    return command


def test_what_is_kept_is_shown_and_cleared(
    run: Callable[..., Report], settings: Settings, shell: Callable[..., str], place: Path
) -> None:
    run()
    shown = shell("cache", "show")
    assert f"{ONE}  fail  2026-11-30" in shown
    assert "4 files" in shown
    (place / "sub").mkdir()
    (place / "losscheck.toml").write_text("", encoding="utf-8")
    os.chdir(place / "sub")  # it lies beside the configuration
    assert "4 files removed" in shell("cache", "clear")
    assert "0 files" in shell("cache", "show")
    assert known(settings) == {}
