"""Reports of parts of a run put together; no loss is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from losscheck import cli
from losscheck.engine.whole import merged, summary
from losscheck.model import Report, UsageError
from losscheck.report.json import to_json
from tests.report.conftest import report

__all__ = ["report"]  # the fixture


@pytest.fixture
def whole(report: Report) -> Report:
    """A run over seven losses."""
    losses = tuple(
        attrs.evolve(report.losses[i % len(report.losses)], target=f"losses:l{i}", own_seed=i)
        for i in range(7)
    )
    return attrs.evolve(report, losses=losses, summary=summary(losses), seconds=7.0)


def shards(whole: Report, count: int) -> list[Report]:
    """The reports of its parts, each of which takes a second."""
    parts = (whole.losses[i::count] for i in range(count))
    return [
        attrs.evolve(
            whole,
            losses=part,
            summary=summary(part),
            seconds=7.0 / count,
            shard=f"{i + 1}/{count}",
        )
        for i, part in enumerate(parts)
    ]


@pytest.mark.parametrize("count", [2, 3, 7, 9])
def test_shards_together_are_the_whole(whole: Report, count: int) -> None:
    parts = [(f"{i}.json", part) for i, part in enumerate(shards(whole, count))]
    together = merged(parts[::-1])
    assert together.seconds == pytest.approx(whole.seconds)
    assert to_json(attrs.evolve(together, seconds=7.0)) == to_json(whole)


def test_runs_of_other_losses_stand_one_after_the_other(whole: Report) -> None:
    one, other = (attrs.evolve(whole, losses=part) for part in (whole.losses[3:], whole.losses[:3]))
    there = attrs.evolve(whole.environment, platform="elsewhere", devices=("GPU:0",))
    other = attrs.evolve(other, environment=there, unexamined=("losses:late",))
    together = merged([("a", one), ("b", other)])
    assert [loss.target[-1] for loss in together.losses] == list("3456012")
    assert together.environment.platform == f"{whole.environment.platform}, elsewhere"
    assert together.environment.devices == (*whole.environment.devices, "GPU:0")
    assert together.unexamined == ("losses:late",)
    assert together.left_out == whole.left_out


def _another(change: str) -> Callable[[Report], Report]:
    def changed(given: Report) -> Report:
        if change == "tensorflow":
            where = attrs.evolve(given.environment, tensorflow="9.9")
            return attrs.evolve(given, environment=where)
        values: dict[str, Any] = {"losscheck": "9.9", "seed": 99, "shard": "1/3"}
        return attrs.evolve(given, **{change: values[change]})

    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tensorflow", r"a and b do not belong together: tensorflow .* there, 9\.9 here"),
        ("losscheck", "losscheck .* there, 9.9 here"),
        ("seed", "the seed .* there, 99 here"),
        ("shard", "a and b are both shard 1/3"),
    ],
)
def test_what_does_not_belong_together(whole: Report, change: str, message: str) -> None:
    one, other, _ = shards(whole, 3)
    with pytest.raises(UsageError, match=message):
        merged([("a", one), ("b", _another(change)(other))])


def test_what_is_not_whole(whole: Report) -> None:
    one, two, three = shards(whole, 3)
    with pytest.raises(UsageError, match="shard 2/3 is missing; name the reports of all 3"):
        merged([("a", one), ("c", three)])
    with pytest.raises(UsageError, match="losses:l0 is in a and in b"):
        merged([("a", whole), ("b", whole)])
    with pytest.raises(UsageError, match="b is no shard, and others are"):
        merged([("a", one), ("b", attrs.evolve(two, shard=""))])
    for odd in ("2/4", "0/3", "x", "5/3", "1/1000000000000"):
        with pytest.raises(UsageError, match=r"are not those of one run|is missing"):
            merged([("a", one), ("b", attrs.evolve(two, shard=odd))])


def test_a_module_that_no_part_could_import_is_there_once(whole: Report) -> None:
    broken = attrs.evolve(whole.losses[0], target="broken", own_seed=None)
    one, two = (attrs.evolve(p, losses=(*p.losses, broken)) for p in shards(whole, 2))
    together = merged([("a", one), ("b", two)])
    names = [loss.target for loss in together.losses]
    assert sorted(names) == sorted([*(loss.target for loss in whole.losses), "broken"])
    assert together.summary.losses == len(names)


def test_the_command_writes_it_as_one_run(
    whole: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for i, part in enumerate(shards(whole, 2)):
        (tmp_path / f"{i}.json").write_text(to_json(part), encoding="utf-8")
    files = ("merge", "0.json", "1.json", "--format", "json=whole.json")
    assert cli.run((*files, "--format", "concise")) == 1
    assert (tmp_path / "whole.json").read_text("utf-8") == to_json(whole)
    assert cli.run((*files, "--fail-on", "never")) == 0
    (tmp_path / "losscheck.toml").write_text('fail-on = "never"\n', encoding="utf-8")
    assert cli.run(files) == 0
    capfd.readouterr()
    assert cli.run(("merge", "0.json", "none.json")) == 2
    assert "cannot read the report none.json" in capfd.readouterr().err
    assert cli.run(("merge",)) == 2
