"""Pages that are made when the site is built: rules, command line, configuration, JSON report.

They say what the code says, so nothing of them is committed. No TensorFlow is imported: what is
printed of the examples of rules is kept in a file.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import losscheck
from losscheck.cli import command
from losscheck.rules import rules
from losscheck.rules.base import Rule

ROOT = Path(__file__).parents[1]
PACKAGE = Path(losscheck.__file__).parent
EXAMPLES = Path(__file__).parent / "rule-examples.json"  # made by `make rule-examples`
FAMILIES = {
    "LC1": "The gradient",
    "LC2": "NaN and Inf",
    "LC3": "Lost digits",
    "LC4": "Shapes and batches",
    "LC5": "Modes and dtypes",
    "LC6": "Under Keras",
    "LC9": "The run itself",
}
# Files that a repository has at its root; their links are those of this folder here.
PROJECT = ("CONTRIBUTING", "ARCHITECTURE", "SECURITY", "CHANGELOG")
Schema = dict[str, Any]


def write(folder: Path) -> None:
    """Write all of them into folders of their own below the sources of the site."""
    texts = {f"rules/{rule.code}.md": rule_page(rule) for rule in rules()}
    texts["rules/index.md"] = rules_page()
    texts["reference/command-line.md"] = command_page()
    texts["reference/configuration.md"] = configuration_page()
    texts["reference/json.md"] = report_page()
    texts |= {f"project/{name.lower()}.md": project_page(name) for name in PROJECT}
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:  # else it is built anew
            file.write_text(text, encoding="utf-8")


def rules_page() -> str:
    """List the rules by family."""
    lines = [
        "# Rules\n",
        "A page for each, with what `losscheck explain` prints: what it looks for, why",
        "that matters, an example, what to write instead. Codes are never used again.",
        "[How severe a finding is](../explanation/verdict.md) does not depend on the code alone.\n",
    ]
    for family, title in FAMILIES.items():
        lines += [f"\n## {title}\n", "| code | name | finds |", "|---|---|---|"]
        lines += [
            f"| [{rule.code}]({rule.code}.md) | {rule.slug} | {escaped(summary(rule))} |"
            for rule in rules()
            if rule.code.startswith(family)
        ]
    names = "\n".join(rule.code for rule in rules())
    return "\n".join(lines) + f"\n\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def rule_page(rule: Rule) -> str:
    """Write what a rule says of itself, with links to the others that it names."""
    body = re.sub(r"^(\S.*)\n-{3,}$", r"## \1", docstring(rule), flags=re.MULTILINE)
    text = "\n".join(prose(body))
    linked = re.sub(
        r"\bLC\d{3}\b",
        lambda code: f"[{code[0]}]({code[0]}.md)" if code[0] != rule.code else code[0],
        text,
    )
    if example := json.loads(EXAMPLES.read_text(encoding="utf-8")).get(rule.code):
        how = " and `--format concise`" if example["concise"] else ""
        said = f"`losscheck` with `--select {rule.code}`{how} prints:\n\n"
        said += f"```text\n{example['printed'].rstrip()}\n```"
        linked = linked.replace("## Use instead", f"{said}\n\n## Use instead")
    return f"# {rule.code} {rule.slug}\n\n{linked}\n"


def prose(text: str) -> Iterator[str]:
    """Mark what is indented as Python, and escape what Markdown would read as marks."""
    for block in re.split(r"\n{2,}(?!    )", text):
        first, _, code = block.partition("\n\n    ")
        yield first if first.startswith("## ") else "\n".join(map(escaped, first.splitlines()))
        if code:
            yield f"\n```python\n{textwrap.dedent('    ' + code)}\n```"
        yield ""


def escaped(text: str) -> str:
    """Escape the marks of Markdown outside of code; a list keeps its hyphens."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\*_<>\[\]|])", r"\\\1", part)
        for part in parts
    )


def docstring(rule: Rule) -> str:
    """Give the docstring of a rule, without its indentation."""
    return inspect.getdoc(type(rule)) or ""


def summary(rule: Rule) -> str:
    """Give the first paragraph of a rule's docstring."""
    return docstring(rule).partition("\n\n")[0].replace("\n", " ")


def command_page() -> str:
    """Write down every command with its arguments and options."""
    context = click.Context(command, info_name="losscheck")
    check = command.commands["check"]
    lines = [
        "# Command line\n",
        "`losscheck TARGET ...` is short for `losscheck check TARGET ...`.",
        "What a target may be stands in [What it takes](../how-to/targets.md).\n",
        "| exit status | means |",
        "|---|---|",
        "| 0 | nothing to complain of |",
        "| 1 | findings at or above `--fail-on` |",
        "| 2 | wrong usage, configuration or target |",
        "| 3 | a fault of losscheck itself |",
        "| 5 | no loss found |",
        "",
    ]
    shared: set[tuple[str, str]] = set()
    for name, each in sorted(commands(command, context), key=lambda named: named[1] is not check):
        lines += [f"## `{name}`\n", f"```text\n{usage(each, name)}\n```\n", help_of(each), ""]
        records = [record for option in each.params if (record := option.get_help_record(context))]
        records = [record for record in records if record[1]]
        also = [f"`{record[0].split()[0].rstrip(',')}`" for record in records if record in shared]
        lines += [
            f"`{names}`\n: {escaped(text)}\n"
            for names, text in records
            if (names, text) not in shared
        ]
        if each is check:
            shared = set(records)
        elif also:
            lines.append(f"Also, as `losscheck check` has them: {', '.join(also)}.\n")
    return "\n".join(lines) + "\n"


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Give the commands of a group, and those of the groups in it, by what is typed."""
    for name in group.list_commands(context):
        each = group.get_command(context, name)
        assert each is not None
        inner = click.Context(each, info_name=name, parent=context)
        if isinstance(each, click.Group):
            yield from commands(each, inner)
        else:
            yield inner.command_path, each


def usage(each: click.Command, name: str) -> str:
    """Give the line that says how a command is called."""
    return f"{name} {' '.join(each.collect_usage_pieces(click.Context(each)))}"


def help_of(each: click.Command) -> str:
    """Give the help of a command as paragraphs."""
    text = inspect.cleandoc(each.help or "").replace("\b", "")
    return "\n".join(map(escaped, text.splitlines()))


def configuration_page() -> str:
    """Write down every key of the configuration, from its schema."""
    schema = json.loads((PACKAGE / "settings/schema.json").read_text(encoding="utf-8"))
    rows = list(keys(schema, schema["properties"], ""))
    return (
        "# Configuration\n\n"
        "The table `[tool.losscheck]` of `pyproject.toml`, or all of `losscheck.toml` without that"
        " prefix. The command line goes before it, and it goes before `@losscheck.spec`. `losscheck"
        " config` prints what is in force, and the line that it comes from.\n\n## Keys\n\n"
        + "\n\n".join(rows)
        + "\n\n## Example\n\n```toml\n[tool.losscheck]\n"
        'targets = ["my_pkg.losses"]\ndtypes = ["float32", "float16"]\nfail-on = "error"\n'
        'ignore = { LC103 = "clipping is deliberate" }\n\n'
        '[tool.losscheck.losses."my_pkg.losses:focal".arguments]\n'
        'y_pred = { domain = "probability", shape = "(B, D)" }\ngamma = { value = 2.0 }\n```\n'
    )


def keys(schema: Schema, properties: Schema, prefix: str) -> Iterator[str]:
    """Say each key, and those of the tables in it."""
    for name, given in properties.items():
        each = {**resolved(schema, given), **given}
        default = f"; default `{json.dumps(each['default'])}`" if "default" in each else ""
        taken = kind(schema, each).replace("object", "table").replace("array", "list")
        said = escaped(each.get("description", ""))
        yield f"`{prefix}{name}`\n: {said} *{taken[0].upper()}{taken[1:]}{default}.*"
        inner = resolved(schema, each.get("additionalProperties"))
        for option in (inner, *inner.get("anyOf", ())):
            below = f"{prefix}{name}.{'NAME' if name == 'arguments' else 'TARGET'}."
            yield from keys(schema, option.get("properties", {}), below)


def report_page() -> str:
    """Write down the fields of the JSON report, from its schema."""
    schema = json.loads((PACKAGE / "report/schema.json").read_text(encoding="utf-8"))
    parts = {"report": schema} | schema["$defs"]
    lines = [
        "# JSON report\n",
        "`--format json=report.json` writes it: strict JSON, in which numbers that are not finite",
        'are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. Schema 1: fields are added,',
        "never renamed or removed. The schema itself is `losscheck/report/schema.json`.\n",
    ]
    for name, part in parts.items():
        lines += [f"## {name}\n", escaped(part.get("description", "")), ""]
        if properties := part.get("properties"):
            lines += ["| field | is | says |", "|---|---|---|"]
            needed = part.get("required", ())
            for field, given in properties.items():
                optional = "" if field in needed else ", may be absent"
                said = escaped({**resolved(schema, given), **given}.get("description", ""))
                lines.append(f"| `{field}` | {kind(schema, given)}{optional} | {said} |")
        lines.append("")
    return "\n".join(lines)


def kind(schema: Schema, given: Schema) -> str:
    """Say in words what a schema takes."""
    if reference := given.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name})" if "$defs" in schema else kind(schema, resolved(schema, given))
    if "const" in given:
        return f"`{json.dumps(given['const'])}`"
    if "enum" in given:
        return " or ".join(f"`{json.dumps(each)}`" for each in given["enum"])
    options = given.get("anyOf") or given.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(kind(schema, each) for each in options))
    if given.get("type") == "array" and isinstance(given.get("items"), dict):
        return f"array of {kind(schema, given['items'])}"
    named = given.get("type", "anything")
    return " or ".join(named) if isinstance(named, list) else str(named)


def resolved(schema: Schema, given: Schema | bool | None) -> Schema:
    """Follow a reference inside a schema."""
    if not isinstance(given, dict):
        return {}
    found = schema
    for part in given.get("$ref", "#").split("/")[1:]:
        found = found[part]
    return found if "$ref" in given else given


def project_page(name: str) -> str:
    """Copy a file of the project's root, with its links as they are from here."""
    text = (ROOT / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](../", text)
    return re.sub(r"\]\(([A-Z]+)\.md", lambda link: f"]({link[1].lower()}.md", text)
