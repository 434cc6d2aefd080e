"""The JSON Schema of the configuration, for editors and for validate-pyproject."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def tool_schema(tool_name: str = "losscheck") -> dict[str, Any]:
    """Check the table `[tool.losscheck]`: its keys, and what kind of value each takes."""
    text = files("losscheck.settings").joinpath("schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
