"""losscheck's verdict on the gradient of one case: the one place that calls it."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from benchmarks.family import Array

MODULE: Final = "losscheck.evidence.single"

NOT_COUNTED: Final = ("second opinion", "self-test", "self_test", "selftest")
"""What the names of parts begin with that are shown beside the verdict's time but not in it: they
say how far the verdict may be trusted, and compute_gradient has nothing of the kind."""


@attrs.frozen(kw_only=True, eq=False)
class Whole:
    """A verdict on the whole gradient.

    Attributes
    ----------
    outcome
        "verified", "wrong" or "inconclusive".
    how
        "dense", "coloured" or "projected".
    wrong
        Flat indices.
    wall
        Seconds of the call.
    seconds
        Of every part.
    passes
        "forward" and "gradient": how often each was evaluated.
    """

    outcome: str
    how: str
    wrong: tuple[int, ...]
    wall: float
    seconds: Mapping[str, float]
    passes: Mapping[str, float]

    @property
    def counted(self) -> float:
        """Seconds without what is only shown."""
        shown = sum(v for part, v in self.seconds.items() if not is_counted(part))
        return self.wall - shown


def is_counted(part: str) -> bool:
    """Say whether a part belongs to the verdict's time."""
    return not part.lower().replace("second_", "second ").startswith(NOT_COUNTED)


Check = Callable[[Any, Mapping[str, Array]], Whole]


def checker() -> Check | None:
    """Give check(programs, inputs), or None where this losscheck has no such entry."""
    try:
        module = importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        if error.name != MODULE:
            raise
        return None

    def check(programs: Any, inputs: Mapping[str, Array]) -> Whole:
        start = time.perf_counter()
        verdict = module.check_case(programs, inputs, seed=0)
        wall = time.perf_counter() - start
        return Whole(
            outcome=str(verdict.outcome),
            how=str(verdict.how),
            wrong=tuple(int(index) for index in verdict.wrong),
            wall=wall,
            seconds=dict(verdict.seconds),
            passes=dict(verdict.passes),
        )

    return check
