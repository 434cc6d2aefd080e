"""Commands that run no loss answer at once."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

NEEDED = "import numpy, attrs, click"  # what the commands cannot do without
LIMIT = 1.6  # times the work of importing that: hypothesis alone would make it 1.8, SciPy 3.5
RUNS = 7  # the best of them: what else the machine does only ever adds time
SLOW = {"tensorflow", "keras", "scipy", "hypothesis"}
COMMANDS = [("--help",), ("check", "--help"), ("--version",), ("rules",), ("explain", "LC203")]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give an environment that keeps byte code, which pip makes when it installs a package."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("bytecode"))}


def seconds(environment: dict[str, str], *arguments: str) -> float:
    """Start an interpreter and wait for its end: seconds of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = [sys.executable, *arguments]
    subprocess.run(started, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_start(arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    # In turns: what slows the machine down for a while takes from both alike.
    ours, theirs = ("-m", "losscheck", *arguments), ("-c", NEEDED)
    runs = [(seconds(environment, *ours), seconds(environment, *theirs)) for _ in range(RUNS)]
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
