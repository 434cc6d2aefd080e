"""Check a TensorFlow/Keras loss from outside: gradient, NaN and Inf, shapes, and the line to blame.

The public API is loaded when it is first used: `check`, `compare`, `assert_stable`, `spec` and
`domains`, and the types that these take and give.
Importing this package imports neither TensorFlow nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Not lazy: whoever imports losscheck beside a loss does so to declare it, and this module is light.
from losscheck.settings.decorator import Declaration, spec

if TYPE_CHECKING:
    from losscheck import domains
    from losscheck.api import CheckOptions, Data, assert_stable, check, compare
    from losscheck.comparison import Comparison, Difference
    from losscheck.model import (
        Argument,
        Check,
        Diagnosis,
        Finding,
        Location,
        LossReport,
        Report,
        Severity,
        UsageError,
        Verdict,
    )
    from losscheck.result import CheckResult, UnstableLossError

__version__ = "0.2.0"
__all__ = [
    "Argument",
    "Check",
    "CheckOptions",
    "CheckResult",
    "Comparison",
    "Data",
    "Declaration",
    "Diagnosis",
    "Difference",
    "Finding",
    "Location",
    "LossReport",
    "Report",
    "Severity",
    "UnstableLossError",
    "UsageError",
    "Verdict",
    "__version__",
    "assert_stable",
    "check",
    "compare",
    "domains",
    "spec",
]
_HOMES = {
    "api": ("CheckOptions", "Data", "assert_stable", "check", "compare"),
    "comparison": ("Comparison", "Difference"),
    "result": ("CheckResult", "UnstableLossError"),
    "model": (
        "Argument",
        "Check",
        "Diagnosis",
        "Finding",
        "Location",
        "LossReport",
        "Report",
        "Severity",
        "UsageError",
        "Verdict",
    ),
}


def __getattr__(name: str) -> Any:
    import importlib

    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"losscheck.{home}"), name)
    if name == "domains":
        return importlib.import_module("losscheck.domains")
    raise AttributeError(f"module 'losscheck' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
