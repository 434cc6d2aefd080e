"""Where inputs come from: ordinary points, corners, relations, every half number, mixtures."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.data import FEWEST as FEWEST_ROWS
from losscheck.cases.data import SHARE, from_data
from losscheck.cases.exhaustive import exhaustive, forget_spreads
from losscheck.cases.problem import Problem
from losscheck.cases.relations import relations
from losscheck.cases.stages import Search, Stages, corners
from losscheck.cases.strategies import mixed, mixtures
from losscheck.cases.user_data import Data
from losscheck.model import Argument, Range, UsageError
from losscheck.settings import shapes

__all__ = ["CaseBlock", "Search", "mixtures", "ordinary", "search", "usual"]

# Ordinary cases that every block starts with: their median is the ordinary scale.
ORDINARY_CASES = 4096
# Numbers in all cases together: of large inputs there are fewer cases, half of them ordinary.
ELEMENTS = 1 << 22
FEWEST = 16
KEPT = 8  # generated blocks, of up to 16 MiB each
# Some more are drawn than needed: in half types a few of them round to equal values.
_SPARE = 1.1
# Shares of the budget, at most. What corners and relations leave goes to exhaustion first (two
# labels beside every float16 logit are 127,000 of 150,000 cases), but for a part to the mixtures.
_CORNERS, _RELATIONS, _SINGLE_RELATIONS, _MIXTURES = 0.25, 0.2, 0.03, 0.05


def search(
    arguments: Sequence[Argument],
    sizes: Mapping[str, int],
    *,
    dtype: str = "float32",
    classes: int = 2,
    seed: int = 0,
    budget: int = 20_000,
    data: Data | None = None,
) -> Search:
    """Generate the cases of one size of a loss's arguments, and count what each stage covers.

    Parameters
    ----------
    arguments
        Those to generate; constants are left out.
    sizes
        A size for every letter of their shapes.
    dtype
        The float type of all inputs; labels too, as Keras hands them over.
    classes
        The number of classes of `class_index` arguments.
    budget
        About how many cases; of them ordinary ones are 4,096, or half where the budget is less
        than twice that, except where labels alone make up the inputs.
    data
        The user's, whose rows join the cases on top of the budget.

    Returns
    -------
    Search
        Distinct cases, the ordinary ones first, and the coverage of every stage.

    Raises
    ------
    UsageError
        Where no ordinary case exists: a domain has no number of the dtype.
    """
    # Losses of the same domains and sizes share their cases: who checks forty generates few times.
    plain = tuple(attrs.evolve(a, origin="", why="", plausible=()) for a in arguments)
    return _search(plain, tuple(sorted(sizes.items())), dtype, classes, seed, budget, data)


@functools.lru_cache(maxsize=KEPT)
def _search(
    arguments: tuple[Argument, ...],
    sizes: tuple[tuple[str, int], ...],
    dtype: str,
    classes: int,
    seed: int,
    budget: int,
    data: Data | None,
) -> Search:
    at = {argument.name: shapes.parse(argument.shape).at(dict(sizes)) for argument in arguments}
    problem = Problem.of(arguments, at, dtype, classes)
    most = affordable(at)
    budget = min(budget, most)
    first = min(max(ORDINARY_CASES, budget // 16), max(FEWEST, min(most, budget) // 2))
    stages = Stages(problem)
    stages.add("ordinary", ordinary(problem, first, seed))
    if data is not None:
        kept = tuple(a for a in arguments if a.name in data.rows)
        limit = min(most // 4, max(FEWEST_ROWS, int(budget * SHARE)))
        found_rows = from_data(problem, kept, data.rows, limit, seed)
        stages.add_data(found_rows, data.total)
        budget += len(found_rows.cases)
    share = _SINGLE_RELATIONS if problem.single else _RELATIONS
    stages.add("corners", corners(problem, int(budget * _CORNERS), seed))
    stages.add("relations", relations(problem, int(budget * share), seed))
    least = int(budget * _MIXTURES)
    stages.add("exhaustive", exhaustive(problem, budget - len(stages) - least, seed))
    rest = max(least, budget - len(stages))
    if rest > 0:
        stages.add("mixtures", mixed(problem, rest, seed))
    room = budget - stages.distinct()
    if room > 0:
        stages.add("spread", wide(problem, room, seed))
    found = stages.search()
    for array in (*found.cases.inputs.values(), found.cases.ranges):
        array.flags.writeable = False  # shared by all losses that it is generated for
    return found


def forget() -> None:
    """Forget the cases that losses share, as a new process has none."""
    _search.cache_clear()
    forget_spreads()


def usual(
    arguments: Sequence[Argument], sizes: Mapping[str, int], classes: int, count: int
) -> CaseBlock:
    """A few ordinary float32 cases of one size; see `search`."""
    at = {argument.name: shapes.parse(argument.shape).at(sizes) for argument in arguments}
    return ordinary(Problem.of(arguments, at, "float32", classes), count, 0)


def affordable(at: Mapping[str, tuple[int, ...]]) -> int:
    """How many cases of these shapes hold about four million numbers."""
    return max(FEWEST, ELEMENTS // max(1, sum(math.prod(shape) for shape in at.values())))


def wide(problem: Problem, count: int, seed: int) -> CaseBlock:
    """Spread cases evenly over the working and the extreme range: at most `count` of them.

    They take the room that equal cases among the corners and the mixtures have left.
    """
    rng = np.random.default_rng((seed, 5))
    halves = ((Range.WORKING, count - count // 2), (Range.EXTREME, count // 2))
    return CaseBlock.concat(
        [problem.judge(problem.draw(part, reach, rng)) for reach, part in halves]
    )


def ordinary(problem: Problem, count: int, seed: int) -> CaseBlock:
    """Spread ordinary cases evenly over all arguments together: `count` of them.

    Raises
    ------
    UsageError
        Where a domain has no ordinary number of the dtype.
    """
    rng = np.random.default_rng((seed, 0))
    judged = problem.judge(problem.draw(int(count * _SPARE), Range.ORDINARY, rng))
    found = judged.take(judged.ranges == Range.ORDINARY)
    if not len(found):
        names = ", ".join(f"{item.name} ({item.domain.name})" for item in problem.variables)
        raise UsageError(
            f"No ordinary case exists in {problem.dtype} for {names}: expected every domain to "
            "hold numbers of that dtype. Declare a wider domain, or leave the dtype out."
        )
    return found.take(slice(count))
