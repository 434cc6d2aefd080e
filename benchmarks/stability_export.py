"""The zoo's faults as exported tests: each must fail on the faulty loss and pass on its twin."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import attrs

import losscheck
from losscheck.exporting import exported
from tests.zoo.catalogue import CATALOGUE
from tests.zoo.specimen import Specimen

Tell = Callable[[str], None]


@attrs.frozen(kw_only=True)
class Pinned:
    """What the exported tests of one specimen did.

    Attributes
    ----------
    tests
        How many there are.
    passing
        Those that pass on the faulty loss.
    failing
        Those that fail on its sound twin, and why.
    """

    name: str
    tests: int
    passing: tuple[str, ...]
    failing: tuple[str, ...]
    left_out: tuple[str, ...]


def look_at_exports(tell: Tell, specimens: Sequence[Specimen] = CATALOGUE) -> list[Pinned]:
    """Export the tests of every fault that is more than a note, and run them on both losses."""
    found = []
    for specimen in specimens:
        if specimen.severity == "note":
            continue
        found.append(_pinned(specimen))
        tell(f"{specimen.name}: {found[-1]}")
    return found


def _pinned(specimen: Specimen) -> Pinned:
    report = losscheck.check(
        specimen.faulty,
        arguments=dict(specimen.arguments),
        select=sorted(specimen.codes),
        order=specimen.order,
        dtypes=specimen.dtypes,
    )
    made = exported(report)
    faulty, sound = (outcomes(made.text, loss) for loss in (None, specimen.sound))
    return Pinned(
        name=specimen.name,
        tests=len(made.tests),
        passing=tuple(name for name, why in faulty.items() if not why),
        failing=tuple(f"{name}: {why}" for name, why in sound.items() if why),
        left_out=tuple(f"{', '.join(left.codes)}: {left.reason}" for left in made.left_out),
    )


def outcomes(text: str, loss: Callable[..., Any] | None) -> dict[str, str]:
    """Run exported tests, on another loss where one is given: what each raised, "" for nothing."""
    space: dict[str, Any] = {"__name__": "pinned"}
    found: dict[str, str] = {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        exec(compile(text, "<pins>", "exec"), space)
        if loss is not None:
            space["loss"] = loss
        for name in [name for name in space if name.startswith("test_")]:
            try:
                space[name]()
                found[name] = ""
            except Exception as error:
                found[name] = f"{type(error).__name__} {' '.join(str(error).split())[:80]}"
    return found


def describe_exports(pinned: Sequence[Pinned]) -> str:
    """Say how many faults are pinned, and which tests do not do what they should."""
    able = [each for each in pinned if each.tests]
    right = [each for each in able if not each.passing and not each.failing]
    lines = [
        f"`losscheck export` pins {len(able)} of {len(pinned)} faults of the zoo. For {len(right)} "
        f"of these {len(able)} every test fails on the faulty loss and passes on its sound twin."
    ]
    odd = [each for each in pinned if each not in right]
    rows = [
        f"| {each.name} | {'; '.join(each.passing)} | {'; '.join(each.failing)} "
        f"| {'; '.join(each.left_out)} |"
        for each in odd
    ]
    if rows:
        head = ["| fault | passes on it | fails on its twin | left out |", "|---|---|---|---|"]
        lines.append("\n".join([*head, *rows]))
    return "\n\n".join(lines)
