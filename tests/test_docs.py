"""What README and docs show: commands that exist, settings that hold, code that parses."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import click
import jsonschema
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

import losscheck
from losscheck.cli import command
from losscheck.rules import BUILT_IN, rules
from tests.rules.test_registry import code_of, sections

ROOT = Path(__file__).parents[1]
# What is written when the site is built.
MADE = {"rules", "project", "_build", "command-line.md", "configuration.md", "json.md"}
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "ARCHITECTURE")),
    *(page for page in sorted(ROOT.glob("docs/**/*.md")) if not MADE & set(page.parts)),
    *sorted(ROOT.glob("examples/*/README.md")),
]
OUTPUT = {r"\d+\.\d s": "S s", r"[\d,]+ cases": "N cases", r" {2,}(?=\S)": "  "}  # as runs differ


def tokens(page: Path) -> Iterator[Token]:
    """Give what a page consists of, what stands inside of paragraphs included."""
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """Give page and text of each block in one of the languages."""
    for page in PAGES:
        for token in tokens(page):
            if token.type == "fence" and token.info.strip() in languages:
                yield f"{page.relative_to(ROOT)}:{(token.map or [0])[0] + 1}", token.content


def commands() -> Iterator[tuple[str, str]]:
    """Give page and text of each command of losscheck, in blocks and in sentences."""
    for page in PAGES:
        if page.name == "design.md":  # shows what stands for what, in brackets
            continue
        for token in tokens(page):
            if token.type == "fence" and token.info.strip() in ("", "console", "bash"):
                lines = token.content.splitlines()
            else:
                lines = [token.content] if token.type == "code_inline" else []
            for line in lines:
                line = re.split(r" {3,}| # ", line.removeprefix("$ "))[0].strip()
                if line.startswith("losscheck "):
                    shown = f"`{line}`" if token.type == "code_inline" else line
                    yield f"{page.relative_to(ROOT)}: {shown}", line


def parsed(line: str) -> None:
    """Parse a command as the command line does, and run nothing."""
    arguments = shlex.split(line.replace("[ID]", ""))[1:]
    named: click.Command = command
    while isinstance(named, click.Group) and arguments and arguments[0] in named.commands:
        named = named.commands[arguments.pop(0)]
    if named is command and "--version" not in arguments:
        named = command.commands["check"]
    named.make_parser(click.Context(named)).parse_args(arguments)


@pytest.mark.parametrize(("where", "line"), [*commands()], ids=lambda each: str(each)[:60])
def test_commands_exist_with_their_options(where: str, line: str) -> None:
    try:
        parsed(line)
    except click.BadOptionUsage as error:
        if isinstance(error, click.NoSuchOption) or "`" not in where:
            pytest.fail(f"{where}: {error.format_message()}")


def test_settings_that_are_shown_hold() -> None:
    schema = json.loads((ROOT / "losscheck/settings/schema.json").read_text(encoding="utf-8"))
    shown = 0
    for where, text in blocks("toml"):
        table = tomllib.loads(text).get("tool", {}).get("losscheck")
        if table is not None:
            shown += 1
            jsonschema.validate(table, schema), where
    assert shown


def test_code_that_is_shown_parses() -> None:
    for where, text in blocks("python"):
        try:
            ast.parse(textwrap.dedent(text))
        except SyntaxError as error:
            pytest.fail(f"{where}: {error}")


def test_workflows_and_forms_parse() -> None:
    shown = [text for _, text in blocks("yaml")]
    for text in [*shown, *(file.read_text() for file in ROOT.glob(".github/**/*.yml"))]:
        assert isinstance(yaml.safe_load(text), dict)


def test_targets_of_make_exist() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
        assert set(named) <= made, page


def test_links_of_the_readme_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_each_page_of_the_site_can_be_reached() -> None:
    listed = (ROOT / "docs/index.md").read_text(encoding="utf-8").splitlines()
    names = [
        page.relative_to(ROOT / "docs").with_suffix("")
        for page in PAGES
        if page.is_relative_to(ROOT / "docs")
    ]
    assert [name for name in names if name.as_posix() not in [*listed, "index"]] == []


def test_codes_that_are_named_exist() -> None:
    known = {rule.code for rule in rules()}
    for page in PAGES:
        if "CHANGELOG" not in page.name:
            named = set(re.findall(r"\bLC\d{3}\b", page.read_text(encoding="utf-8")))
            assert named <= known, page


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs/pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_rule_has_a_page_that_says_what_the_rule_says(
    pages: ModuleType, tmp_path: Path
) -> None:
    pages.write(tmp_path)
    for rule in rules():
        page = tmp_path / f"rules/{rule.code}.md"
        text = page.read_text(encoding="utf-8")
        for title in ("What it does", "Why it matters", "Example", "Use instead", "References"):
            assert (f"\n## {title}\n" in text) == (f"\n{title}\n-" in pages.docstring(rule)), title
        for token in tokens(page):
            if token.type == "fence" and token.info == "python":
                ast.parse(token.content)
        assert f"({rule.code}.md)" in (tmp_path / "rules/index.md").read_text(encoding="utf-8")


def test_what_is_printed_of_the_examples_of_rules_is_of_those_of_today(pages: ModuleType) -> None:
    kept = json.loads(pages.EXAMPLES.read_text(encoding="utf-8"))
    # What the page says of an example that ends its process is said in words.
    assert kept.keys() == {rule.code for rule in BUILT_IN} - {"LC902", "LC903"}
    for rule in BUILT_IN:
        if rule.code in kept:
            assert kept[rule.code]["example"] == code_of(sections(rule)["Example"]), (
                "make rule-examples"
            )
            assert rule.slug in kept[rule.code]["printed"]
            assert kept[rule.code]["printed"].rstrip() in pages.rule_page(rule)


def test_reference_pages_hold_every_option_key_and_field(pages: ModuleType) -> None:
    text = pages.command_page()
    for _, each in pages.commands(command, click.Context(command, info_name="losscheck")):
        for option in each.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[-1] in text
    settings = json.loads((ROOT / "losscheck/settings/schema.json").read_text(encoding="utf-8"))
    text = pages.configuration_page()
    assert all(f"\n`{key}`\n: " in text for key in settings["properties"])
    assert "\n`losses.TARGET.arguments.NAME.domain`\n: " in text
    text = pages.report_page()
    assert "| `verdict` |" in text
    assert "## diagnosis" in text


EXAMPLES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for file in sorted((ROOT / "losscheck").rglob("*.py"))
    if ">>>" in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_docstrings_give_what_they_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    names = {"losscheck": losscheck}
    ended = doctest.testmod(importlib.import_module(name), extraglobs=names, optionflags=flags)
    assert ended.failed == 0


def test_the_tutorial_shows_files_that_parse() -> None:
    assert set(files(ROOT / "docs/tutorial.md")) == {"losses.py", "train.py"}


def files(page: Path) -> dict[str, str]:
    """Give the files that a page shows, each behind a comment with its name."""
    found, name = {}, ""
    for token in tokens(page):
        if token.type == "html_block":
            name = re.sub(r"<!-- file: (\S+) -->\s*", r"\1", token.content)
        elif token.type == "fence" and name:
            found[name], name = token.content, ""
    return found


def sessions(page: Path) -> Iterator[tuple[str, str]]:
    """Give each command that a page shows with what it prints."""
    for token in tokens(page):
        if token.type == "fence" and token.info.strip() == "console":
            first, _, rest = token.content.partition("\n")
            yield first.removeprefix("$ "), rest


def alike(text: str) -> str:
    """Leave out what differs from run to run, and the width of the page."""
    for pattern, instead in OUTPUT.items():
        text = re.sub(pattern, instead, text)
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_what_is_shown_is_what_is_printed(name: str, tmp_path: Path) -> None:
    for file, text in files(ROOT / name).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    shown = [*sessions(ROOT / name)]
    assert shown
    for line, output in shown:
        arguments = shlex.split(line)
        module = ["-m", "losscheck"] if arguments[0] == "losscheck" else []
        ended = subprocess.run(
            [sys.executable, *module, *arguments[1:]],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "COLUMNS": "88", "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert alike(ended.stdout) == alike(output), f"{line}\n{ended.stderr}"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_without_tensorflow(tmp_path: Path) -> None:
    build = (
        "import sys; sys.modules.update(tensorflow=None, keras=None);"
        "from sphinx.cmd.build import main; sys.exit(main(sys.argv[1:]))"
    )
    options = ["-q", "-W", "--keep-going", "-d", str(tmp_path / "trees")]
    ended = subprocess.run(
        [sys.executable, "-c", build, *options, str(ROOT / "docs"), str(tmp_path / "html")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "html/rules/LC203.html").exists()
    assert [*broken(tmp_path / "html")] == []


class Links(HTMLParser):
    """The links of a page, and the places in it that a link may lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.places.add(value)


def broken(site: Path) -> Iterator[str]:
    """Name the links of a site that lead nowhere in it; those to other sites are not followed."""
    pages = {page: Links(page) for page in site.rglob("*.html") if "_static" not in page.parts}
    for page, found in pages.items():
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            there = pages.get(target)
            if not target.exists() or (
                parts.fragment and there is not None and unquote(parts.fragment) not in there.places
            ):
                yield f"{page.relative_to(site)}: {link}"


@pytest.mark.slow
def test_what_was_found_in_packages_is_still_so(tmp_path: Path) -> None:
    fences = [token for token in tokens(ROOT / "docs/trophies.md") if token.type == "fence"]
    code = "\n".join(token.content for token in fences if token.info == "python")
    expected = "".join(token.content for token in fences if token.info == "text")
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.stdout == expected, ended.stderr
