"""Commands that run no loss answer at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

NEEDED = "import numpy, attrs, click"  # what the commands cannot do without
LIMIT = 1.6  # times the work of importing that: hypothesis alone would make it 1.8, SciPy 3.5
RUNS = 5  # the best of them: what else the machine does only ever adds time
SLOW = {"tensorflow", "keras", "scipy", "hypothesis"}
COMMANDS = [("--help",), ("check", "--help"), ("--version",), ("rules",), ("explain", "LC203")]


def seconds(*arguments: str) -> tuple[float, float]:
    """Start an interpreter and wait for its end: seconds of the processor, and of the clock."""
    before, begin = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system
    return used - before.children_user - before.children_system, time.perf_counter() - begin


def best(*arguments: str) -> tuple[float, float]:
    """Give the shortest of several runs, by processor and by clock."""
    used, waited = zip(*(seconds(*arguments) for _ in range(RUNS)), strict=True)
    return min(used), min(waited)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_start(arguments: tuple[str, ...]) -> None:
    used, waited = best("-m", "losscheck", *arguments)
    needed, _ = best("-c", NEEDED)
    print(f"losscheck {' '.join(arguments)}: {waited:.3f} s by the clock, {used:.3f} s of work")
    print(f"{NEEDED}: {needed:.3f} s of work")
    # Seconds would measure the machine; what it does beside this takes from both alike.
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
