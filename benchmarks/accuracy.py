"""Every tool on every family, with the right gradient and with wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import numpy as np

from benchmarks.family import Array, Family
from benchmarks.tools.base import Answer, Outcome, Tool

FAULTS: Final = (0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-6)
"""Relative errors planted in the whole gradient of a point."""

MEANINGLESS: Final = 1e-2
"""Of the family's ordinary gradient: where every coordinate is below, a fault in proportion to the
gradient is a fault of nothing, and the point is left out of the misses of every tool."""

COVER: Final = 10.0
"""Times the error estimate, within which the truth must lie to be covered."""


@attrs.frozen(kw_only=True, eq=False)
class Odd:
    """A point that one tool got wrong."""

    family: str
    point: Array
    fault: float  # 0: the gradient was right, and the tool said it was not
    truth: Array
    value: Array | None
    error: Array | None


@attrs.frozen(kw_only=True, eq=False)
class Row:
    """The rates of one tool, each between 0 and 1.

    Attributes
    ----------
    misses
        One for each of `FAULTS`: called right.
    undecided
        Of the right gradients.
    coverage
        None where the tool estimates no error.
    microseconds
        A coordinate: the median over the elementwise families.
    """

    tool: str
    criterion: str
    alarms: float
    misses: tuple[float, ...]
    undecided: float
    coverage: float | None
    microseconds: float
    odd: tuple[Odd, ...]


def measure(
    tool: Tool, families: Sequence[Family], tell: Callable[[str], None] = lambda text: None
) -> Row:
    """Run one tool on all families."""
    answers = []
    for family in families:
        tell(f"{tool.name}: {family.name}")
        truth = family.truth
        answers.append(tool.answer(family, [truth, *(truth * (1 + e) for e in FAULTS)]))
    outcome = np.concatenate([answer.outcome for answer in answers], axis=1)
    counted = np.concatenate([meaningful(family) for family in families])
    return Row(
        tool=tool.name,
        criterion=tool.criterion,
        alarms=float((outcome[0] == Outcome.WRONG).mean()),
        misses=tuple(float(m) for m in (outcome[1:, counted] == Outcome.RIGHT).mean(axis=1)),
        undecided=float((outcome[0] == Outcome.UNDECIDED).mean()),
        coverage=_coverage(families, answers),
        microseconds=float(
            np.median(
                [
                    1e6 * answer.seconds
                    for family, answer in zip(families, answers, strict=True)
                    if family.elementwise
                ]
            )
        ),
        odd=tuple(
            odd
            for family, answer in zip(families, answers, strict=True)
            for odd in _odd(family, answer)
        ),
    )


def meaningful(family: Family) -> Array:
    """(N,) bool: a fault in proportion to the gradient is one."""
    return np.asarray(np.abs(family.truth).max(axis=1) >= MEANINGLESS * family.scale)


def _coverage(families: Sequence[Family], answers: Sequence[Answer]) -> float | None:
    covered = []
    for family, answer in zip(families, answers, strict=True):
        if answer.value is None or answer.error is None:
            return None
        known = np.isfinite(answer.value) & np.isfinite(answer.error)
        off = np.abs(answer.value - family.truth)[known]
        # The truth is rounded to float64, so that an estimate of 0 is off by that rounding.
        rounding = np.spacing(np.abs(family.truth))[known]
        covered.append(off <= COVER * answer.error[known] + rounding)
    return float(np.concatenate(covered).mean())


def _odd(family: Family, answer: Answer) -> list[Odd]:
    counted = meaningful(family)
    found = []
    for row, fault in enumerate((0.0, *FAULTS)):
        codes = answer.outcome[row]
        odd = codes == Outcome.WRONG if fault == 0 else (codes == Outcome.RIGHT) & counted
        found += [
            Odd(
                family=family.name,
                point=family.points[index],
                fault=fault,
                truth=family.truth[index],
                value=None if answer.value is None else answer.value[index],
                error=None if answer.error is None else answer.error[index],
            )
            for index in np.flatnonzero(odd)
        ]
    return found
