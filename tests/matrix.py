"""`python -m tests.matrix`: tests on each Python, with the oldest and with the newest TensorFlow.

Each pair has an environment below .venv/matrix, which stays. What is not to be had is named.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("python3.11", "python3.12", "python3.13")
TESTS = ("tests/program", "tests/evidence", "tests/test_everyday.py")
NOT_THERE = ("No matching distribution found", "ResolutionImpossible")  # pip's words


def main() -> int:
    """Run them all, and list what came of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", nargs="*", default=PYTHONS, help="interpreters")
    parser.add_argument("tests", nargs="*", default=TESTS, help="what pytest is given")
    arguments = parser.parse_args()
    told = []
    for python in arguments.pythons:
        if number := version(python):
            told += [
                f"{folder.name}: {outcome(python, folder, pins, arguments.tests)}"
                for pair, pins in (("oldest", oldest()), ("newest", []))
                for folder in [ROOT / ".venv" / "matrix" / f"{number}-{pair}"]
            ]
        else:
            told.append(f"left out: there is no {python} here")
    print("\n".join(told))
    return int(any("failed" in said for said in told))


def version(python: str) -> str:
    """Ask an interpreter for its version; nothing where there is none."""
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return _run(python, "-c", show).stdout.strip()
    except OSError:
        return ""


def oldest() -> list[str]:
    """Pin TensorFlow and Keras to the least that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["optional-dependencies"]["tensorflow"]
    return [re.sub(r">=([\d.]+).*", r"==\1.*", one) for one in asked]


def outcome(python: str, folder: Path, pins: Sequence[str], tests: Sequence[str]) -> str:
    """Say what came of the tests in one environment."""
    own, filled = str(folder / "bin" / "python"), folder / "filled"
    if not filled.exists() or filled.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        pip = (own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(python, "-m", "venv", "--clear", str(folder))
        _run(*pip, "--upgrade", "pip>=25.1")
        installed = _run(*pip, "--editable", ".", "--group", "dev", *pins)
        if installed.returncode:
            last = installed.stderr.strip().splitlines()[-1]
            absent = any(words in installed.stderr for words in NOT_THERE)
            return f"left out: {last}" if absent else f"failed to install: {last}"
        filled.touch()
    show = "from importlib.metadata import version as v; print(v('tensorflow'), v('keras'))"
    versions = _run(own, "-c", show).stdout.split()
    print(f"{folder.name}: TensorFlow {versions[0]}, Keras {versions[1]}", flush=True)
    ran = subprocess.run([own, "-m", "pytest", "-q", "-n", "2", *tests], cwd=ROOT, check=False)
    said = "passed" if ran.returncode == 0 else f"failed: pytest ended with {ran.returncode}"
    return f"{said} with TensorFlow {versions[0]}, Keras {versions[1]}"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
