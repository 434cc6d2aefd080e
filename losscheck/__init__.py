"""Check a TensorFlow/Keras loss from outside: gradient, NaN and Inf, shapes, and the line to blame.

The public API is loaded when it is first used: `check`, `compare`, `assert_stable`, `spec`
and `domains`.
Importing this package imports neither TensorFlow nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Not lazy: whoever imports losscheck beside a loss does so to declare it, and this module is light.
from losscheck.settings.decorator import spec

if TYPE_CHECKING:
    from losscheck import domains
    from losscheck.api import assert_stable, check, compare

__version__ = "0.1.0"
__all__ = ["__version__", "assert_stable", "check", "compare", "domains", "spec"]


def __getattr__(name: str) -> Any:
    import importlib

    if name in ("check", "compare", "assert_stable"):
        return getattr(importlib.import_module("losscheck.api"), name)
    if name == "domains":
        return importlib.import_module("losscheck.domains")
    raise AttributeError(f"module 'losscheck' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
