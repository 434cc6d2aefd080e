"""The JSON Schema of the configuration: it takes what is read, and refuses what is not."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from validate_pyproject.api import Validator
from validate_pyproject.error_reporting import ValidationError
from validate_pyproject.plugins import PluginWrapper

from losscheck.model import UsageError
from losscheck.settings import file
from losscheck.settings.schema import tool_schema
from losscheck.settings.settings import (
    DTYPES,
    FAIL_ON,
    ORDERS,
    ROLES,
    SEVERITIES,
    ArgumentSettings,
    Settings,
    argument,
)

PROJECT = Path(__file__).parents[2]
SOUND = [
    "",
    'targets = ["m", "a/losses.py:f(x=1)"]\nexclude = ["m:old_*"]\nfail-on = "never"',
    'dtypes = ["float32", "bfloat16"]\norder = 2\nbudget = 1.5\nbaseline = "known.json"',
    'jobs = "auto"\ntimeout = 0\nmemory = 0.5\nisolation = false',
    "jobs = 3\ntimeout = 12.5\nmemory = 4\nisolation = true",
    'budget = 0\nignore = { LC103 = "why", gradient-kink = "why" }\nseverity = { LC1 = "note" }',
    '[losses."m:f"]',
    '[losses."m:f"]\nignore = { LC103 = "why" }\ndata = "batch.npz"\narguments.y = "real"',
    '[losses."m:f"]\ndata = "m:batches"\narguments.y = ["real", "positive"]',
    '[losses."m:f".arguments]\ny = ["real", "(B, D)"]\nx = [["real", "positive"], "(B, 2)"]',
    '[losses."m:f".arguments]\ny = { domain = "real", shape = "(B,)", role = "y_true" }',
    '[losses."m:f".arguments]\ny = { domain = ["real", "positive"] }\ng = { value = [1, "a"] }',
]
WRONG = [
    'target = ["m"]',
    'targets = "m"',
    "targets = [1]",
    "exclude = [1]",
    'dtypes = ["float23"]',
    'dtypes = "float32"',
    'fail-on = "warn"',
    "fail-on = true",
    "order = 3",
    "order = true",
    'order = "2"',
    "budget = -1",
    'budget = "20"',
    "jobs = 0",
    'jobs = "many"',
    "jobs = true",
    "timeout = -1",
    'timeout = "long"',
    "memory = -1",
    "memory = true",
    'isolation = "yes"',
    "baseline = 1",
    'ignore = ["LC103"]',
    'ignore = { LC103 = "" }',
    'ignore = { LC103 = " " }',
    "ignore = { LC103 = 1 }",
    'severity = { LC103 = "bad" }',
    "losses = []",
    '[losses."m:f"]\nignored = {}',
    '[losses."m:f"]\nignore = { LC103 = "" }',
    '[losses."m:f"]\ndata = "batches"',
    '[losses."m:f".arguments]\ny = 3',
    '[losses."m:f".arguments]\ny = []',
    '[losses."m:f".arguments]\ny = [1]',
    '[losses."m:f".arguments]\ny = { shap = "(B,)" }',
    '[losses."m:f".arguments]\ny = { role = "label" }',
    '[losses."m:f".arguments]\ny = { shape = 1 }',
    '[losses."m:f".arguments]\ny = { value = 1, shape = "(B,)" }',
    '[losses."m:f".arguments]\ny = { value = 1, domain = "real" }',
]


def table(text: str) -> dict[str, Any]:
    """Read a configuration; a text of its own stands for a rule that there is."""
    return tomllib.loads(text.replace("LC1 =", "LC101 ="))


@pytest.mark.parametrize("text", SOUND)
def test_what_is_read_is_valid(tmp_path: Path, text: str) -> None:
    (tmp_path / "losscheck.toml").write_text(text.replace("LC1 =", "LC101 ="))
    file.read(tmp_path)
    jsonschema.Draft7Validator(tool_schema()).validate(table(text))
    validator = Validator(plugins=[PluginWrapper("losscheck", tool_schema)])
    validator({"tool": {"losscheck": table(text)}})


@pytest.mark.parametrize("text", WRONG)
def test_what_is_refused_is_invalid(tmp_path: Path, text: str) -> None:
    (tmp_path / "losscheck.toml").write_text(text)
    with pytest.raises(UsageError):
        file.read(tmp_path)
    assert not jsonschema.Draft7Validator(tool_schema()).is_valid(table(text))


def test_validate_pyproject_refuses(tmp_path: Path) -> None:
    validator = Validator(plugins=[PluginWrapper("losscheck", tool_schema)])
    with pytest.raises(ValidationError, match=r"tool\.losscheck"):
        validator({"tool": {"losscheck": {"target": ["m"]}}})


def test_keys_and_words_are_those_of_the_settings() -> None:
    schema = tool_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    keys = schema["properties"]
    assert set(keys) == set(file.KEYS)
    assert set(keys["losses"]["additionalProperties"]["properties"]) == set(file.LOSS_KEYS)
    assert tuple(keys["dtypes"]["items"]["enum"]) == DTYPES
    assert tuple(keys["fail-on"]["enum"]) == FAIL_ON
    assert tuple(keys["order"]["enum"]) == ORDERS
    assert tuple(keys["severity"]["additionalProperties"]["enum"]) == SEVERITIES
    (of_argument,) = (
        each for each in schema["definitions"]["argument"]["anyOf"] if each.get("type") == "object"
    )
    assert tuple(of_argument["properties"]["role"]["enum"]) == ROLES
    for key in of_argument["properties"]:
        assert argument({key: "input"}, "here") != ArgumentSettings()


def test_defaults_are_those_of_the_settings() -> None:
    given = {key: each["default"] for key, each in tool_schema()["properties"].items()
             if "default" in each}  # fmt: skip
    for key, value in given.items():
        held = getattr(Settings(), key.replace("-", "_"))
        assert (list(held) if isinstance(held, tuple) else held) == value


def test_the_entry_point_gives_the_schema() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (where,) = project["entry-points"]["validate_pyproject.tool_schema"].values()
    module, _, name = where.partition(":")
    function = getattr(importlib.import_module(module), name)
    assert function("losscheck") == tool_schema()
