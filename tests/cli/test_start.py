"""Commands that run no loss answer at once."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

NEEDED = "import numpy, attrs, click"  # what the commands cannot do without
LIMIT = 1.6  # times the work of importing that: hypothesis alone would make it 1.8, SciPy 3.5
RUNS = 7  # the best of them: what else the machine does only ever adds time
SLOW = {"tensorflow", "keras", "scipy", "hypothesis"}
COMMANDS = [("--help",), ("check", "--help"), ("--version",), ("rules",), ("explain", "LC203")]


def seconds(*arguments: str) -> float:
    """Start an interpreter and wait for its end: seconds of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_start(arguments: tuple[str, ...]) -> None:
    # In turns: what slows the machine down for a while takes from both alike.
    runs = [(seconds("-m", "losscheck", *arguments), seconds("-c", NEEDED)) for _ in range(RUNS)]
    used, needed = (min(column) for column in zip(*runs, strict=True))
    print(f"losscheck {' '.join(arguments)}: {used:.3f} s of work; {NEEDED}: {needed:.3f} s")
    assert used < LIMIT * needed


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_slow_is_imported(arguments: tuple[str, ...]) -> None:
    code = (
        "import sys\n"
        "from losscheck import cli\n"
        f"assert cli.run({list(arguments)!r}) == 0\n"
        "print('|', *{name.partition('.')[0] for name in sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(ended.stdout.rpartition("|")[2].split())
    assert "losscheck" in loaded
    assert loaded & SLOW == set()
