"""Generated losses, sound by construction, under losscheck: faults of our own and false errors.

Each seed is a process of its own. Where LOSSCHECK_GENERATED_TALLY names a file, every seed is added
to it when it is done, and one that is there already is not run again.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.generated.checking import Checked

COUNT = int(os.environ.get("LOSSCHECK_GENERATED", "5000"))
SEED = int(os.environ.get("LOSSCHECK_GENERATED_SEED", "0"))
TALLY = os.environ.get("LOSSCHECK_GENERATED_TALLY", "")
EACH = 50  # losses of a seed
FULL = int(os.environ.get("LOSSCHECK_GENERATED_FULL", "100"))  # the first, by all rules
ROOT = Path(__file__).parent.parent
Tell = Callable[[str], None]


@attrs.frozen(kw_only=True)
class Seed:
    """What became of the losses of a seed."""

    seed: int
    effort: str  # of checking.EFFORTS
    checked: list[Checked]
    missing: list[str]  # findings that plain TensorFlow does not show again
    ended: str = ""  # how the process ended, where it should not have


def look_at_generated(tell: Tell) -> list[Seed]:
    """Check them all, and run again what was found."""
    known = {seed.seed: seed for seed in _known()}
    done: list[Seed] = []
    for number, first in enumerate(range(0, COUNT, EACH)):
        seed = SEED + number
        effort = "full" if first < FULL else "short"
        if seed not in known:
            known[seed] = _run(seed, min(EACH, COUNT - first), effort)
            _add(known[seed])
        done.append(known[seed])
        tell(_told(done))
    return done


def _run(seed: int, count: int, effort: str) -> Seed:
    with tempfile.TemporaryDirectory() as folder:
        module = "tests.generated.checking"
        ran = subprocess.run(
            [sys.executable, "-m", module, str(seed), str(count), folder, "--effort", effort],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{sys.path[0]}"},
            cwd=ROOT,
        )
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line[:1] in ("{", "[")]
    missing = next((line for line in lines if isinstance(line, list)), [])
    ended = ""
    if ran.returncode:
        said = ran.stderr.strip().splitlines()[-1:] or [""]
        ended = f"seed {seed}: the process ended with {ran.returncode}: {said[0]}"
    checked = [Checked(**line) for line in lines if isinstance(line, dict)]
    return Seed(seed=seed, effort=effort, checked=checked, missing=missing, ended=ended)


def _known() -> Iterator[Seed]:
    if TALLY and Path(TALLY).exists():
        for line in Path(TALLY).read_text(encoding="utf-8").splitlines():
            given: dict[str, Any] = json.loads(line)
            yield Seed(**{**given, "checked": [Checked(**one) for one in given["checked"]]})


def _add(seed: Seed) -> None:
    if TALLY:
        with open(TALLY, "a", encoding="utf-8") as file:
            file.write(json.dumps(attrs.asdict(seed)) + "\n")


def _told(done: list[Seed]) -> str:
    """Where we are, and what was wrong with the last seed."""
    last = done[-1]
    seconds = sum(one.seconds for one in last.checked)
    count = sum(len(seed.checked) for seed in done)
    wrong = [w for one in last.checked for w in (*one.wrong, *one.undecided)]
    ended = [last.ended] if last.ended else []
    return "\n".join(
        [f"{count}/{COUNT}, seed {last.seed}: {seconds:.0f} s", *ended, *wrong, *last.missing]
    )


def describe_generated(done: list[Seed]) -> str:
    """Write the figures, and whatever was wrong."""
    checked = [one for seed in done for one in seed.checked]
    faults = [seed.ended for seed in done if seed.ended]
    faults += [fault for one in checked for fault in one.faults]
    false = [error for one in checked for error in one.false_errors]
    undecided = [doubt for one in checked for doubt in one.undecided]
    missing = [text for seed in done for text in seed.missing]
    figures = (
        f"{len(checked)} losses of 1 to 60 operations (tests/generated), seeds {done[0].seed} to "
        f"{done[-1].seed}, {EACH} a seed. Faults of losscheck, with budgets overrun: "
        f"{len(faults)}. Errors on what is sound by construction: {len(false)}. Undecided, but for "
        f"want of time: {sum(bool(one.undecided) for one in checked)}. Findings that plain "
        f"TensorFlow does not show again: {len(missing)}."
    )
    lines = [line for effort in ("full", "short") if (line := _effort(done, effort))]
    wrong = [f"\n- {text}" for text in (*faults, *false, *undecided, *missing)]
    return "\n".join([figures, *lines, *wrong])


def _effort(done: list[Seed], effort: str) -> str:
    """What was asked of how many, and what it took."""
    checked = [one for seed in done if seed.effort == effort for one in seed.checked]
    if not checked:
        return ""
    seconds = [one.seconds for one in checked]
    asked = "all rules" if effort == "full" else f"{len(checked[0].rules)} rules drawn for each"
    return (
        f"\n{len(checked)} were asked {asked}: {sum(one.cases for one in checked):,} cases; "
        f"{sum(one.cut for one in checked)} were cut by the budget; processor time of a check: "
        f"mean {statistics.mean(seconds):.1f} s, at most {max(seconds):.1f} s."
    )
