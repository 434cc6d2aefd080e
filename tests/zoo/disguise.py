"""The same loss under other names: rewritten in its source, wrapped in a class, in a lambda.

The source is rewritten token by token, so that every expression keeps its line; the module is
written to disk, where losscheck finds the lines that it blames.
"""

from __future__ import annotations

import importlib.util
import inspect
import io
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.zoo.specimen import Arguments, called

FORMS = ("renamed", "class", "lambda")

# What the arguments are called: names that say nothing of labels, predictions or weights.
NEW = {"y_true": "a", "y_pred": "b", "weight": "c", "mask": "m"}
ROLES = {"y_true": "y_true", "y_pred": "y_pred", "weight": "weight", "mask": "weight"}

_WRAPPERS = {
    "renamed": "",
    "class": "\n\nclass G:\n    def __call__(self, {arguments}):\n        return f({arguments})\n",
    "lambda": "\n\ng = lambda {arguments}: f({arguments})  # noqa: E731\n",
}


def disguised(loss: Callable[..., Any], arguments: Arguments, form: str, folder: Path) -> Any:
    """Give a loss in one of `FORMS`, from a module of its own in a folder.

    Parameters
    ----------
    loss
        A function at the top of its module.
    arguments
        Its arguments, in order.
    """
    names = {**NEW, called(loss): "f"}
    source = _renamed(inspect.getsource(inspect.getmodule(loss)), names)  # type: ignore[arg-type]
    wrapper = _WRAPPERS[form].format(arguments=", ".join(NEW[name] for name in arguments))
    module = imported(source + wrapper, folder / f"{form}_{called(loss)}.py")
    return {"renamed": lambda m: m.f, "class": lambda m: m.G(), "lambda": lambda m: m.g}[form](
        module
    )


def declared(arguments: Arguments) -> dict[str, dict[str, str]]:
    """Declare the arguments under their new names, with the roles that the old ones told."""
    return {
        NEW[name]: {"domain": domain, "shape": shape, "role": ROLES[name]}
        for name, (domain, shape) in arguments.items()
    }


def renamed(text: str) -> str:
    """Write a part of a line as the disguised source has it."""
    for old, new in NEW.items():
        text = text.replace(old, new)
    return text


def _renamed(source: str, names: dict[str, str]) -> str:
    """Rename identifiers, keeping every token on its line."""
    lines = source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for token in reversed(tokens):
        if token.type == tokenize.NAME and token.string in names:
            row, (start, end) = token.start[0] - 1, (token.start[1], token.end[1])
            lines[row] = lines[row][:start] + names[token.string] + lines[row][end:]
    return "".join(lines)


def imported(source: str, file: Path) -> ModuleType:
    file.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # dataclasses and inspect look there
    spec.loader.exec_module(module)
    return module
