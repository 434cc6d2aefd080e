"""losscheck as it is shipped: installed from its wheel, in a project that is not the clone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest

import losscheck
from losscheck.rules import BUILT_IN

CLONE = Path(__file__).parents[1]
# Where `make dist` has built; what its environments need is then installed from the index.
DIST = os.environ.get("LOSSCHECK_DIST", "")
LOSSES = """
import tensorflow as tf


def nan_gradient(y_true, y_pred):
    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)
    return -tf.reduce_sum(y_true * hit, axis=-1)


def missing(y_true, y_pred):
    return tf.reduce_mean(tf.diff(y_true) - tf.diff(y_pred), axis=-1)
"""
FILES = {
    "losses.py": LOSSES,
    "pyproject.toml": '[tool.losscheck]\ntargets = ["losses"]\n',
    "test_own.py": "def test_own():\n    import losses\n",
}
SHIPPED = (
    "py.typed",
    "report/schema.json",
    "report/templates/stability.html.j2",
    "settings/schema.json",
)

Ids = dict[str, set[str]]  # target -> ids of findings


@attrs.frozen
class Project:
    """A folder with two losses, and an environment of its own that has the wheel."""

    folder: Path
    python: Path

    def run(self, *command: str, status: int) -> str:
        """Run a program of the environment, and hold that it ends with this status."""
        program = self.python.with_name(command[0])
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ended = subprocess.run(
            [program, *command[1:]],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended.stdout

    def pytest(self, *options: str) -> str:
        """Run pytest, whose own plugins come from the environment around."""
        module = ("python", "-m", "pytest", "-p", "no:cacheprovider", "--losscheck")
        return self.run(*module, *options, status=pytest.ExitCode.TESTS_FAILED)


def environment(folder: Path, wheel: Path, extras: str = "") -> Path:
    """Make an environment with the wheel, and give its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    alone = [] if DIST else ["--no-index", "--no-deps"]
    subprocess.run([*pip, "install", "--quiet", *alone, f"{wheel}{extras}"], check=True)
    if not DIST:
        (packages,) = folder.glob("lib/*/site-packages")
        # Behind the environment's own packages stand those around; nothing is downloaded, and a
        # losscheck around is not found, be it installed or linked to the clone.
        (packages / "around.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(DIST) if DIST else tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    if not DIST:
        subprocess.run([*build, str(CLONE)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built.resolve()


@pytest.fixture(scope="module")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("elsewhere")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    own = tmp_path_factory.mktemp("environment")
    return Project(folder, environment(own, wheel, "[tensorflow,pytest]"))


@pytest.fixture(scope="module")
def report(project: Project) -> dict[str, Any]:
    """Run `losscheck report` and give the JSON that it wrote."""
    told = project.run("losscheck", "report", "losses", status=1)
    names = [f"reports/stability.{kind}" for kind in ("html", "json", "md")]
    assert told.split() == names
    assert all((project.folder / name).stat().st_size > 0 for name in names)
    tree: dict[str, Any] = json.loads((project.folder / names[1]).read_text())
    return tree


@pytest.fixture(scope="module")
def told(project: Project) -> str:
    """Run `pytest --losscheck` and give what it says; the JUnit report is in alone.xml."""
    return project.pytest("--junitxml=alone.xml")


@pytest.fixture(scope="module")
def alone(project: Project, told: str) -> ElementTree.Element:
    """Give the JUnit report of `pytest --losscheck`."""
    return ElementTree.parse(project.folder / "alone.xml").getroot()


def ids(report: dict[str, Any]) -> Ids:
    return {loss["target"]: {item["id"] for item in loss["findings"]} for loss in report["losses"]}


def outcomes(junit: ElementTree.Element) -> dict[tuple[str, str], str]:
    """Give, by loss and rule (or by file and test), what came of each test."""
    return {
        (case.get("classname", ""), case.get("name", "")): next(
            (tag for tag in ("failure", "error", "skipped") if case.find(tag) is not None), "passed"
        )
        for case in junit.iter("testcase")
    }


def junit_ids(junit: ElementTree.Element) -> Ids:
    found: Ids = defaultdict(set)
    for case in junit.iter("testcase"):
        target = ":".join(case.get("classname", "").rsplit(".", 1))
        for entry in case.iter("property"):
            assert entry.get("name") == "losscheck"
            found[target].add(entry.get("value", ""))
    return dict(found)


def test_the_wheel_has_what_is_no_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert {f"losscheck/{name}" for name in SHIPPED} <= set(names)
    metadata = f"losscheck-{losscheck.__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"losscheck", metadata}


def test_the_wheel_is_what_runs(project: Project) -> None:
    code = "import losscheck; print(losscheck.__file__, losscheck.__version__)"
    file, version = project.run("python", "-c", code, status=0).split()
    assert Path(file).is_relative_to(project.python.parents[1])
    assert version == losscheck.__version__


@pytest.mark.skipif(not DIST, reason="fills an environment from the index, as make dist asks")
def test_what_needs_no_tensorflow(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "losses.py").write_text(LOSSES)
    bare = Project(tmp_path, environment(tmp_path / "environment", wheel))
    bare.run("python", "-c", "import tensorflow", status=1)
    for words in (["--version"], ["--help"], ["rules"], ["explain", "LC203"]):
        assert bare.run("losscheck", *words, status=0)
    bare.run("losscheck", "losses:missing", status=2)


def test_a_loss_by_its_name(project: Project, report: dict[str, Any]) -> None:
    told = project.run("losscheck", "losses:nan_gradient", "--format", "json", status=1)
    assert ids(json.loads(told)) == {"losses:nan_gradient": ids(report)["losses:nan_gradient"]}


def test_the_plugin_agrees(report: dict[str, Any], alone: ElementTree.Element) -> None:
    assert junit_ids(alone) == ids(report)
    tests = outcomes(alone)
    assert tests.pop(("test_own", "test_own")) == "passed"
    assert len(tests) == len(BUILT_IN) * len(report["losses"])
    failed = {name for (_, name), outcome in tests.items() if outcome == "failure"}
    assert failed == {
        item["code"]
        for loss in report["losses"]
        for item in loss["findings"]
        if item["severity"] == "error"
    }
    assert failed == {"LC203", "LC901"}
    assert [loss["verdict"] for loss in report["losses"]] == ["fail", "fail"]


def test_a_failure_shows_the_finding_and_nothing_else(told: str) -> None:
    line = next(n for n, text in enumerate(LOSSES.splitlines(), 1) if "tf.math.log" in text)
    for pattern in (
        rf"^losses\.py:{line}: The gradient is NaN ",
        rf"^  LC203 gradient-nan  error +losses\.py:{line}$",
        r"^FAILED losses\.py::nan_gradient::LC203 - losses\.py:",
        rf"^collected {1 + 2 * len(BUILT_IN)} items$",  # two losses, and the project's own test
    ):
        assert re.search(pattern, told, re.MULTILINE), told
    assert "Traceback" not in told


@pytest.mark.slow
def test_two_workers_agree(project: Project, alone: ElementTree.Element) -> None:
    told = project.pytest("-n", "2", "-v", "--junitxml=two.xml")
    two = ElementTree.parse(project.folder / "two.xml").getroot()
    assert outcomes(two) == outcomes(alone)
    assert junit_ids(two) == junit_ids(alone)
    workers = defaultdict(set)
    for worker, target in re.findall(r"^\[(gw\d)\].* losses\.py::(\S+)::LC", told, re.MULTILINE):
        workers[target].add(worker)
    # A loss is examined where its first test runs: on one worker.
    assert {target: len(found) for target, found in workers.items()} == {
        "nan_gradient": 1,
        "missing": 1,
    }


def _ways(project: Project, folder: Path) -> dict[str, tuple[int, list[str]]]:
    """What each way of checking the example project gives: an exit status, and what is found."""
    bin_ = project.python.parent
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    own |= {"PATH": f"{bin_}{os.pathsep}{own['PATH']}", "RUNNER_TEMP": str(folder)}

    def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
        given = {**own, **more}
        return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True)

    select = "LC203,LC204"
    options = ["--select", select, "--no-cache"]
    file = folder / "cli.json"
    ended = run(str(bin_ / "losscheck"), *options, "--format", f"json={file}")
    found = {"command line": (ended.returncode, _found(file))}
    run("bash", str(CLONE / "action.sh"), ARGUMENTS=" ".join(options), GITHUB_OUTPUT="out")
    outputs = dict(line.split("=", 1) for line in (folder / "out").read_text().splitlines())
    found["action"] = (int(outputs["status"]), _found(Path(outputs["json"])))
    (folder / "out").unlink()
    for name, workers in (("pytest", ()), ("two workers", ("-n", "2"))):
        module = (str(project.python), "-m", "pytest", "-p", "no:cacheprovider", "-rf", *workers)
        ended = run(*module, "--losscheck", "--losscheck-select", select)
        failed = re.findall(r"^FAILED src/shop_losses/losses\.py::(\S+)", ended.stdout, re.M)
        found[name] = (ended.returncode, sorted(failed))
    return found


def _found(file: Path) -> list[str]:
    losses = json.loads(file.read_text())["losses"]
    return sorted(f"{_name(loss)}::{f['code']}" for loss in losses for f in loss["findings"])


def _name(loss: dict[str, Any]) -> str:
    return str(loss["target"].partition(":")[2])


@pytest.mark.slow
def test_the_example_project_is_the_same_by_every_way(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(CLONE / "examples" / "project", folder)
    green = _ways(project, folder)
    assert set(map(str, green.values())) == {"(0, [])"}
    losses = folder / "src" / "shop_losses" / "losses.py"
    text = losses.read_text(encoding="utf-8")
    planted = text.replace("1.0 - sign * y_pred)", "1.0 + tf.sqrt(tf.abs(y_pred)) - sign * y_pred)")
    assert planted != text
    losses.write_text(planted, encoding="utf-8")
    red = _ways(project, folder)
    assert set(map(str, red.values())) == {"(1, ['margin::LC203'])"}
