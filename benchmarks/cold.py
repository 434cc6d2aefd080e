"""A whole command's processor time beside that of TensorFlow's import, and what is paid once."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

ROUNDS: Final = 5
IMPORT: Final = (sys.executable, "-c", "import tensorflow, keras")
CHECK: Final = (sys.executable, "-m", "losscheck", "benchmarks.searched:squared", "-q")
TWICE: Final = """
import time
import tensorflow, keras
imported = time.process_time()
import losscheck
losscheck.check("benchmarks.searched:squared")
cold = time.process_time()
losscheck.check("benchmarks.searched:squared")
print(cold - imported, time.process_time() - cold)
"""


@attrs.frozen(kw_only=True)
class Start:
    """Processor seconds, each the median of some rounds in turns.

    Attributes
    ----------
    imports
        `import tensorflow, keras` alone.
    command
        `losscheck` on a squared error, the import included.
    cold, warm
        The check of it in one process: the first, and the second.
    """

    imports: float
    command: float
    cold: float
    warm: float

    @property
    def ratio(self) -> float:
        """The command over the import."""
        return self.command / self.imports


def start(rounds: int = ROUNDS) -> Start:
    """Measure the import and the command in turns, and two checks in one process."""
    imports, commands, checks = [], [], []
    for _ in range(rounds):
        imports.append(_processor(IMPORT))
        commands.append(_processor(CHECK))
        checks.append([float(text) for text in _output(("-c", TWICE)).split()])
    cold, warm = (statistics.median(column) for column in zip(*checks, strict=True))
    return Start(
        imports=statistics.median(imports),
        command=statistics.median(commands),
        cold=cold,
        warm=warm,
    )


def paragraph(measured: Start) -> str:
    """Say what was measured."""
    return (
        f"The whole command on a squared error takes {measured.command:.1f} s of processor time, "
        f"{measured.ratio:.2f} times the {measured.imports:.1f} s of `import tensorflow, keras` "
        f"(medians of {ROUNDS} in turns). In one process the first check takes "
        f"{measured.cold:.1f} s and the second {measured.warm:.1f} s: the difference is paid once."
    )


def _processor(command: Sequence[str]) -> float:
    """Seconds of processor time, of all threads, that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command,
        check=True,
        cwd=_ROOT,
        env=_ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _output(arguments: Sequence[str]) -> str:
    found = subprocess.run(
        (sys.executable, *arguments),
        check=True,
        cwd=_ROOT,
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    return found.stdout.splitlines()[-1]


_ROOT = Path(__file__).parent.parent
_ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
