"""Mixtures: Hypothesis describes blocks of cases, NumPy fills them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Change, Problem, Variable
from losscheck.cases.relations import changes
from losscheck.model import Argument, Array, Range

# Blocks a run: enough for every relation and every pair of ranges to come up; one costs Hypothesis
# about 0.4 ms.
_BLOCKS = 64
# A quarter more than asked for: what falls outside the domains is dropped.
_SPARE = 1.25
# The coin flips that describe an argument, and those that choose the relation.
_FLIPS = 6
_RELATION_FLIPS = 6
_REACHES = (Range.ORDINARY, Range.WORKING, Range.EXTREME, Range.ORDINARY)
_SPECIAL = (0.0, 0.1, 0.4, 0.0)  # share of the slots that hold a landmark
_MAGNITUDE = (1.0, 1e-4, 1e4, 1.0)  # on every value of a block: it brings large values together


def mixtures(
    arguments: Sequence[Argument],
    shapes: Mapping[str, tuple[int, ...]],
    count: int,
    seed: int,
    dtype: str = "float32",
    *,
    classes: int = 2,
) -> CaseBlock:
    """Draw cases that mix ranges, landmarks, magnitudes and relations.

    Parameters
    ----------
    shapes
        The shape of one case of each argument.
    dtype
        The float type of every input.
    classes
        The number of classes of `class_index` arguments.

    Returns
    -------
    CaseBlock
        Cases inside the domains, with their ranges; fewer than `count` where much was dropped.
    """
    return mixed(Problem.of(arguments, shapes, dtype, classes), count, seed)


def mixed(problem: Problem, count: int, seed: int) -> CaseBlock:
    """Draw the mixtures of a problem; see `mixtures`."""
    rng = np.random.default_rng((seed, 4))
    blocks = recipes(len(problem.variables), blocks_of(count), seed)
    room = -(-int(count * _SPARE) // len(blocks))
    found = changes(problem)
    # What overflows is outside every domain, and dropped.
    with np.errstate(over="ignore", invalid="ignore"):
        drawn = [_expand(problem, recipe, found, room, rng) for recipe in blocks]
        judged = problem.judge(
            {
                variable.name: np.concatenate([case[variable.name] for case in drawn])
                for variable in problem.variables
            }
        )
    return judged.take(np.sort(rng.permutation(len(judged))[:count]))


def blocks_of(count: int) -> int:
    """How many blocks Hypothesis describes for so many cases, at most."""
    return max(1, min(_BLOCKS, count // 16))


def _expand(
    problem: Problem,
    recipe: Recipe,
    found: Sequence[Change],
    room: int,
    rng: np.random.Generator,
) -> dict[str, Array]:
    """Fill a block: for each argument (room, *shape)."""
    inputs = {
        variable.name: _drawn(variable, mood, problem, room, rng)
        for variable, mood in zip(problem.variables, recipe.moods, strict=True)
    }
    number, none = divmod(recipe.relation, 2)
    if found and not none:
        inputs |= found[number % len(found)](inputs, rng)
    return inputs


def _drawn(
    variable: Variable, mood: Mood, problem: Problem, room: int, rng: np.random.Generator
) -> Array:
    domain = variable.domain
    # 2^-31 keeps logarithms and quantiles of the points finite.
    points = np.maximum(rng.random((room, domain.dimensions(variable.shape))), 2.0**-31)
    values = variable.draw(points, mood.reach, problem.dtype, problem.classes, rng)
    if domain.movable and not domain.integral:
        values = domain.clip(values * mood.magnitude)
    slots = values.reshape(room, variable.slots, -1)
    special = rng.random(slots.shape[:2]) < mood.special
    pool = variable.tokens if mood.reach is Range.EXTREME else variable.usual
    pool = pool.reshape(len(pool), -1)
    slots = np.where(
        special[..., np.newaxis], pool[rng.integers(len(pool), size=special.shape)], slots
    )
    return slots.reshape(values.shape)


@attrs.frozen
class Mood:
    """How one argument is drawn in a block."""

    reach: Range  # the range of its values
    special: float  # the share of its slots that hold a landmark of that range
    magnitude: float  # a factor on all of its values

    @classmethod
    def of(cls, flips: Sequence[bool]) -> Mood:
        """Read the mood of an argument from its coin flips."""
        first, second, third = (2 * flips[i] + flips[i + 1] for i in (0, 2, 4))
        return cls(_REACHES[first], _SPECIAL[second], _MAGNITUDE[third])


@attrs.frozen
class Recipe:
    """A block of cases: a mood for each argument and a relation between them."""

    moods: tuple[Mood, ...]  # one an argument
    relation: int  # a number below 64; every other one stands for no relation

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
