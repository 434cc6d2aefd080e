"""What may import what: TensorFlow costs seconds, and only the adapter may know it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import losscheck

PACKAGE = Path(losscheck.__file__).parent
ADAPTER = PACKAGE / "program"
FRAMEWORKS = {"tensorflow", "keras", "tf_keras"}
SLOW = FRAMEWORKS | {"scipy", "hypothesis", "matplotlib", "mpmath", "numpy", "rich", "attrs"}


def loaded(code: str) -> set[str]:
    """Run code in an interpreter of its own; the top-level modules that it loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('|', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in ended.stdout.rpartition("|")[2].split()}


def command(*arguments: str) -> str:
    return f"from losscheck import cli\nassert cli.run({list(arguments)!r}) == 0"


@pytest.mark.parametrize(
    "code",
    [
        "import losscheck\nlosscheck.spec",
        "import losscheck.pytest_plugin",
        command("--help"),
        command("check", "--help"),
        command("--version"),
    ],
)
def test_what_must_be_quick_imports_nothing_slow(code: str) -> None:
    assert loaded(code) & SLOW == set()


@pytest.mark.parametrize(
    "code",
    [
        command("rules"),
        command("explain", "LC203"),
        "import losscheck.cli.commands",
        "import losscheck.targets",
        "import losscheck.api",
        "import losscheck.pytest_plugin.items",
        "import losscheck\nlosscheck.domains",
    ],
)
def test_tensorflow_is_imported_only_to_run_losses(code: str) -> None:
    assert loaded(code) & FRAMEWORKS == set()


def test_render_does_not_import_tensorflow(tmp_path: Path, fake_engine: object) -> None:
    from losscheck.report.json import to_json

    done = list(fake_engine.run([], losscheck_settings()))[-1]  # type: ignore[attr-defined]
    (tmp_path / "r.json").write_text(to_json(done.report))
    for form in ("text", "markdown", "html", "concise"):
        code = command("render", str(tmp_path / "r.json"), "--format", form)
        assert loaded(code) & FRAMEWORKS == set()
    stored, out = str(tmp_path / "r.json"), str(tmp_path / "out")
    code = command("report", "--from", stored, "--against", stored, "--out", out)
    assert loaded(code) & FRAMEWORKS == set()


def losscheck_settings() -> object:
    from losscheck.settings.settings import Settings

    return Settings()


def imported(file: Path) -> set[str]:
    """The top-level modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_only_the_adapter_imports_tensorflow() -> None:
    guilty = [
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if ADAPTER not in file.parents and imported(file) & FRAMEWORKS
    ]
    assert guilty == []
    adapter = [file for file in ADAPTER.rglob("*.py") if imported(file) & FRAMEWORKS]
    assert adapter  # the scan does see imports of TensorFlow


def test_the_public_names() -> None:
    assert set(losscheck.__all__) <= set(dir(losscheck))
    for name in losscheck.__all__:
        assert getattr(losscheck, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        losscheck.chekc  # noqa: B018


def test_rules_are_named_by_their_codes_only_where_they_stand() -> None:
    named = {
        f"{file.relative_to(PACKAGE).as_posix()}:{node.lineno}": node.value
        for file in PACKAGE.rglob("*.py")
        if PACKAGE / "rules" not in file.parents
        for node in texts(ast.parse(file.read_text(encoding="utf-8")))
        if re.search(r"\bLC\d", node.value)
    }
    assert named == {}


def texts(tree: ast.AST) -> list[ast.Constant]:
    """The texts in some code that are no docstrings."""
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents
    ]
