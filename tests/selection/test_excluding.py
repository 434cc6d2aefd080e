"""Targets that patterns leave out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from losscheck.selection import Exclusion

HERE = Path("/project")
LOSSES = """
def old_one(y_true, y_pred): return y_pred
def old_two(y_true, y_pred): return y_pred
def new(y_true, y_pred): return y_pred
"""


@pytest.mark.parametrize(
    ("pattern", "target", "matches"),
    [
        ("my.module:old_*", "my.module:old_mse", True),
        ("my.module:old_*", "my.module:mse", False),
        ("my.*", "my.module:mse", True),
        ("my.module", "my.module:mse", False),
        ("*:focal(*)", "losses.py:focal(gamma=2.0)", True),
        ("losses.py:focal([0.1, 0.9])", "losses.py:focal([0.1, 0.9])", True),
        ("models:build[main]", "models:build[main]", True),
        ("My.module:*", "my.module:mse", False),
    ],
)
def test_patterns(pattern: str, target: str, matches: bool) -> None:
    assert Exclusion([pattern], HERE).leaves_out(target) is matches


def test_files_are_named_from_the_folder_of_the_configuration() -> None:
    exclusion = Exclusion(["losses.py:old_*", "sub/other.py:*"], HERE / "sub", HERE)
    assert exclusion.leaves_out("../losses.py:old_one")
    assert exclusion.leaves_out("other.py:loss")
    assert not exclusion.leaves_out("other.py")


def test_what_was_left_out_is_counted_and_idle_patterns_are_named() -> None:
    exclusion = Exclusion(["m:a*", "m:*b", "n:*"], HERE)
    assert [exclusion.leaves_out(name) for name in ("m:ab", "m:ab", "m:a", "m:c")] == [
        *(True, True, True),
        False,
    ]
    assert exclusion.said() == ("2 targets excluded", "exclude 'n:*': no target here is called so")


def test_the_command_line_adds_to_the_configuration(
    run: Callable[..., tuple[int, str, str]], fake_engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "many_losses.py").write_text(LOSSES)
    (tmp_path / "losscheck.toml").write_text('exclude = ["many_losses:old_one", "gone:*"]')
    status, out, err = run("many_losses", "mse", "--exclude", "ms?")
    assert status == 0
    names = [task.target for task in fake_engine.examined]
    assert names == ["many_losses:old_two", "many_losses:new"]
    assert "losscheck: 2 targets excluded" in err
    assert "exclude 'gone:*': no target here is called so" in err
    assert "excluded" not in out


def test_what_is_excluded_need_not_exist_and_nothing_is_left(
    run: Callable[..., tuple[int, str, str]], fake_engine: Any
) -> None:
    status, _, err = run("no_such_module:loss", "mse", "--exclude", "no_such_module*")
    assert (status, [task.target for task in fake_engine.examined]) == (0, ["mse"])
    status, _, err = run("no_such_module:loss", "--exclude", "*")
    assert status == 5
    assert "1 target excluded" in err
    assert "no loss found in no_such_module:loss" in err


def test_a_configuration_that_is_wrong(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "losscheck.toml").write_text('exclude = "old"')
    status, _, err = run("mse")
    assert status == 2
    assert "exclude: expected a list of texts, got 'old'" in err
