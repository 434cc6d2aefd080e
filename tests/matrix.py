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
    told = {}
    for python in arguments.pythons:
        for pair, pins in (("oldest", oldest()), ("newest", [])):
            told[f"{Path(python).name}, {pair} TensorFlow"] = outcome(
                python, pair, pins, arguments.tests
            )
    width = max(map(len, told))
    print("\n".join(f"{name:{width}}  {said}" for name, said in told.items()))
    return int(any(said.startswith("failed") for said in told.values()))


def oldest() -> list[str]:
    """Pin TensorFlow and Keras to the least that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["optional-dependencies"]["tensorflow"]
    return [re.sub(r">=([\d.]+).*", r"==\1.*", one) for one in asked]


def outcome(python: str, pair: str, pins: Sequence[str], tests: Sequence[str]) -> str:
    """Say in a line what came of the tests in one environment."""
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        number = _run(python, "-c", version)
    except OSError:
        return "left out: there is no such Python"
    if number.returncode:
        return "left out: there is no such Python"
    folder = ROOT / ".venv" / "matrix" / f"{number.stdout.strip()}-{pair}"
    own = str(folder / "bin" / "python")
    if not (folder / "filled").exists():
        pip = (own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(python, "-m", "venv", "--clear", str(folder))
        _run(*pip, "--upgrade", "pip>=25.1")
        filled = _run(*pip, "--editable", ".", "--group", "dev", *pins)
        if filled.returncode:
            last = filled.stderr.strip().splitlines()[-1]
            absent = any(words in filled.stderr for words in NOT_THERE)
            return f"left out: {last}" if absent else f"failed to install: {last}"
        (folder / "filled").touch()
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
