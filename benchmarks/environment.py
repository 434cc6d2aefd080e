"""What the numbers were made with: versions and the kind of machine, nothing that names it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ACCURACY = (
    "tensorflow",
    "keras",
    "numpy",
    "scipy",
    "mpmath",
    "numdifftools",
    "torch",
    "jax",
    "jaxlib",
)


def versions(packages: Sequence[str] = ACCURACY) -> str:
    """List package versions."""
    import losscheck

    given = [("losscheck", losscheck.__version__), ("Python", platform.python_version())]
    given += [(package, version(package)) for package in packages]
    return ", ".join(f"{name} {number}" for name, number in given)


def machine() -> str:
    """Describe the processor and the operating system."""
    processor = _processor() or platform.machine()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        f"{platform.system()} on {processor}, {os.cpu_count()} logical processors, no GPU used; "
        f"load average {load} at the start"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, "")
