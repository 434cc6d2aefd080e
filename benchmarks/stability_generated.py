"""Generated losses, sound by construction, under losscheck: faults of our own and false errors."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.generated.checking import Checked, check, not_shown

COUNT = int(os.environ.get("LOSSCHECK_GENERATED", "5000"))
SEED = int(os.environ.get("LOSSCHECK_GENERATED_SEED", "0"))
MODULE = 50  # losses a module; each module has a seed of its own
Tell = Callable[[str], None]


def look_at_generated(tell: Tell) -> tuple[list[Checked], list[str]]:
    """Check them all, and run again what was found."""
    checked: list[Checked] = []
    missing: list[str] = []
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for first in range(0, COUNT, MODULE):
                seed = SEED + first // MODULE
                part = list(check(seed, min(MODULE, COUNT - first), Path(folder)))
                missing += not_shown(part, Path(folder))
                checked += part
                wrong = [
                    w for one in part for w in (*one.faults, *one.false_errors, *one.undecided)
                ]
                tell("\n".join([f"{len(checked)}/{COUNT}", *wrong, *missing]))
        finally:
            os.chdir(home)
    return checked, missing


def describe_generated(checked: list[Checked], missing: list[str]) -> str:
    """Write the figures, and whatever was wrong."""
    faults = [fault for one in checked for fault in one.faults]
    undecided = [doubt for one in checked for doubt in one.undecided]
    false = [error for one in checked for error in one.false_errors]
    seconds = [one.seconds for one in checked]
    last = SEED + (len(checked) - 1) // MODULE
    figures = (
        f"{len(checked)} losses of 1 to 60 operations (tests/generated), seeds {SEED} to {last}, "
        f"{MODULE} a seed. Faults of losscheck: {len(faults)}. Errors on what is sound by "
        f"construction: {len(false)}. Undecided: {len(undecided)}. Findings that plain TensorFlow "
        f"does not show again: {len(missing)}. Processor time of a check: median "
        f"{statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s."
    )
    return "\n".join(
        [figures, *(f"\n- {text}" for text in (*faults, *false, *undecided, *missing))]
    )
