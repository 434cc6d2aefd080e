"""Shell completion: of targets, without importing them, and in bash as bash breaks words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete, get_completion_class

from losscheck import cli
from losscheck.cli.completion import ColonBash

FILES = {
    "own_losses.py": """
raise SystemExit("nobody imports this")

def mse(y_true, y_pred): ...
def focal(gamma):
    def loss(labels, logits): ...
    return loss
def factory(gamma): return lambda y_true, y_pred: y_pred
class Dice(keras.losses.Loss): ...
class Metric:
    def __call__(self, y_true, y_pred): ...
def _private(y_true, y_pred): ...
def helper(x): ...
SCALE = 2
""",
    "others.py": "def first(x): ...\nclass Second: ...\n",
    "broken.py": "def loss(y_true, y_pred)\n",
    "src/pack/__init__.py": "from .inner import tversky as tv, _hidden\nfrom . import inner\n",
    "src/pack/inner.py": "def tversky(y_true, y_pred): ...\n",
    ".venv/lib.py": "",
    "venv/pyvenv.cfg": "",
    "venv/lib.py": "",
}
LOSSES = ["mse", "focal", "factory", "Dice", "Metric"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with modules that no completion may import."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completions(*words: str) -> list[str]:
    """What a shell shows for the last of the words behind `losscheck`."""
    shell = ShellComplete(cli.command, {}, "losscheck", cli.COMPLETION)
    return [
        item.value if item.type == "plain" else f"<{item.type}>"
        for item in shell.get_completions([*words[:-1]], words[-1])
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["own"], ["own_losses", *(f"own_losses:{name}" for name in LOSSES)]),
        (["own_losses:"], [f"own_losses:{name}" for name in LOSSES]),
        (["own_losses:f"], ["own_losses:focal", "own_losses:factory"]),
        (["own_losses:_"], []),
        (["own_losses.py"], ["own_losses.py", *(f"own_losses.py:{name}" for name in LOSSES)]),
        (["./own_losses.py:D"], ["./own_losses.py:Dice"]),
        (["src/pa"], ["<file>"]),
        (["no_such"], ["<file>"]),
        (["no_such:"], []),
        (["broken:"], []),
        (["others:"], ["others:first", "others:Second"]),
        (["pack"], ["pack", "pack.inner"]),
        (["pack:"], ["pack:tv"]),
        (["pack.inner:"], ["pack.inner:tversky"]),
        (["re"], ["render", "replay", "report"]),
        (["--sel"], ["--select"]),
        (["check", "othe"], ["others", "others:first", "others:Second"]),
        (["others", "own_losses:m"], ["own_losses:mse"]),
        (["--seed", "3", "own_losses:m"], ["own_losses:mse"]),
        (["--changed", "own_losses:m"], ["own_losses:mse"]),
        (["diff", "own_losses:mse", "own_losses:D"], ["own_losses:Dice"]),
        (["export", "own_losses:D"], ["own_losses:Dice"]),
        (["others", "--exclude", "own_losses:D"], ["own_losses:Dice"]),
        (["others", "--format", "j"], ["json", "junit"]),
        (["others", "--dtype", "b"], ["bfloat16"]),
        (["others", "--mode", "x"], ["xla"]),
        (["others", "--fail-on", "n"], ["never"]),
        (["others", "--select", "LC101,LC104,nan-h"], ["LC101,LC104,nan-hidden"]),
        (["explain", "LC10"], [f"LC10{i}" for i in range(1, 10)]),
    ],
)
def test_completions(words: list[str], expected: list[str]) -> None:
    assert completions(*words) == expected


def test_the_first_word_is_a_command_or_a_target() -> None:
    found = completions("")
    assert {"check", "config", "rules", "own_losses", "others", "pack.inner"} <= set(found)
    assert not any("lib" in each or "<" in each for each in found)


def test_of_too_many_files_some_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("losscheck.cli.completion.MOST", 1)
    assert completions("pack") == ["pack", "pack:tv"]


@pytest.mark.parametrize(
    ("words", "number", "typed", "shown"),
    [
        ("losscheck own_losses : f", 3, "own_losses:f", "plain,factory"),
        ("losscheck own_losses :", 2, "own_losses:", "plain,factory"),
        ("losscheck 'own_losses:f", 1, "own_losses:f", "plain,own_losses:factory"),
        ("losscheck --format = js", 3, "--format=js", "plain,own_losses:factory"),
        ("losscheck a : b own", 4, "own", "plain,own_losses:factory"),
        ("losscheck ", 1, "", "plain,own_losses:factory"),
    ],
)
def test_bash_breaks_words_at_colons(
    monkeypatch: pytest.MonkeyPatch, words: str, number: int, typed: str, shown: str
) -> None:
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(number))
    bash = ColonBash(cli.command, {}, "losscheck", cli.COMPLETION)
    assert bash.get_completion_args()[1] == typed
    (item,) = [i for i in bash.get_completions([], "own_losses:fa") if i.type == "plain"]
    assert bash.format_completion(item) == shown


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_in_bash_without_tensorflow(folder: Path) -> None:
    run = f'{sys.executable} -X importtime -c "from losscheck.cli import main; main()" "$@"'
    (folder / "losscheck").write_text(f"#!/bin/sh\nexec {run} 2>>{folder}/imports\n")
    (folder / "losscheck").chmod(0o755)
    script = """
    eval "$(_LOSSCHECK_COMPLETE=bash_source losscheck)"
    COMP_WORDS=(losscheck own_losses : f); COMP_CWORD=3
    _losscheck_completion losscheck f ":"
    echo "${COMPREPLY[@]}"
    """
    root = str(Path(cli.__file__).parents[2])
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**os.environ, "PATH": path, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "focal factory\n", done.stderr
    imports = (folder / "imports").read_text()
    assert "click" in imports
    slow = ("tensorflow", "keras", "numpy", "scipy", "attr", "own_losses")
    assert not any(f" {name}\n" in imports for name in slow)


def test_other_shells_are_those_of_click() -> None:
    for shell in ("zsh", "fish"):
        found = get_completion_class(shell)
        assert found is not None
        source = found(cli.command, {}, "losscheck", cli.COMPLETION).source()
        assert "_losscheck_completion" in source
