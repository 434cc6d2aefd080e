"""The names that a piece of Python uses, and which of them exist where it is to stand."""

from __future__ import annotations

import ast
import builtins
import os
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import attrs


@attrs.frozen(eq=False)
class Names:
    """The names known at a place."""

    module: Mapping[str, Any]  # globals
    local: frozenset[str]

    @property
    def tensorflow(self) -> str:
        """What the module calls TensorFlow; "" where it has no name for it."""
        for name, value in self.module.items():
            if isinstance(value, ModuleType) and name not in self.local and is_tensorflow(value):
                return name
        return ""

    def unknown(self, text: str) -> str:
        """The first name, or attribute of a module, that does not exist; "" where all do."""
        tree = ast.parse(text)
        own = frozenset(bound(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                held = node.id in own or node.id in self.local or node.id in self.module
                if not held and not hasattr(builtins, node.id):
                    return node.id
        return next((name for name in _chains(tree) if not self._has(name)), "")

    def _has(self, dotted: str) -> bool:
        """Say whether the attributes of a module exist; of anything else that is not known."""
        first, *rest = dotted.split(".")
        if first in self.local or not isinstance(self.module.get(first), ModuleType):
            return True
        found = self.module[first]
        for name in rest:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
            if not isinstance(found, ModuleType):
                return True
        return True


def module_of(file: str) -> ModuleType | None:
    """The module that was imported from a file; of a cell of a notebook, where its names live."""
    name, path = os.path.basename(file), os.path.realpath(file)
    for module in list(sys.modules.values()):
        known = getattr(module, "__file__", None) or ""
        # There are thousands of modules: to follow the links of all their folders takes long.
        if os.path.basename(known) == name and os.path.realpath(known) == path:
            return module
    main = sys.modules["__main__"]
    for thing in list(vars(main).values()):
        parts = list(vars(thing).values()) if isinstance(thing, type) else [thing]
        codes = (getattr(part, "__code__", None) for part in parts)
        if any(getattr(code, "co_filename", "") == file for code in codes):
            return main
    return None


def bound(node: ast.AST) -> Iterator[str]:
    """The names that a function or a comprehension binds."""
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        elif isinstance(part, ast.alias):
            yield (part.asname or part.name).partition(".")[0]
        elif isinstance(part, ast.FunctionDef | ast.ClassDef) and part is not node:
            yield part.name


def is_tensorflow(module: ModuleType) -> bool:
    """Say whether a module is TensorFlow itself, by whichever name."""
    name = module.__name__
    return name == "tensorflow" or (name.startswith("tensorflow.") and name.endswith(".v2"))


def _chains(tree: ast.AST) -> Iterator[str]:
    """The dotted names in a tree, the longest of each."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            parts, part = [node.attr], node.value
            while isinstance(part, ast.Attribute):
                inner.add(id(part))
                parts, part = [part.attr, *parts], part.value
            if isinstance(part, ast.Name):
                yield ".".join([part.id, *parts])
