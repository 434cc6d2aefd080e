"""`pytest --losscheck` in processes of its own: workers, without TensorFlow, in plain runs."""

from __future__ import annotations

import pytest

from losscheck.rules import BUILT_IN
from tests.pytest_plugin.conftest import FILE, LOSSES

# What a conftest.py puts in place of the engine, so that no process imports TensorFlow.
FAKE = """
import os, pathlib, sys, types
import attrs

def examine(task):
    from losscheck.model import Check, LossReport
    from losscheck.rules import rules
    with open(pathlib.Path(__file__).parent / "examined", "a") as file:
        file.write(f"{task.target} {os.getpid()}\\n")
    checks = tuple(Check(code=r.code, slug=r.slug, outcome="pass") for r in rules())
    common = dict(target=task.target, seconds=0.0, cases=0, source=None, checks=checks)
    return LossReport(verdict="pass", **common)

def plan(targets, settings):
    tasks = [Task(f"{target}:{name}", settings) for target in targets for name in NAMES]
    return types.SimpleNamespace(tasks=tuple(tasks), sources={})

@attrs.frozen
class Task:
    target: str
    settings: object

NAMES = [f"loss_{number}" for number in range(4)]
sys.modules["losscheck.engine.task"] = sys.modules["losscheck.engine.plan"] = sys.modules[__name__]
"""
NO_TENSORFLOW = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyprojecttoml('[tool.losscheck]\ntargets = ["my_pkg.losses"]')
    file = pytester.path / FILE
    file.parent.mkdir(parents=True)
    file.write_text(LOSSES, encoding="utf-8")
    (file.parent / "__init__.py").touch()
    return pytester


@pytest.mark.parametrize(
    "dist",
    ["load", *(pytest.param(name, marks=pytest.mark.slow) for name in ("loadgroup", "loadscope"))],
)
def test_each_loss_is_examined_by_one_worker(project: pytest.Pytester, dist: str) -> None:
    project.makeconftest(FAKE)
    project.makepyfile("def test_own(): pass")
    result = project.runpytest_subprocess("--losscheck", "-n", "2", "--dist", dist)
    result.assert_outcomes(passed=1 + 4 * len(BUILT_IN))
    examined = (project.path / "examined").read_text().splitlines()
    assert sorted(line.partition(" ")[0] for line in examined) == [
        f"my_pkg.losses:loss_{number}" for number in range(4)
    ]
    assert len({line.partition(" ")[2] for line in examined}) == 2


@pytest.mark.slow
def test_a_worker_tells_of_an_id_that_names_nothing(project: pytest.Pytester) -> None:
    project.makeconftest(FAKE)
    result = project.runpytest_subprocess("--losscheck", "-n", "1", f"{FILE}::none")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"not found: {FILE}::none"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_without_tensorflow_it_says_what_to_install(project: pytest.Pytester) -> None:
    project.makeconftest(NO_TENSORFLOW)
    project.makepyfile("def test_own(): pass")
    result = project.runpytest_subprocess("--losscheck")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [f"* ERROR collecting {FILE} *", "* is not installed, *pip install 'losscheck?tensorflow?'"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_plain_run_imports_nothing_of_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_own():
            loaded = {name for name in sys.modules if name.startswith("losscheck.")}
            light = {"losscheck.settings", "losscheck.pytest_plugin"}
            assert {".".join(name.split(".")[:2]) for name in loaded} <= light, loaded
            assert not {"tensorflow", "keras", "numpy", "attrs"} & set(sys.modules)
        """
    )
    result = project.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:syrupy")
    result.assert_outcomes(passed=1)


WATCHED = '''
import os, pathlib, sys

HERE = str(pathlib.Path(__file__).parent)

def refuse(event, arguments):
    """Let no file of the project be written, as its folder is not writable."""
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(HERE):
        mode, flags = arguments[1] or "", arguments[2] or 0
        if set(mode) & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError(13, "Permission denied", arguments[0])
    if event in ("os.mkdir", "os.rename", "os.remove") and str(arguments[0]).startswith(HERE):
        raise PermissionError(13, "Permission denied", arguments[0])

sys.addaudithook(refuse)
'''


@pytest.mark.slow
def test_a_folder_that_cannot_be_written(project: pytest.Pytester) -> None:
    (project.path / FILE).write_text(
        "import tensorflow as tf\n\n\ndef distance(y_true, y_pred):\n"
        "    return tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))\n",
        encoding="utf-8",
    )
    project.makeconftest(WATCHED)
    before = sorted((project.path / "src").rglob("*"))
    selected = ("--losscheck-select", "LC203", "--losscheck")
    result = project.runpytest_subprocess(*selected, "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{FILE}:5: The gradient is NaN *"])
    assert sorted((project.path / "src").rglob("*")) == before


@pytest.mark.slow
def test_workers_give_what_one_process_gives(project: pytest.Pytester) -> None:
    code = (
        "import tensorflow as tf\n\n\ndef distance(y_true, y_pred):\n"
        "    return tf.sqrt(tf.reduce_sum(tf.square(y_true - y_pred), axis=-1))\n\n\n"
        "def mse(y_true, y_pred):\n    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)\n"
    )
    (project.path / FILE).write_text(code, encoding="utf-8")
    selected = ("--losscheck", "--losscheck-select", "LC2", "-rA", "--tb=no")
    alone = project.runpytest_subprocess(*selected)
    beside = project.runpytest_subprocess(*selected, "-n", "2")
    told = [
        sorted(line for line in result.outlines if line.startswith(("FAILED", "PASSED", "SKIPPED")))
        for result in (alone, beside)
    ]
    assert told[0] == told[1]
    assert alone.ret == beside.ret == pytest.ExitCode.TESTS_FAILED
