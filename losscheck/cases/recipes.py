"""Recipes of blocks of cases, which Hypothesis draws."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs

from losscheck.model import Range

# The coin flips that describe an argument, and those that choose the relation.
_FLIPS = 6
_RELATION_FLIPS = 6
_REACHES = (Range.ORDINARY, Range.WORKING, Range.EXTREME, Range.ORDINARY)
_SPECIAL = (0.0, 0.1, 0.4, 0.0)  # share of the slots that hold a landmark
_MAGNITUDE = (1.0, 1e-4, 1e4, 1.0)  # on every value of a block: it brings large values together


@attrs.frozen
class Mood:
    """How one argument is drawn in a block.

    Parameters
    ----------
    reach
        The range of its values.
    special
        The share of its slots that hold a landmark of that range.
    magnitude
        A factor on all of its values.
    """

    reach: Range
    special: float
    magnitude: float

    @classmethod
    def of(cls, flips: Sequence[bool]) -> Mood:
        """Read the mood of an argument from its coin flips."""
        first, second, third = (2 * flips[i] + flips[i + 1] for i in (0, 2, 4))
        return cls(_REACHES[first], _SPECIAL[second], _MAGNITUDE[third])


@attrs.frozen
class Recipe:
    """A block of cases: a mood for each argument and a relation between them.

    Parameters
    ----------
    moods
        One an argument.
    relation
        A number below 64; every other one stands for no relation.
    """

    moods: tuple[Mood, ...]
    relation: int

    @classmethod
    def of(cls, flips: Sequence[bool], arguments: int) -> Recipe:
        """Read a recipe from its coin flips."""
        moods = (Mood.of(flips[i * _FLIPS : (i + 1) * _FLIPS]) for i in range(arguments))
        relation = sum(flip << i for i, flip in enumerate(flips[-_RELATION_FLIPS:]))
        return cls(tuple(moods), relation)


def recipes(arguments: int, count: int, seed: int) -> list[Recipe]:
    """Let Hypothesis describe blocks.

    Parameters
    ----------
    arguments
        Their number.
    count
        Blocks, at most.
    seed
        The same seed gives the same blocks, whatever else is imported.

    Notes
    -----
    Everything is drawn as coin flips: into integers and floats Hypothesis mixes constants that it
    reads in the modules at hand, which would make cases depend on what is imported, and it leaves a
    `.hypothesis` folder in the working directory. All settings are given, so that neither the
    user's profile nor a test that is running has a say.
    """
    width = arguments * _FLIPS + _RELATION_FLIPS
    # Hypothesis refuses to run inside one of the user's own tests, in the same thread that is.
    with ThreadPoolExecutor(1) as aside:
        drawn = aside.submit(_coin_flips, width, count, seed).result()
    return [Recipe.of(flips, arguments) for flips in drawn]


@functools.lru_cache(maxsize=64)  # the two sizes of a loss, and losses alike, share their recipes
def _coin_flips(width: int, count: int, seed: int) -> tuple[tuple[bool, ...], ...]:
    import hypothesis
    import hypothesis.strategies as st

    found: list[tuple[bool, ...]] = []
    private = hypothesis.settings(
        max_examples=count,
        derandomize=False,
        database=None,
        verbosity=hypothesis.Verbosity.quiet,
        phases=[hypothesis.Phase.generate],
        stateful_step_count=1,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        deadline=None,
        print_blob=False,
        backend="hypothesis",
    )
    flips = st.tuples(*[st.booleans()] * width)
    hypothesis.seed(seed)(private(hypothesis.given(flips)(lambda drawn: found.append(drawn))))()
    return tuple(found)
