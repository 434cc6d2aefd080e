"""One real run as a user starts it, and everything that must hold of what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import attrs
import jsonschema
import pytest

import losscheck
from losscheck.report import schema

# Whatever a loss prints, and however, standard output is the report's.
LOSSES = """
import atexit
import os
import sys

print("printed at import")
os.write(1, b"written at import\\n")
os.system("echo printed by a child at import")
atexit.register(print, "printed at exit")
atexit.register(os.write, 1, b"written at exit\\n")

import tensorflow as tf

STDOUT = sys.stdout


def sound(y_true, y_pred):
    print("printed while traced")
    os.write(1, b"written while traced\\n")
    tf.print("printed by the graph", output_stream=sys.stdout)
    tf.print("written by the graph", output_stream="file:///dev/stdout")
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


def nan_gradient(y_true, y_pred):
    print("printed while traced", file=STDOUT)
    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
    return -tf.reduce_sum(y_true * hit, axis=-1)


def missing(y_true, y_pred):
    return tf.reduce_mean(tf.diff(y_true) - tf.diff(y_pred), axis=-1)
"""


@attrs.frozen
class Run:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str
    folder: Path

    def loss(self, name: str) -> dict[str, Any]:
        """Give what the JSON on stdout says of a loss."""
        losses = {loss["target"]: loss for loss in json.loads(self.stdout)["losses"]}
        return losses[f"losses:{name}"]


def shell(folder: Path, *arguments: str) -> Run:
    ended = subprocess.run(
        [sys.executable, "-m", "losscheck", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(ended.returncode, ended.stdout, ended.stderr, folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Check every loss of the module, JSON on stdout and two formats into files."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "losses.py").write_text(LOSSES)
    files = ("--format", "concise=found.txt", "--format", "html=page.html")
    return shell(folder, "losses", "--format", "json", *files)


def refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is not strict JSON")


def test_stdout_is_strict_json_that_the_schema_allows(run: Run) -> None:
    tree = json.loads(run.stdout, parse_constant=refuse)
    jsonschema.validate(tree, schema(), jsonschema.Draft202012Validator)
    assert tree["losscheck"] == losscheck.__version__
    for said in ("printed", "written"):
        assert f"{said} at import" not in run.stdout
        assert f"{said} at import" in run.stderr
        assert f"{said} at exit" not in run.stdout
        # The descriptor's own writer comes through; print is silenced while TensorFlow is.
        # The diff of a fix holds the line that prints.
        assert not any(line.strip() == f"{said} while traced" for line in run.stdout.splitlines())
        # A finding may quote the line that prints; nothing is printed by itself.
        assert not any(line.strip() == f"{said} by the graph" for line in run.stdout.splitlines())
    assert "printed by a child at import" in run.stderr
    assert "Traceback" not in run.stderr


def test_verdicts_and_the_exit_status(run: Run) -> None:
    assert run.status == 1
    verdicts = [loss["verdict"] for loss in json.loads(run.stdout)["losses"]]
    assert verdicts == ["pass", "fail", "fail"]
    summary = json.loads(run.stdout)["summary"]
    assert (summary["losses"], summary["pass"], summary["fail"]) == (3, 1, 2)


def test_the_line_to_blame(run: Run) -> None:
    lines = LOSSES.splitlines()
    for name, code, blamed in [
        ("nan_gradient", "LC203", "tf.math.log(y_pred)"),
        ("missing", "LC901", "tf.diff"),
    ]:
        errors = [found for found in run.loss(name)["findings"] if found["severity"] == "error"]
        assert [found["code"] for found in errors] == [code]
        place = errors[0]["location"]
        assert place["file"] == "losses.py"
        assert lines[place["line"] - 1] == place["source"]
        assert place["source"][place["column"] - 1 : place["end_column"] - 1].startswith(blamed)


def test_the_program_of_a_finding_shows_it(run: Run) -> None:
    found = next(item for item in run.loss("nan_gradient")["findings"] if item["code"] == "LC203")
    ended = subprocess.run(
        [sys.executable, "-c", found["reproduce"]],
        cwd=run.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "gradient: [[nan]]" in ended.stdout


def test_formats_say_the_same(run: Run) -> None:
    found = [item for loss in json.loads(run.stdout)["losses"] for item in loss["findings"]]
    concise = (run.folder / "found.txt").read_text()
    page = (run.folder / "page.html").read_text()
    assert len(concise.splitlines()) == len(found)
    for item in found:
        assert f'id="{item["id"]}"' in page
        assert f"{item['code']} {item['severity']} {item['slug']}: " in concise


def test_render_shows_it_again(run: Run) -> None:
    (run.folder / "report.json").write_text(run.stdout)
    again = {form: shell(run.folder, "render", "report.json", "--format", form) for form in FORMS}
    assert {form: ended.status for form, ended in again.items()} == dict.fromkeys(FORMS, 0)
    assert json.loads(again["json"].stdout) == json.loads(run.stdout)
    assert again["concise"].stdout == (run.folder / "found.txt").read_text()
    assert again["html"].stdout == (run.folder / "page.html").read_text()
    text = again["text"].stdout
    for said in ("losses:nan_gradient   FAIL", "error  LC203 gradient-nan", "verified", "^^^^"):
        assert said in text
    assert "\x1b" not in text


FORMS = ("text", "json", "concise", "html")
