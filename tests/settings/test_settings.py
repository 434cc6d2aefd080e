"""The configuration: where it is looked for, what each key takes, and what is said of errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscheck.model import UsageError
from losscheck.settings.file import read
from losscheck.settings.settings import ArgumentSettings, LossSettings, Settings

WHOLE = """
[tool.losscheck]
targets = ["my_pkg.losses", "more/losses.py", "more/losses.py:focal(gamma=2.0)"]
dtypes = ["float32", "float16"]
fail-on = "warning"
ignore = { LC103 = "clipping is deliberate" }
severity = { LC504 = "error" }
order = 2
budget = 60

[tool.losscheck.losses."my_pkg.losses:weighted_mse"]
ignore = { LC105 = "the step is part of the definition" }
[tool.losscheck.losses."my_pkg.losses:weighted_mse".arguments]
y_true = "real"
y_pred = { domain = "probability", shape = "(B, D)" }
scores = { role = "y_pred" }
gamma = { value = 2.0 }
"""


def pyproject(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pyproject.toml"
    file.write_text(text)
    return file


def test_every_key(tmp_path: Path) -> None:
    pyproject(tmp_path, WHOLE)
    table = LossSettings(
        ignore={"LC105": "the step is part of the definition"},
        arguments={
            "y_true": ArgumentSettings(domain="real"),
            "y_pred": ArgumentSettings(domain="probability", shape="(B, D)"),
            "scores": ArgumentSettings(role="y_pred"),
            "gamma": ArgumentSettings(value=2.0, constant=True),
        },
    )
    assert read(tmp_path) == Settings(
        targets=("my_pkg.losses", "more/losses.py", "more/losses.py:focal(gamma=2.0)"),
        dtypes=("float32", "float16"),
        fail_on="warning",
        ignore={"LC103": "clipping is deliberate"},
        severity={"LC504": "error"},
        order=2,
        budget=60.0,
        losses={"my_pkg.losses:weighted_mse": table},
        directory=str(tmp_path),
        home=str(tmp_path),
    )


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read(tmp_path) == Settings(directory=str(tmp_path))


def test_the_nearest_file_with_the_table_is_read(tmp_path: Path) -> None:
    pyproject(tmp_path, '[tool.losscheck]\ntargets = ["far"]')
    near = tmp_path / "a"
    pyproject(near, '[tool.losscheck]\ntargets = ["near"]')
    pyproject(near / "b", '[project]\nname = "other"')
    assert read(near / "b").targets == ("near",)
    (near / "b" / "losscheck.toml").write_text('targets = ["own"]')
    assert read(near / "b").targets == ("own",)


def test_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    pyproject(
        tmp_path,
        '[tool.losscheck]\ntargets = ["x/losses.py:f", "mod"]\n'
        '[tool.losscheck.losses."x/losses.py:f"]\nignore = { LC103 = "why" }',
    )
    (tmp_path / "x" / "deep").mkdir(parents=True)
    found = read(tmp_path / "x" / "deep")
    assert found.targets == ("../losses.py:f", "mod")
    assert list(found.losses) == ["../losses.py:f"]


def test_a_named_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "ci.toml").write_text('targets = ["a"]')
    (tmp_path / "tool.toml").write_text('[tool.losscheck]\ntargets = ["b"]')
    assert read(tmp_path, Path("ci.toml")).targets == ("a",)
    assert read(tmp_path, tmp_path / "tool.toml").targets == ("b",)
    with pytest.raises(UsageError, match=r"cannot read the configuration .*none\.toml"):
        read(tmp_path, Path("none.toml"))
    pyproject(tmp_path, "[project]")
    with pytest.raises(UsageError, match=r"has no \[tool.losscheck\] table"):
        read(tmp_path, Path("pyproject.toml"))


def test_a_broken_file_of_others_is_none_of_our_business(tmp_path: Path) -> None:
    pyproject(tmp_path, "[project\n")
    assert read(tmp_path) == Settings(directory=str(tmp_path))
    pyproject(tmp_path, "[tool.losscheck]\ntargets = [")
    with pytest.raises(UsageError, match=r"pyproject\.toml is not valid TOML"):
        read(tmp_path)


LOSS = '[tool.losscheck.losses."m:f"]\n'


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("[tool.losscheck]\ntarget = []", "", "unknown key 'target'. Did you mean 'targets'?"),
        ("[tool.losscheck]\nfail_on = 'never'", "", "Did you mean 'fail-on'?"),
        (LOSS + "ignored = {}", 'losses."m:f"', "Did you mean 'ignore'?"),
        (LOSS + "arguments.y_pred.shap = '(B,)'", "y_pred", "Did you mean 'shape'?"),
        ("[tool.losscheck]\ntargets = 'm'", "targets", "expected a list of texts, got 'm'"),
        ("[tool.losscheck]\ntargets = [1]", "targets", "expected a list of texts"),
        ("[tool.losscheck]\ndtypes = ['float23']", "dtypes", "Did you mean 'float32'?"),
        ("[tool.losscheck]\nfail-on = 'warn'", "fail-on", "Did you mean 'warning'?"),
        ("[tool.losscheck]\nfail-on = true", "fail-on", "expected a text, got True"),
        ("[tool.losscheck]\nseverity = { LC504 = 'bad' }", "LC504", "expected one of error"),
        ("[tool.losscheck]\nseverity = 'error'", "severity", "expected a table"),
        ("[tool.losscheck]\nignore = ['LC103']", "ignore", "from code to reason"),
        ("[tool.losscheck]\nignore = { LC103 = ' ' }", "LC103", "a reason is required"),
        ("[tool.losscheck]\nignore = { LC999 = 'why' }", "ignore", "no rule 'LC999'"),
        ("[tool.losscheck]\norder = 3", "order", "expected 1 (the gradient) or 2"),
        ("[tool.losscheck]\norder = '2'", "order", "got '2'"),
        ("[tool.losscheck]\nbudget = -1", "budget", "0 for as many as it takes"),
        ("[tool.losscheck]\nbudget = '20'", "budget", "got '20'"),
        ("[tool.losscheck]\nbudget = inf", "budget", "got inf"),
        ("[tool.losscheck]\norder = true", "order", "got True"),
        ("[tool.losscheck]\nlosses = []", "losses", "expected a table"),
        ("[tool]\nlosscheck = 3", "tool.losscheck", "expected a table"),
        (LOSS + "arguments.y_pred = 3", "y_pred", "3 is no declaration"),
        (LOSS + "arguments.y_pred = 'probabilty'", "y_pred", "probability"),
        (LOSS + "arguments.y_pred.shape = 'B, D'", "y_pred", "B, D"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, key: str, said: str) -> None:
    file = pyproject(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert str(file) in str(caught.value)
    assert key in str(caught.value)
    assert said in str(caught.value)


def test_the_command_line_lies_over_the_table_field_by_field() -> None:
    table = LossSettings(
        arguments={
            "y_pred": ArgumentSettings(domain="real", shape="(B, D)", role="y_pred"),
            "gamma": ArgumentSettings(value=2.0, constant=True),
        }
    )
    settings = Settings(
        losses={"m:f": table},
        arguments={
            "y_pred": ArgumentSettings(domain="logits"),
            "gamma": ArgumentSettings(domain="positive"),
            "y_true": ArgumentSettings(domain="binary"),
        },
    )
    assert settings.for_loss("m:f").arguments == {
        "y_pred": ArgumentSettings(domain="logits", shape="(B, D)", role="y_pred"),
        "gamma": ArgumentSettings(domain="positive"),
        "y_true": ArgumentSettings(domain="binary"),
    }
    assert set(settings.for_loss("m:other").arguments) == {"y_pred", "gamma", "y_true"}
    constant = ArgumentSettings(value=1.0, constant=True)
    assert constant.over(ArgumentSettings(domain="real")) == constant
    assert ArgumentSettings(role="input").over(constant).value == 1.0


def test_findings_are_ignored_for_all_by_pattern_and_for_one(tmp_path: Path) -> None:
    pyproject(
        tmp_path,
        "[tool.losscheck]\n"
        'ignore = { LC103 = "all", LC104 = "all" }\n'
        '[tool.losscheck.losses."m:old_*"]\n'
        'ignore = { LC103 = "old", LC105 = "old", LC201 = "old" }\n'
        '[tool.losscheck.losses."m:old_focal"]\n'
        'ignore = { LC105 = "its own" }\n',
    )
    held = read(tmp_path)
    own = {"LC103": "old", "LC104": "all", "LC105": "its own", "LC201": "old"}
    assert held.ignored("m:old_focal") == own
    assert held.ignored("m:old_mse") == {**own, "LC105": "old"}
    assert held.ignored("m:new") == {"LC103": "all", "LC104": "all"}


def test_a_pattern_says_nothing_of_arguments(tmp_path: Path) -> None:
    pyproject(tmp_path, '[tool.losscheck.losses."m:old_*"]\ndata = "batch.npz"\n')
    with pytest.raises(UsageError, match=r'losses."m:old_\*".data: a table of a pattern has'):
        read(tmp_path)
