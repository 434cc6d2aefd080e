"""Projects that `pytest --losscheck` is run in."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from losscheck.model import Check
from losscheck.program.quiet import tensorflow
from losscheck.pytest_plugin import losses
from losscheck.rules import BUILT_IN

LOSSES = '''"""Losses that nobody runs."""


def focal(y_true, y_pred):
    return y_pred


def hinge(y_true, y_pred):
    return y_pred


def weighted(alpha):
    def loss(y_true, y_pred):
        return y_pred

    return loss
'''
FILE = "src/my_pkg/losses.py"
# Of all rules so few that a run of the tests of all losses is quick.
CODES = ("LC101", "LC102", "LC105", "LC106", "LC201", "LC202", "LC203", "LC204", "LC301")
FEW = tuple(rule for rule in BUILT_IN if rule.code in CODES)


@pytest.fixture(scope="package", autouse=True)
def _tensorflow_stays() -> Iterator[None]:
    """Import beforehand what pytester forgets: TensorFlow aborts twice, the rest takes long."""
    tensorflow()
    for module in ("pytest_plugin.collection", "pytest_plugin.fixture", "engine.plan"):
        importlib.import_module(f"losscheck.{module}")
    gc.freeze()  # every pytest in this process collects garbage five times before it ends
    yield
    gc.unfreeze()


@pytest.fixture
def checks() -> tuple[Check, ...]:
    """Give checks that pass."""
    return tuple(Check(code=rule.code, slug=rule.slug, outcome="pass") for rule in BUILT_IN)


@pytest.fixture
def package(
    pytester: pytest.Pytester,
    fake_engine: Any,
    checks: tuple[Check, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> pytest.Pytester:
    """A project whose losses are focal and hinge of src/my_pkg/losses.py, which pass."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(losses, "rules", lambda: FEW)
    pytester.makepyprojecttoml('[tool.losscheck]\ntargets = ["my_pkg.losses"]')
    folder = pytester.path / "src" / "my_pkg"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "losses.py").write_text(LOSSES, encoding="utf-8")
    pytester.makepyfile(test_own="def test_own(): pass")
    for name in ("focal", "hinge"):
        fake_engine.reports[f"my_pkg.losses:{name}"] = {"checks": checks}
    return pytester
