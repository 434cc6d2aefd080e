"""What a tool is asked, and what it answers."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import numpy as np

from benchmarks.family import Array, Family


class Outcome(enum.IntEnum):
    """What a tool says of the gradient at one point."""

    RIGHT = 0
    WRONG = 1
    UNDECIDED = 2  # only tools that estimate their error can say so


@attrs.frozen(kw_only=True, eq=False)
class Answer:
    """A tool's answers to one family.

    Attributes
    ----------
    outcome
        (F, N) int8, `Outcome` for each of F gradients at N points.
    seconds
        A coordinate, of one verdict. Tools that take many points in one call are given `BATCH`
        points of an elementwise family.
    value, error
        (N, n) float64, the derivative and its estimated error; None where a tool has none.
    """

    outcome: Array
    seconds: float
    value: Array | None = None
    error: Array | None = None


class Tool(Protocol):
    """A gradient checker."""

    name: str
    criterion: str  # when it counts as saying that a gradient is wrong

    def answer(self, family: Family, gradients: Sequence[Array]) -> Answer:
        """Judge F gradients (N, n) of one family."""
        ...


def each_point(
    check: Callable[[int, Array], bool], gradients: Sequence[Array]
) -> tuple[Array, float]:
    """Run a checker that says yes or no on every gradient at every point.

    Parameters
    ----------
    check
        check(point, gradient (n,)) -> whether the gradient passes.

    Returns
    -------
    tuple
        Outcomes (F, N), and the seconds a coordinate with the first gradient.
    """
    outcome = np.zeros((len(gradients), len(gradients[0])), np.int8)
    check(0, gradients[0][0])  # what is compiled or imported at the first call is not counted
    seconds = 0.0
    for row, gradient in enumerate(gradients):
        start = time.perf_counter()
        for point, slopes in enumerate(gradient):
            outcome[row, point] = Outcome.RIGHT if check(point, slopes) else Outcome.WRONG
        seconds = seconds or time.perf_counter() - start
    return outcome, seconds / gradients[0].size


BATCH = 1024
"""Points of one call whose time is taken, where a tool takes many: what a call costs by itself
would hide what a point costs."""

REPEATS = 3
"""Of a timing: the machine is shared, and a median of three survives one disturbance."""


def timed(action: Callable[[], object]) -> float:
    """Median seconds of an action."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def batch_of(family: Family) -> Family:
    """Repeat an elementwise family's points up to `BATCH`; leave others as they are."""
    if not family.elementwise:
        return family
    repeats = -(-BATCH // len(family.points))
    return attrs.evolve(family, points=np.tile(family.points, (repeats, 1))[:BATCH])


def of_points(codes: Array) -> Array:
    """From outcomes of coordinates (N, n) to outcomes of points (N,): one wrong one is enough."""
    wrong, undecided = (codes == Outcome.WRONG).any(1), (codes == Outcome.UNDECIDED).any(1)
    return np.where(wrong, Outcome.WRONG, np.where(undecided, Outcome.UNDECIDED, Outcome.RIGHT))
