"""The command line: what goes where, exit statuses, and what is said of wrong usage."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from losscheck import cli
from losscheck.cli.commands import several
from losscheck.settings.settings import ArgumentSettings, Settings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fake_engine: Any,
) -> Run:
    """Run a command in this process, with the engine that runs nothing."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = cli.run(arguments)
        out, err = capfd.readouterr()
        return status, out, err

    return command


def shell(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as users do."""
    return subprocess.run(
        [sys.executable, "-m", "losscheck", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_passing_loss(run: Run, fake_engine: Any) -> None:
    status, out, err = run("mse")
    assert status == 0
    assert "mse" in out
    assert "the loss mse prints" in err
    assert [task.target for task in fake_engine.examined] == ["mse"]


@pytest.mark.parametrize(
    "arguments", [("mse", "mae"), ("check", "mse", "mae"), ("-q", "mse", "mae")]
)
def test_targets_stand_for_check(run: Run, fake_engine: Any, arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 0
    assert [task.target for task in fake_engine.examined] == ["mse", "mae"]


@pytest.mark.parametrize(
    ("verdict", "severity", "fail_on", "status"),
    [
        ("fail", "error", "error", 1),
        ("fail", "error", "never", 0),
        ("pass", "warning", "error", 0),
        ("pass", "warning", "inconclusive", 0),
        ("pass", "warning", "warning", 1),
        ("pass", "note", "warning", 0),
        ("inconclusive", None, "error", 0),
        ("inconclusive", None, "inconclusive", 1),
        ("inconclusive", None, "warning", 1),
        ("error", None, "never", 3),
    ],
)
def test_exit_status(
    run: Run,
    fake_engine: Any,
    finding: Any,
    verdict: str,
    severity: str | None,
    fail_on: str,
    status: int,
) -> None:
    findings = (finding(severity=severity),) if severity else ()
    fake_engine.reports["mse"] = {"verdict": verdict, "findings": findings, "reason": "because"}
    assert run("mse", "mae", "--fail-on", fail_on)[0] == status


def test_a_fault_comes_before_findings(run: Run, fake_engine: Any, finding: Any) -> None:
    fake_engine.reports["mse"] = {"verdict": "fail", "findings": (finding(),)}
    fake_engine.reports["mae"] = {"verdict": "error", "reason": "because"}
    assert run("mse", "mae")[0] == 3


def test_json_on_stdout_is_nothing_but_json(run: Run) -> None:
    status, out, _ = run("mse", "--format", "json")
    assert (status, json.loads(out)["losses"][0]["target"]) == (0, "mse")


def test_formats_into_files(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("mse", "--format", "json=r.json", "--format", "markdown=r.md")
    assert status == 0
    assert json.loads((tmp_path / "r.json").read_text())["summary"]["losses"] == 1
    assert "mse" in (tmp_path / "r.md").read_text()
    assert "mse" in out
    assert not out.startswith("{")


def test_quiet_says_nothing_of_what_passes(run: Run) -> None:
    status, out, _ = run("mse", "mae", "-q")
    assert status == 0
    assert out == ""


def test_options_reach_the_engine(run: Run, fake_engine: Any, tmp_path: Path) -> None:
    (tmp_path / "losscheck.toml").write_text(
        'dtypes = ["float64"]\nfail-on = "never"\nignore = { LC103 = "a", LC104 = "b" }'
    )
    run(
        *("mse", "--arg", "y_pred=probability:(B, D)", "--arg", "y_pred=[0, 2]"),
        *("--arg", "y_true=:(B, D)", "--select", "LC2,gradient-kink", "--select", "LC101"),
        *("--ignore", "LC103=c", "--dtype", "float16", "--mode", "graph", "--seed", "7"),
        *("--order", "2"),
        *("--budget", "7.5"),
    )
    (task,) = fake_engine.examined
    assert task.settings.arguments == {
        "y_pred": ArgumentSettings(domain="[0, 2]", shape="(B, D)"),
        "y_true": ArgumentSettings(shape="(B, D)"),
    }
    assert task.settings.select == ("LC2", "LC104", "LC101")
    assert task.settings.ignore == {"LC103": "c", "LC104": "b"}
    assert (task.settings.dtypes, task.settings.modes) == (("float16",), ("graph",))
    assert (task.settings.seed, task.settings.fail_on) == (7, "never")
    assert task.settings.order == 2
    assert task.settings.budget == 7.5


def test_targets_of_the_configuration(run: Run, fake_engine: Any, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.losscheck]\ntargets = ["mae", "mse", "mae"]')
    assert run()[0] == 0
    assert [task.target for task in fake_engine.examined] == ["mae", "mse"]


def test_modules_lie_beside_the_configuration(
    run: Run, fake_engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside_it.py").write_text("def loss(y_true, y_pred): return y_pred")
    (tmp_path / "losscheck.toml").write_text('targets = ["beside_it", "beside_it.py"]')
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert run()[0] == 0
    names = [task.target for task in fake_engine.examined]
    assert names == ["beside_it:loss", "../beside_it.py:loss"]


def test_an_argument_goes_to_the_losses_that_have_it(
    run: Run, fake_engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "weighing.py").write_text("def loss(y_true, y_pred, weight): return y_pred")
    assert run("weighing.py", "mse", "--arg", "weight=weight")[0] == 0
    with_weight, without = fake_engine.examined
    assert list(with_weight.settings.arguments) == ["weight"]
    assert dict(without.settings.arguments) == {}


def test_no_loss_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "tools.py").write_text("def helper(x, eps): return x")
    status, out, err = run("tools.py")
    assert (status, out) == (5, "")
    assert "no loss found in tools.py" in err
    assert "tools.py:helper: its arguments (x, eps)" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mse", "--formt", "json"), "--format"),
        (("mse", "--format", "jsn"), "Did you mean 'json'?"),
        (("mse", "--format", "json", "--format", "text"), "cannot both go to stdout"),
        (("mse", "--format", "json=no/such/r.json"), "no file in an existing folder"),
        (("mse", "--fail-on", "warn"), "Did you mean 'warning'?"),
        (("mse", "--dtype", "float23"), "Did you mean 'float32'?"),
        (("mse", "--mode", "grph"), "Did you mean 'graph'?"),
        (("mse", "--select", "LC999"), "no rule 'LC999'"),
        (("mse", "--ignore", "LC103"), "a reason is required"),
        (("mse", "--ignore", "LC999=why"), "no rule 'LC999'"),
        (("mse", "--arg", "y_pred"), "NAME=DOMAIN"),
        (("mse", "--arg", "y_pred=probabilty"), "probability"),
        (("mse", "--arg", "y_pred=real:B"), "(B, D)"),
        (("mse", "--arg", "y_perd=real"), "Did you mean 'y_pred'?"),
        (("mse", "--role", "y_pred"), "NAME=ROLE"),
        (("mse", "--role", "y_pred=label"), "expected one of y_true, y_pred, weight, input"),
        (("mse", "--role", "y_perd=y_pred"), "Did you mean 'y_pred'?"),
        (("mse", "--role", "a=y_pred", "--role", "b=y_pred"), "a and b are both given as y_pred"),
        (("mse", "--role", "a=input", "--role", "a=y_true"), "a is given as input, too"),
        (("mse", "--seed", "x"), "--seed"),
        (("mse", "--order", "3"), "--order"),
        (("mse", "--budget", "-1"), "--budget"),
        (("mse", "--config", "none.toml"), "none.toml"),
        ((), "no target"),
        (("rule",), "Did you mean 'rules', the command?"),
        (("explain", "LC20"), "Did you mean LC20"),
        (("explain",), "CODE"),
        (("render", "none.json"), "cannot read the report none.json"),
        (("report", "mse", "--out", "taken"), "taken"),
        (("report", "mse", "--out", "taken/below"), "cannot write the report to taken/below"),
        (("report", "mse", "--against", "none.json"), "cannot read the report none.json"),
        (("report", "mse", "--fail-on", "new"), "name it with --against OLD.json"),
        (("report", "mse", "--from", "none.json"), "leave mse away"),
        (("mse", "--fail-on", "new"), "--fail-on"),
        (("mse", "--no-isolation", "--timeout", "9"), "--timeout is for losses in processes of"),
        (("mse", "--no-isolation", "--jobs", "2"), "give it or --no-isolation"),
        (("mse", "--jobs", "0"), "--jobs"),
        (("mse", "--jobs", "many"), "--jobs"),
    ],
)
def test_wrong_usage(run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "taken").write_text("")
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert "internal" not in err


@pytest.mark.parametrize(
    ("targets", "wanted"),
    [
        (("mse",), False),
        (("mse", "mae"), True),
        (("own.py:loss",), False),
        (("own.py",), True),
        (("own",), True),
        (("pkg.losses",), True),
        (("pkg.losses:focal(gamma=2.0)",), False),
    ],
)
def test_a_place_alone_may_hold_several_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, targets: tuple[str, ...], wanted: bool
) -> None:
    (tmp_path / "own.py").write_text("")
    monkeypatch.chdir(tmp_path)
    assert several(targets) is wanted


@pytest.mark.parametrize(
    ("given", "apart"),
    [
        ({}, False),
        ({"jobs": 1}, False),
        ({"jobs": 2}, True),
        ({"timeout": 9.0}, True),
        ({"memory": 2.0}, True),
        ({"isolation": True}, True),
        ({"isolation": False, "jobs": 2}, False),
    ],
)
def test_limits_take_a_process_of_its_own(given: dict[str, Any], apart: bool) -> None:
    assert Settings(**given).isolated(several=False).apart is apart
    assert Settings(**given).isolated(several=True).apart is (given.get("isolation") is not False)


def test_tables_of_the_configuration_must_fit(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "fit.py").write_text("def loss(y_true, y_pred): return y_pred")
    for table, said in [
        ('losses."fit.py:los"', "Did you mean 'fit.py:loss'?"),
        ('losses."fit.py:loss".arguments', "Did you mean 'y_pred'?"),
    ]:
        (tmp_path / "losscheck.toml").write_text(
            f'targets = ["fit.py"]\n[{table}]\n' + ("y_perd = 'real'" if "arg" in table else "")
        )
        status, _, err = run()
        assert status == 2
        assert said in err


def test_a_table_for_no_loss_of_a_module_is_told_where_one_loss_alone_is_checked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "one_fits.py").write_text(
        "def loss(y_true, y_pred): return y_pred\ndef other(y_true, y_pred): return y_pred"
    )
    for table, said in [("los", "has no 'los'. Did you mean 'loss'?"), ("other", "")]:
        (tmp_path / "losscheck.toml").write_text(
            f'[losses."one_fits.py:{table}".ignore]\nLC104 = "x"\n'
        )
        status, _, err = run("one_fits.py:loss")
        assert (status == 2) is bool(said)
        assert said in err


def test_a_fault_of_ours(run: Run, fake_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(fake_engine, "examine", broken)
    status, out, err = run("mse")
    assert (status, out) == (3, "")
    assert "ZeroDivisionError: planted" in err
    assert "fault of losscheck" in err
    assert "Traceback" not in err
    status, _, err = run("mse", "-v")
    assert status == 3
    assert "Traceback" in err


def test_render_shows_a_report_again(run: Run, tmp_path: Path) -> None:
    run("mse", "--format", "json=r.json")
    status, out, _ = run("render", "r.json", "--format", "markdown")
    assert status == 0
    assert "mse" in out
    (tmp_path / "bad.json").write_text("{")
    assert run("render", "bad.json")[0] == 2


def test_report_writes_its_files(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("report", "mse", "--out", "here")
    assert status == 0
    files = sorted(Path(line) for line in out.splitlines())
    assert files == sorted((tmp_path / "here").relative_to(tmp_path).glob("*"))
    assert {file.suffix for file in files} == {".html", ".json", ".md"}


def test_report_tries_its_folder_before_the_work(run: Run, fake_engine: Any) -> None:
    assert run("report", "mse", "--out", "taken/below")[0] == 0
    Path("file").write_text("")
    fake_engine.examined.clear()
    status, _, err = run("report", "mse", "--out", "file/below")
    assert (status, fake_engine.examined) == (2, [])
    assert "name another folder with --out" in err
    assert not [name for name in Path("taken/below").iterdir() if name.name.startswith(".")]


def test_report_of_a_report_runs_nothing(run: Run, fake_engine: Any, finding: Any) -> None:
    fake_engine.reports["mse"] = {"verdict": "fail", "findings": (finding(),)}
    assert run("report", "mse", "--out", "one")[0] == 1
    fake_engine.examined.clear()
    status, out, _ = run("report", "--from", "one/stability.json", "--out", "two")
    assert (status, fake_engine.examined) == (1, [])
    assert len(out.splitlines()) == 3
    for name in ("stability.html", "stability.json", "stability.md"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


def test_report_fails_on_what_is_new(run: Run, fake_engine: Any, finding: Any) -> None:
    fake_engine.reports["mse"] = {"verdict": "fail", "findings": (finding(),)}
    run("report", "mse", "--out", "old")
    new = ("report", "mse", "--out", "new", "--against", "old/stability.json", "--fail-on", "new")
    status, out, _ = run(*new)
    assert (status, out.splitlines()[-1]) == (0, "1 unchanged")
    two = (finding(), finding("LC201"))
    fake_engine.reports["mse"] = {"verdict": "fail", "findings": two}
    status, out, _ = run(*new)
    assert (status, out.splitlines()[-1]) == (1, "1 new, 1 unchanged")
    assert "<h2>Changes</h2>" in Path("new/stability.html").read_text()
    assert run(*new[:-2])[0] == 1  # as ever, the old error counts


def test_rules_lists_every_rule(run: Run) -> None:
    from losscheck.rules import BUILT_IN

    status, out, _ = run("rules")
    assert status == 0
    listed = [line.split()[:2] for line in out.splitlines() if line.startswith("LC")]
    assert listed == [[rule.code, rule.slug] for rule in BUILT_IN]


@pytest.mark.parametrize("name", ["LC203", "lc203", "gradient-nan"])
def test_explain(run: Run, name: str) -> None:
    status, out, _ = run("explain", name)
    assert status == 0
    assert out.startswith("LC203 gradient-nan\n\n")
    for section in ("What it does", "Why it matters", "Example", "Use instead", "References"):
        assert f"\n{section}\n" in out
    assert "---" not in out


def test_help_names_the_commands(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for word in ("check", "report", "rules", "explain", "render", "losscheck my_module:my_loss"):
        assert word in out


def test_a_reader_that_leaves_is_no_fault(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "losscheck", "rules"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0


FILES = {
    "fine.py": "def loss(y_true, y_pred): return y_pred",
    "broken.py": "import os\n\ndef loss(y_true, y_pred)\n    return y_pred",
    "raising.py": "raise RuntimeError('no GPU here')",
    "needing.py": "import no_such_library",
    "leaving.py": "import sys\nsys.exit(3)",
    "key.toml": 'dtype = ["float32"]',
    "rule.toml": 'ignore = { LC199 = "why" }',
    "reason.toml": 'ignore = { LC103 = "" }',
    "shape.toml": '[losses."fine:loss".arguments]\ny_pred = { shape = "(B, 0)" }',
    "domain.toml": '[losses."fine:loss".arguments]\ny_pred = "probabilty"',
    "open.toml": 'targets = ["fine"',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what can be wrong in modules and configurations."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.partition(".")[0], None)


MISTAKES = [
    (("fien:loss",), "there is no module 'fien'", "Did you mean 'fine'?"),
    (("fien.py",), "there is no file 'fien.py'", ""),
    (("fine:los",), "fine has no 'los'", "Did you mean 'loss'?"),
    (("fine:loss(gamma=2)",), "fine:loss(gamma=2)", "(y_true, y_pred)"),
    (("fine:loss(",), "'('", "module:factory(gamma=2.0)"),
    (("broken:loss",), "SyntaxError", "broken.py:3: def loss(y_true, y_pred)"),
    (("raising.py",), "RuntimeError: no GPU here", "raising.py:1"),
    (("needing:loss",), "No module named 'no_such_library'", "needing.py:1"),
    (("leaving:loss",), "SystemExit: 3", "leaving.py:2"),
    (("fine:loss", "--selct", "LC2"), "No such option '--selct'", "--select"),
    (("fine:loss", "--select", "LC9999"), "--select", "no rule 'LC9999'"),
    (("fine:loss", "--ignore", "LC103="), "--ignore LC103=", "a reason is required"),
    (("fine:loss", "--arg", "y_pred=real:(B, 0)"), "--arg y_pred=real:(B, 0)", "at least 1"),
    (("fine:loss", "--arg", "y_pred=[2, 1]"), "--arg y_pred=[2, 1]", "empty"),
    (("fine:loss", "--arg", "y_pred=[real, simplex]"), "--arg", "for a column"),
    (("fine:loss", "--arg", "y_pred=probabilty"), "--arg", "Did you mean probability?"),
    (("fine:loss", "--config", "key.toml"), "key.toml: unknown key 'dtype'", "'dtypes'?"),
    (("fine:loss", "--config", "rule.toml"), "rule.toml: ignore", "no rule 'LC199'"),
    (("fine:loss", "--config", "reason.toml"), "ignore.LC103", "a reason is required"),
    (("fine:loss", "--config", "shape.toml"), 'losses."fine:loss".arguments.y_pred', "at least 1"),
    (("fine:loss", "--config", "domain.toml"), "y_pred: 'probabilty'", "Did you mean probability?"),
    (("fine:loss", "--config", "open.toml"), "open.toml is not valid TOML", ""),
]


@pytest.mark.parametrize(("arguments", "said", "help_"), MISTAKES)
def test_a_mistake_gets_one_clear_message(
    folder: Path, run: Run, fake_engine: Any, arguments: tuple[str, ...], said: str, help_: str
) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    message = err.strip().splitlines()[-1]
    assert said in message
    assert help_ in message
    assert "Traceback" not in err
    assert fake_engine.examined == []


@pytest.mark.parametrize("number", [0, 5, 6, 9, 15])
def test_a_mistake_in_a_shell(folder: Path, number: int) -> None:
    arguments, said, help_ = MISTAKES[number]
    ended = shell(folder, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert help_ in ended.stderr
    assert "Traceback" not in ended.stderr


def test_each_loss_is_printed_before_the_next_is_examined(
    run: Run, fake_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    from losscheck.cli import commands

    told = commands.text_of_loss
    monkeypatch.setattr(
        commands,
        "text_of_loss",
        lambda loss, view: (
            written.append(f"{loss.target} {len(fake_engine.examined)}") or told(loss, view=view)
        ),
    )
    _, out, _ = run("mse", "mae")
    assert written == ["mse 1", "mae 2"]
    assert out.index("mse") < out.index("mae") < out.index("2 losses:  2 pass")


def test_quiet_prints_the_concise_lines_of_errors(run: Run, fake_engine: Any, finding: Any) -> None:
    findings = (finding(), finding(severity="warning"))
    fake_engine.reports["mse"] = {"verdict": "fail", "findings": findings}
    status, out, _ = run("mse", "mae", "-q")
    assert status == 1
    (line,) = out.splitlines()
    assert " error " in line


def test_shards_are_parts_of_a_run(run: Run, fake_engine: Any, tmp_path: Path) -> None:
    targets = ("mse", "mae", "huber", "cosine_similarity")
    found = []
    for part in ("1/3", "2/3", "3/3"):
        name = f"{part[0]}.json"
        status, _, err = run(*targets, "--shard", part, "--format", f"json={name}")
        assert status == 0
        assert f"shard {part}: " in err
        found.append(json.loads((tmp_path / name).read_text(encoding="utf-8")))
    assert [[loss["target"] for loss in each["losses"]] for each in found] == [
        ["mse", "cosine_similarity"],
        ["mae"],
        ["huber"],
    ]
    run(*targets, "--format", "json=whole.json")
    assert run("merge", "3.json", "1.json", "2.json", "--format", "json=merged.json")[0] == 0
    whole, merged = (
        json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("whole", "merged")
    )
    assert {**merged, "seconds": 0} == {**whole, "seconds": 0}
    # More parts than losses: some have nothing to do.
    status, out, err = run("mse", "--shard", "2/2", "--format", "json")
    assert status == 0
    assert json.loads(out)["losses"] == []
    assert "shard 2/2: 0 of 1 loss" in err


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"])
def test_a_shard_that_is_none(run: Run, shard: str) -> None:
    status, _, err = run("mse", f"--shard={shard}")
    assert status == 2
    assert "--shard: expected a part such as 1/3" in err
