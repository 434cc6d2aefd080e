"""Commands that run no loss answer at once."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

LIMIT = 0.3  # seconds from the shell's view; what takes longer feels like waiting
RUNS = 5  # the best of them: what else the machine does only ever adds time
SLOW = {"tensorflow", "keras", "scipy", "hypothesis"}
COMMANDS = [("--help",), ("check", "--help"), ("--version",), ("rules",), ("explain", "LC203")]


def seconds(*arguments: str) -> float:
    """Start an interpreter and wait for its end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begin


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_start(arguments: tuple[str, ...]) -> None:
    best = min(seconds("-m", "losscheck", *arguments) for _ in range(RUNS))
    bare = min(seconds("-c", "pass") for _ in range(RUNS))
    print(f"losscheck {' '.join(arguments)}: {best:.3f} s, the bare interpreter {bare:.3f} s")
    assert best < LIMIT


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
