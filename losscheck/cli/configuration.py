"""`losscheck config`: what is in force, and where each setting comes from."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.cli import outputs
from losscheck.cli.options import settings
from losscheck.report.verdicts import Exit
from losscheck.report.words import clean
from losscheck.settings.file import find
from losscheck.settings.origins import CONFIGURATION, DEFAULT, Keys, Origins, Setting

FORMATS = ("text", "json")
GAP = 2  # columns between what stands side by side


def config(targets: Sequence[str], formats: Sequence[str], options: dict[str, Any]) -> int:
    """Print the settings that a check with these options would have."""
    wanted = outputs.parse(formats, FORMATS)
    directory = Path.cwd()
    held = settings(directory, options)
    if targets:
        held = attrs.evolve(held, targets=tuple(targets))
    found = find(directory.resolve(), options["config"])
    file = _shown(found.file) if found else ""
    given = {name for name, value in {**options, "targets": targets}.items() if _is_given(value)}
    listed = list(Origins(held, given, found).settings())
    write = {"text": _text, "json": _json}
    outputs.write_with(lambda name, _: write[name](listed, file), wanted, 0)
    return Exit.CLEAN


def _is_given(value: Any) -> bool:
    return value is not None and value is not False and value != ()


def _json(listed: Sequence[Setting], file: str) -> str:
    tree = {
        "file": file or None,
        "settings": [
            {
                "key": _key(setting.keys),
                "value": setting.value,
                "origin": setting.origin,
                "file": file if setting.origin == CONFIGURATION else None,
                "line": setting.line,
            }
            for setting in listed
        ],
    }
    return json.dumps(tree, ensure_ascii=False, indent=1, default=str) + "\n"


def _text(listed: Sequence[Setting], file: str) -> str:
    """A block for what holds for all losses, and one for each loss with a table of its own."""
    lines = [file or "no configuration file"]
    for loss, group in itertools.groupby(listed, key=_loss):
        rows = [(_key(s.keys[2 if loss else 0 :]), _value(s), _origin(s, file)) for s in group]
        keys, values = (max(len(row[i]) for row in rows) + GAP for i in (0, 1))
        lines += ["", *([_key(("losses", loss))] if loss else [])]
        lines += [f"  {key:{keys}}{value:{values}}{origin}" for key, value, origin in rows]
    return clean("\n".join(lines) + "\n")


def _loss(setting: Setting) -> str:
    return setting.keys[1] if setting.keys[0] == "losses" else ""


def _key(keys: Keys) -> str:
    bare = re.compile(r"[A-Za-z0-9_-]+")  # what TOML takes without quotes
    return ".".join(key if bare.fullmatch(key) else _toml(key) for key in keys)


def _value(setting: Setting) -> str:
    """Write a value on a line, as TOML would; what nobody has set as a dash."""
    unset = setting.origin == DEFAULT and setting.value in (None, "", ())
    return "-" if unset else _toml(setting.value)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _origin(setting: Setting, file: str) -> str:
    return f"{file}:{setting.line}" if setting.origin == CONFIGURATION else setting.origin


def _shown(file: Path) -> str:
    return Path(os.path.relpath(file)).as_posix()
