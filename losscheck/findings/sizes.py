"""A failing case at the smallest sizes that show it: places that hold only 0 are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem
from losscheck.evidence.desk import Desk
from losscheck.evidence.search.sweep import Sweep
from losscheck.findings import locate
from losscheck.findings.shrink import suspected
from losscheck.model import Argument, Array
from losscheck.program.tracing.trace import CallError
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd
from losscheck.settings.budget import SIMPLER, CutError, strictly
from losscheck.settings.shapes import Shape, parse

READABLE = 6  # numbers of an argument that a reader takes in: a case of no more stays as it is

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
        The case, and the crowd with a population that holds it; both as given where no smaller
        one shows the same.
    """
    evidence = desk.evidence
    shapes = {a.name: parse(a.shape) for a in evidence.spec.arguments}
    found = crowd, case
    try:
        with strictly(SIMPLER):
            for choices in (_samples, _places):
                if not _is_large(*found):
                    break
                cuts = (
                    _cut(desk, rule, *found, key, options)
                    for options in choices(shapes, found[1], evidence.spec.batch)
                )
                found = next((cut for cut in cuts if cut is not None), found)
    except CutError:
        pass
    return found


def _is_large(crowd: Crowd, case: CaseBlock) -> bool:
    most = max(array[0].size for array in case.inputs.values())
    return most > READABLE and isinstance(crowd.population, Sweep)


def _samples(shapes: Mapping[str, Shape], case: CaseBlock, batch: str) -> Iterator[list[Places]]:
    """Give each sample by itself, where several of them hold a number other than 0."""
    busy, long = _busy(shapes, case)
    if len(busy.get(batch, ())) > 1:
        every = {letter: np.arange(size) for letter, size in long.items()}
        yield [{**every, batch: np.asarray([sample])} for sample in sorted(busy[batch])]


def _busy(
    shapes: Mapping[str, Shape], case: CaseBlock
) -> tuple[dict[str, set[int]], dict[str, int]]:
    """The places of each letter that hold a number other than 0, and the size of each."""
    busy: dict[str, set[int]] = {}
    long: dict[str, int] = {}
    for name, shape in shapes.items():
        filled = np.argwhere(case.inputs[name][0])
        for axis, letter in enumerate(shape.dims):
            if isinstance(letter, str):
                busy.setdefault(letter, set()).update(filled[:, axis].tolist())
                long[letter] = case.inputs[name].shape[1 + axis]
    return busy, long


def _places(shapes: Mapping[str, Shape], case: CaseBlock, _: str) -> Iterator[list[Places]]:
    """Give the places that hold a number other than 0, then one more of a size beside them."""
    busy, long = _busy(shapes, case)
    # A softmax or a spread needs two places where one holds a number: of the last axis, mostly.
    letters = (*busy,)
    for grown in dict.fromkeys(((), letters[-1:], letters[1:], letters)):
        places = {}
        for letter, kept in busy.items():
            idle = [place for place in range(long[letter]) if place not in kept]
            least = idle[: (letter in grown) + (not kept)]
            places[letter] = np.asarray(sorted({*kept, *least}))
        if any(len(kept) < long[letter] for letter, kept in places.items()):
            yield [places]


def _cut(
    desk: Desk, rule: Rule, crowd: Crowd, case: CaseBlock, key: str, options: Sequence[Places]
) -> tuple[Crowd, CaseBlock] | None:
    """Keep some places of a case alone; None where that shows something else, or nothing.

    Parameters
    ----------
    options
        Places to choose from, as many of each letter.
    """
    evidence = desk.evidence
    arguments = evidence.spec.arguments
    inputs = {
        a.name: np.concatenate([_kept(a, case.inputs[a.name], places) for places in options])
        for a in arguments
    }
    sizes = {letter: len(kept) for letter, kept in options[0].items()}
    try:
        instance = evidence.instance_at(sizes)
        classes = evidence.classes(instance)
        small = Problem.of(arguments, instance.shapes, crowd.dtype, classes).judge(inputs)
        small = small.take(small.ranges <= case.ranges[0])
        if not len(small):
            return None
        swept, program = crowd.population, evidence.programs.at(instance.shapes, crowd.dtype)
        again = evidence.run(program, small, crowd.dtype, "graph", scale=swept.scale)
    except CallError:
        return None
    members = suspected(desk, rule, crowd, again)[:1]
    if not len(members):
        return None
    here = attrs.evolve(crowd, population=again, members=members)
    least = small.take(members)
    return (here, least) if locate.blame(evidence, here, least)[0] == key else None


def _kept(argument: Argument, array: Array, places: Places) -> Array:
    for axis, letter in enumerate(parse(argument.shape).dims):
        if isinstance(letter, str):
            array = array.take(places[letter], axis=1 + axis)
    return array
