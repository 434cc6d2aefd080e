"""Rules that other packages register: used like our own, and refused with a reason where unfit."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from losscheck.faults import Faults, told
from losscheck.model import UsageError
from losscheck.rules import BUILT_IN
from losscheck.rules.base import Rule
from losscheck.rules.installed import check_suspects, installed

CLONE = Path(__file__).parents[2]
PLUGIN = CLONE / "examples" / "rule_plugin"
LOSSES = """
import tensorflow as tf


def above(y_true, y_pred):
    both = tf.reduce_sum(y_true * y_pred, axis=-1)
    total = tf.reduce_sum(y_true + y_pred, axis=-1)
    return 1.0 - (2.0 * both + 1.0) / (total + 1e-3)


def sound(y_true, y_pred):
    both = tf.reduce_sum(y_true * y_pred, axis=-1)
    total = tf.reduce_sum(y_true + y_pred, axis=-1)
    return 1.0 - (2.0 * both + 1.0) / (total + 1.0)
"""
ARGUMENTS = 'arguments = { y_true = "binary", y_pred = "probability" }\n'
CONFIGURED = (
    '[tool.losscheck]\ntargets = ["losses:above"]\nseverity = { TEAM001 = "error" }\nbudget = 3\n\n'
    f'[tool.losscheck.losses."losses:above"]\n{ARGUMENTS}'
)
DECLARED = ["--arg", "y_true=binary", "--arg", "y_pred=probability"]


def run(folder: Path, *arguments: str, status: int, path: Path | None = None) -> str:
    """Run a module of Python with what is installed in a folder, and hold how it ends."""
    paths = [str(CLONE), *([] if path is None else [str(path)])]
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.stdout if status != 2 else ended.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    alone = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder)]
    subprocess.run([*pip, *alone, str(PLUGIN)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "losses.py").write_text(LOSSES)
    return folder


@pytest.fixture(scope="module")
def report(site: Path, project: Path) -> dict[str, Any]:
    """Check both losses by the rule, each in a process of its own."""
    formats = ["--format", "json=found.json", "--format", "html=found.html", "--format", "text"]
    told = run(
        project,
        *("losscheck", "losses:above", "losses:sound", "--select", "TEAM", "--jobs", "2"),
        *(*DECLARED, *formats),
        status=0,
        path=site,
    )
    assert "warning  TEAM001 loss-negative" in told
    tree: dict[str, Any] = json.loads((project / "found.json").read_text())
    return tree


def test_it_is_listed_and_explained(site: Path, tmp_path: Path) -> None:
    last = run(tmp_path, "losscheck", "rules", status=0, path=site).splitlines()[-1]
    assert last.split() == ["TEAM001", "loss-negative", "The", "loss", "is", "negative."]
    page = run(tmp_path, "losscheck", "explain", "loss-negative", status=0, path=site)
    assert page.startswith("TEAM001 loss-negative\n")
    assert "smoothing constant" in page


def test_it_finds_the_fault_and_passes_the_twin(report: dict[str, Any]) -> None:
    above, sound = report["losses"]
    (finding,) = above["findings"]
    assert (finding["code"], finding["severity"]) == ("TEAM001", "warning")
    # The loss of no overlap: 1 - 1 / (total + 0.001), below 0 where the total is below 0.999.
    value = finding["observed"]["value"][0]
    assert value == pytest.approx(1 - 1 / (sum(*finding["inputs"]["y_pred"]["values"]) + 1e-3))
    assert finding["message"] == f"The loss is {value:.3g} in an ordinary case."
    assert sound["findings"] == []
    for loss, outcome in ((above, "warn"), (sound, "pass")):
        assert {c["code"]: c["outcome"] for c in loss["checks"]}["TEAM001"] == outcome
        assert loss["verdict"] == "pass"


def test_the_report_is_valid_and_shown_without_the_package(
    report: dict[str, Any], project: Path
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = (CLONE / "losscheck" / "report" / "schema.json").read_text()
    jsonschema.validate(report, json.loads(schema))
    assert "TEAM001" in (project / "found.html").read_text()
    for form in ("text", "html", "markdown", "concise"):
        assert "TEAM001" in run(
            project, "losscheck", "render", "found.json", "--format", form, status=0
        )


def test_the_configuration_and_pytest_know_it(site: Path, project: Path) -> None:
    (project / "pyproject.toml").write_text(CONFIGURED)
    options = ["-p", "no:cacheprovider", "--losscheck", "-k", "TEAM001", "-q"]
    told = run(project, "pytest", *options, status=1, path=site)
    assert "FAILED losses.py::above::TEAM001" in told
    assert "1 failed" in told


RULE = '''
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Rule

class Mine(Rule):
    """The loss is not mine."""

    code = "MINE001"
    slug = "not-mine"
    forms = {"other": Severity.NOTE}

    def judge(self, sweeps):
        yield Suspect(code=self.code, form="other")

    def words(self, suspect, blame, arguments):
        return "It is not mine.", "It is another's.", "mine"
'''
UNFIT = {
    "no module": ("import nowhere_to_be_found", "it cannot be imported: ModuleNotFoundError"),
    "no Python": ("class Mine(", "it cannot be imported: SyntaxError"),
    "no such name": ("Other = 1", "it cannot be imported: AttributeError"),
    "an instance": (f"{RULE}\nMine = Mine()", "a subclass of losscheck.rules.base.Rule"),
    "arguments": (f"{RULE}\n    def __init__(self, x): ...", "it cannot be made without arguments"),
    "our prefix": (RULE.replace("MINE001", "LC999"), "its code is 'LC999'; two to eight capital"),
    "our prefix, longer": (RULE.replace("MINE001", "LCX001"), "its code is 'LCX001'"),
    "small letters": (RULE.replace("MINE001", "mine1"), "its code is 'mine1'"),
    "no slug": (RULE.replace('"not-mine"', "None"), "its slug is None"),
    "our slug": (RULE.replace("not-mine", "gradient-nan"), "gradient-nan is taken by losscheck"),
    "no docstring": (RULE.replace('"""The loss is not mine."""', ""), "it has no docstring"),
    "no severity": (RULE.replace("Severity.NOTE", "1"), "its forms are {'other': 1}"),
    "no judge": (RULE.replace("def judge", "def judged"), "it has no `judge`"),
    "no words": (RULE.replace("def words", "def worded"), "it has no `words`"),
    "a text": (f'{RULE}\n    masked_by = ("LC101")', "a tuple was expected: ('LC101',)"),
    "no evidence": (RULE.replace("sweeps", "sweep"), "no such evidence. Did you mean 'sweeps'?"),
    "itself": (f'{RULE}\n    masked_by = ("MINE001",)', "mask each other"),
}


def register(folder: Path, name: str, text: str, kind: str = "Mine") -> None:
    """Write a package as pip installs one."""
    (folder / f"{name}.py").write_text(text)
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[losscheck.rules]\nONE = {name}:{kind}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(file.stem, None)


@pytest.mark.parametrize("case", UNFIT)
def test_what_is_unfit_is_refused_by_the_name_of_its_package(case: str, folder: Path) -> None:
    text, reason = UNFIT[case]
    register(folder, "others_rules", text)
    with pytest.raises(UsageError) as refused:
        installed(BUILT_IN)
    assert reason in str(refused.value)
    assert "others_rules" in str(refused.value)


def test_a_fit_one_is_taken(folder: Path) -> None:
    register(folder, "others_rules", RULE)
    (rule,) = installed(BUILT_IN)
    assert (rule.code, rule.package, rule.needs) == ("MINE001", "others_rules", ("sweeps",))
    check_suspects(rule, rule.judge(sweeps=()))
    rule.forms = {}  # type: ignore[misc]
    with pytest.raises(UsageError, match=r"MINE001 of the package others_rules suspects 'other'"):
        check_suspects(rule, rule.judge(sweeps=()))


def test_two_packages_cannot_have_the_same_code(folder: Path) -> None:
    for name in ("others_rules", "yet_others_rules"):
        register(folder, name, RULE)
    with pytest.raises(UsageError, match=r"yet_others_rules.*taken by the package others_rules"):
        installed(BUILT_IN)


def test_without_packages_nothing_slow_is_imported(tmp_path: Path) -> None:
    code = "import sys, losscheck.rules as r; r.rules(); print('importlib.metadata' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CLONE
    )
    assert told.stdout == "False\n"


@pytest.mark.parametrize(
    "command", [("rules",), ("check", "mse"), ("explain", "LC203")], ids=" ".join
)
def test_the_command_line_says_what_to_do(command: tuple[str, ...], tmp_path: Path) -> None:
    register(tmp_path, "others_rules", "1 / 0")
    told = run(tmp_path, "losscheck", *command, status=2, path=tmp_path)
    assert "ZeroDivisionError: division by zero" in told
    assert "`pip uninstall others_rules`" in told


class Failing(Rule):
    """Stands for a rule of another package that fails at its work."""

    def judge(self, sweeps: Any) -> Any:
        """Fail."""
        raise ZeroDivisionError("of mine")


def test_what_fails_in_a_rule_is_a_fault_of_its_package() -> None:
    faults = Faults({__name__: "others_rules", "MINE001": "others_rules"})
    faults.attempt("the judgment of MINE001", lambda: Failing().judge(sweeps=()), None)
    faults.attempt("the judgment of MINE001", functools.partial(int, "x"), None, "MINE001")
    faults.attempt("the words of MINE001", functools.partial(int, "z"), None, rule="MINE001")
    faults.attempt("the curves", functools.partial(int, "y"), None)
    assert [fault.package for fault in faults.all] == [*["others_rules"] * 3, ""]
    assert told(faults.all[0]) == (
        "the package others_rules failed in the judgment of MINE001: ZeroDivisionError: of mine"
    )
