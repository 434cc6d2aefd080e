"""A failing case at the smallest sizes that show it: places that hold only 0 are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.evidence.desk import Desk
from losscheck.evidence.search.sweep import Sweep
from losscheck.findings import locate
from losscheck.findings.shrink import suspected
from losscheck.model import Array
from losscheck.program.tracing.trace import CallError
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd
from losscheck.settings.budget import SIMPLER, CutError, strictly
from losscheck.settings.shapes import Shape, parse

READABLE = 6  # numbers of an argument that a reader takes in: a case of no more stays as it is
TRIES = 4  # sizes that are tried

Places = dict[str, Array]  # letter of a size -> the places of it that are kept


def smallest(
    desk: Desk, rule: Rule, crowd: Crowd, case: CaseBlock, key: str
) -> tuple[Crowd, CaseBlock]:
    """Cut a large case of a sweep down to the places that it needs.

    Parameters
    ----------
    case
        A block of one case, as simple as its sizes let it be.
    key
        What is to blame for it, and must stay so.

    Returns
    -------
    tuple
        The case, and the crowd with it as the whole population; both as given where no smaller
        one shows the same.
    """
    sizes = {name: array[0].size for name, array in case.inputs.items()}
    if max(sizes.values()) <= READABLE or not isinstance(crowd.population, Sweep):
        return crowd, case
    shapes = {a.name: parse(a.shape) for a in desk.evidence.spec.arguments}
    found = crowd, case
    try:
        with strictly(SIMPLER):
            for places in islice(_places(shapes, case), TRIES):
                found = _cut(desk, rule, crowd, case, key, places) or found
                if found[1] is not case:
                    break
    except CutError:
        pass
    return found


def _places(shapes: Mapping[str, Shape], case: CaseBlock) -> Iterator[Places]:
    """Give the places that hold a number other than 0, then one more of a size beside them."""
    busy: dict[str, set[int]] = {}
    long: dict[str, int] = {}
    for name, shape in shapes.items():
        filled = np.argwhere(case.inputs[name][0])
        for axis, letter in enumerate(shape.dims):
            if isinstance(letter, str):
                busy.setdefault(letter, set()).update(filled[:, axis].tolist())
                long[letter] = case.inputs[name].shape[1 + axis]
    # A softmax or a spread needs two places where one holds a number: of the last axis, mostly.
    for grown in ((), *((letter,) for letter in reversed(busy)), tuple(busy)):
        places = {}
        for letter, kept in busy.items():
            idle = [place for place in range(long[letter]) if place not in kept]
            least = idle[: (letter in grown) + (not kept)]
            places[letter] = np.asarray(sorted({*kept, *least}))
        if any(len(kept) < long[letter] for letter, kept in places.items()):
            yield places


def _cut(
    desk: Desk, rule: Rule, crowd: Crowd, case: CaseBlock, key: str, places: Places
) -> tuple[Crowd, CaseBlock] | None:
    """Keep some places of a case alone; None where that shows something else, or nothing."""
    evidence = desk.evidence
    inputs = dict(case.inputs)
    for argument in evidence.spec.arguments:
        for axis, letter in enumerate(parse(argument.shape).dims):
            if isinstance(letter, str):
                inputs[argument.name] = inputs[argument.name].take(places[letter], axis=1 + axis)
    sizes = {letter: len(kept) for letter, kept in places.items()}
    try:
        instance = evidence.instance_at(sizes)
        classes = evidence.classes(instance)
        problem = Problem.of(evidence.spec.arguments, instance.shapes, crowd.dtype, classes)
        small = problem.judge(inputs)
        if not len(small) or small.ranges[0] > case.ranges[0]:
            return None
        swept, program = crowd.population, evidence.programs.at(instance.shapes, crowd.dtype)
        again = evidence.run(program, small, crowd.dtype, "graph", scale=swept.scale)
    except CallError:
        return None
    if not len(suspected(desk, rule, crowd, again)):
        return None
    here = attrs.evolve(crowd, population=again, members=np.zeros(1, np.int64))
    return (here, small) if locate.blame(evidence, here, small)[0] == key else None
