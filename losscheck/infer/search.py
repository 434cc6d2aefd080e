"""The search for the layout of a loss: what runs is weighed by how well it fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.infer.fit import Fit, fit, rests_on_numbers
from losscheck.infer.given import Given
from losscheck.infer.layouts import (
    LONGER,
    SHARES,
    WIDTHS,
    Pairs,
    Shapes,
    layouts,
    with_axis,
    with_width,
)
from losscheck.infer.spec import BATCH, batch_beside, last_letter, main_sizes
from losscheck.infer.wanted import numbers_in, numbers_of, widths
from losscheck.program.batch import Program
from losscheck.program.modes import EagerProgram
from losscheck.program.programs import Programs
from losscheck.program.trace import CallError
from losscheck.shapes import parse

MOST_TRIED = 600
"""Layouts, each of which is traced in some 10 ms. With two arguments besides the pair these are all
that have free sizes; with four of them there would be thousands."""
MOST_ELEMENTS = 1 << 19  # of a prediction that is tried
LARGE = 1 << 12  # elements of a sample, of which a batch has two
MANY = 8  # sizes of axes before the last one that something names
OTHER_BATCHES = (7, 11, 13)  # primes, which no number of parts divides
RANKS = re.compile(r"\brank\b|with \d+ dimension|index out of range", re.IGNORECASE)
BASE = 3  # the width of the narrower one where labels and predictions have different widths


@attrs.frozen(kw_only=True, eq=False)
class Trial:
    """A layout that runs, and what is wrong with it."""

    shapes: Shapes
    sizes: dict[str, int]
    fit: Fit | None  # None where there is no graph to read
    faults: tuple[int, ...]  # the worst first; those of a layout that fits are 0
    coincident: bool = False  # a size that was meant to be free is the only one that runs

    @property
    def right(self) -> bool:
        """Whether nothing is wrong but what the author may well mean."""
        return not any(self.faults[:MAJOR])

    @property
    def only_apart(self) -> bool:
        """Whether nothing is wrong but what the loss returns."""
        found = [i for i in range(MAJOR) if self.faults[i]]
        return found == [APART] and not self.coincident


MOST_ASKED = 24  # widths of a pair that something names
APART = 2  # which of the faults that is
MAJOR = 6  # faults that make the search go on
Candidate = tuple[tuple[str, str], Shapes, dict[str, int]]
Found = tuple[Shapes, dict[str, int], CallError | None]


class Search:
    """Looks for the layout of one loss.

    Parameters
    ----------
    programs
        Its programs.
    given
        What is known of its arguments.
    pairs
        Shapes of labels and predictions, the likeliest first.
    thorough
        Whether other sizes than the usual ones are tried.
    """

    def __init__(self, programs: Programs, given: Given, pairs: Pairs, *, thorough: bool) -> None:
        self._programs = programs
        self._given = given
        self._pairs = pairs
        self._thorough = thorough
        self._prediction = programs.call.prediction
        self._labels = [name for name, role in given.roles.items() if role == "y_true"]
        self._own = numbers_of(programs.call.function)
        self._kinds: set[type[BaseException]] = set()  # of what is raised
        self._of_ranks: set[tuple[str, str]] = set()  # pairs whose number of axes is refused
        self._seen: set[Any] = set()
        self._failed: set[Any] = set()
        self._numbers: dict[tuple[str, str], tuple[int, ...]] = {}  # that a pair asked for
        self._ends: dict[tuple[str, str], tuple[int, ...]] = {}
        self._first: tuple[Shapes, dict[str, int], CallError] | None = None
        self._best: Trial | None = None

    def find(self) -> Found:
        """Find the layout that fits best; where none runs, the first one and what it raised."""
        for pair, shapes, sizes in self._candidates():
            trial = self._look(pair, shapes, sizes)
            if trial is not None and trial.right:
                if trial.coincident and self._thorough:
                    self._look_before(pair)
                break
            if trial is not None and trial.only_apart and trial is self._best:
                self._look_beside(pair)
                break
            if self._is_over():
                break
        if self._best is not None:
            return self._best.shapes, self._best.sizes, None
        assert self._first is not None  # there is at least one layout
        return self._first

    def _look(self, pair: tuple[str, str], shapes: Shapes, sizes: dict[str, int]) -> Trial | None:
        trial = self._try(pair, shapes, sizes)
        if trial is None:
            return None
        trial = self._repaired(pair, trial)
        if self._best is None or trial.faults < self._best.faults:
            self._best = trial
        return trial

    def _look_beside(self, pair: tuple[str, str]) -> None:
        """Try other labels where what comes out is no loss of samples.

        A label of another shape may run by broadcasting alone. Another prediction is not looked
        for: a loss may well return what it should not.
        """
        for other in self._pairs:
            for candidate in self._options(other, {}) if other[1] == pair[1] else ():
                trial = self._look(*candidate)
                if trial is not None and trial.right:
                    return

    def _look_before(self, pair: tuple[str, str]) -> None:
        """Give the likelier pairs what they asked for, before a size that fits by chance counts."""
        chance, self._best = self._best, None
        for likelier in self._pairs[: self._pairs.index(pair) if pair in self._pairs else 0]:
            for candidate in self._named_sizes(likelier):
                trial = self._look(*candidate)
                if trial is not None and trial.right:
                    self._best = trial
                    return
        self._best = chance

    def _is_over(self) -> bool:
        """Whether no other shape can help: a name that is missing is missing in all of them."""
        missing = (AttributeError, NameError, ImportError, NotImplementedError)
        hopeless = self._first is not None and isinstance(self._first[2].error, missing)
        return len(self._seen) >= MOST_TRIED or (self._best is None and hopeless)

    def _candidates(self) -> Iterator[Candidate]:
        """Free sizes, sizes that are asked for, then usual ones; 1 last, as everything fits it."""
        for pair in self._pairs:
            yield from self._options(pair, {})
        if not self._thorough or self._is_of_types():
            return
        able = [pair for pair in self._pairs if pair not in self._of_ranks]
        same = [pair for pair in able if pair[0] == pair[1]]
        other = [pair for pair in able if pair[0] != pair[1]]
        for pair in same:
            yield from self._asked(pair)
            yield from self._shares(pair)
        for pair in other:
            yield from self._asked(pair)
        for pair in able:
            yield from self._longer(pair)
        for pair in (*same, *other):
            for width in WIDTHS:
                yield from self._of_width(pair, width)
        for pair in (*same, *other):
            yield from self._of_width(pair, 1)
            yield from self._asked(pair)

    def _is_of_types(self) -> bool:
        """Whether types of numbers are all that is raised: other sizes do not help."""
        return self._best is None and self._kinds == {TypeError}

    def _options(self, pair: tuple[str, str], sizes: Mapping[str, int]) -> Iterator[Candidate]:
        for shapes in layouts(self._given.roles, self._given.shapes, (pair,)):
            yield pair, shapes, self._sizes(shapes, sizes)

    def _sizes(self, shapes: Shapes, wanted: Mapping[str, int]) -> dict[str, int]:
        """Sizes of the letters; the batch has a size that no other axis has."""
        parsed = {name: parse(text) for name, text in shapes.items()}
        own = main_sizes(parsed)
        sizes = {**own, **{letter: n for letter, n in wanted.items() if letter in own}}
        batch = self._batch(shapes)
        if batch in sizes:
            taken = {size for letter, size in sizes.items() if letter != batch}
            taken |= {d for shape in parsed.values() for d in shape.dims if isinstance(d, int)}
            large = np.prod([size for name, size in sizes.items() if name != batch]) > LARGE
            sizes[batch] = batch_beside(taken, 2 if large else BATCH)
        return {**sizes, **self._given.sizes}

    def _batch(self, shapes: Shapes) -> str:
        """The letter of the batch; "" where the prediction has none."""
        dims = parse(shapes[self._prediction]).dims[:1]
        return dims[0] if dims and isinstance(dims[0], str) else ""

    def _of_width(self, pair: tuple[str, str], width: int) -> Iterator[Candidate]:
        for shapes in layouts(self._given.roles, self._given.shapes, (pair,)):
            letter = last_letter({name: parse(text) for name, text in shapes.items()})
            if letter and letter != self._batch(shapes):
                yield pair, shapes, self._sizes(shapes, {letter: width})

    def _asked(self, pair: tuple[str, str]) -> Iterator[Candidate]:
        """Widths that messages, slices and the code name; what fails may name the next one."""
        done: set[int] = set()
        while len(done) < MOST_ASKED:
            ends = {*self._ends.get(pair, ()), *self._own}
            asked = widths(self._named(pair), sorted(ends))
            width = next((n for n in asked if n not in done), None)
            if width is None:
                return
            done.add(width)
            yield from self._of_width(pair, width)

    def _shares(self, pair: tuple[str, str]) -> Iterator[Candidate]:
        """Predictions that hold several numbers for each label, and the reverse."""
        if parse(pair[1]).rank < 2 or any(
            name in self._given.shapes for name in (*self._labels, self._prediction)
        ):
            return
        for share in SHARES:
            for label, prediction in ((BASE, share * BASE), (share * BASE, BASE)):
                there = with_axis(pair[0], -1, label), with_axis(pair[1], -1, prediction)
                yield from self._options(there, {})

    def _longer(self, pair: tuple[str, str]) -> Iterator[Candidate]:
        """Longer axes, and axes before the last one of sizes that something names."""
        for longer in LONGER:
            yield from self._options(pair, longer)
        yield from self._lengths(pair)

    def _lengths(self, pair: tuple[str, str]) -> Iterator[Candidate]:
        letters = [d for d in parse(pair[1]).dims[1:-1] if isinstance(d, str)]
        for number in self._named(pair)[:MANY] if letters else ():
            yield from self._options(pair, dict.fromkeys(letters, number))

    def _named_sizes(self, pair: tuple[str, str]) -> Iterator[Candidate]:
        if pair not in self._of_ranks:
            yield from self._asked(pair)
            yield from self._lengths(pair)

    def _named(self, pair: tuple[str, str]) -> tuple[int, ...]:
        return tuple(dict.fromkeys((*self._numbers.get(pair, ()), *self._own)))

    def _try(self, pair: tuple[str, str], shapes: Shapes, sizes: dict[str, int]) -> Trial | None:
        """Run the loss in a layout; None where it raises, or did so before."""
        at = {name: parse(text).at(sizes) for name, text in shapes.items()}
        key = tuple(at.items()), tuple(shapes.items())
        if (
            key in self._seen
            or key[0] in self._failed
            or np.prod(at[self._prediction]) > MOST_ELEMENTS
        ):
            return None
        first = not self._seen
        self._seen.add(key)
        try:
            program = self._programs.at(at) if first else self._programs.forward_at(at, once=True)
            self._runs_on_numbers(program, at)
        except CallError as error:
            self._first = self._first or (shapes, sizes, error)
            self._kinds.add(type(error.error))
            self._failed.add(key[0])
            self._note(pair, error, sizes.get(self._batch(shapes), 0))
            return None
        if self._given.data is not None or isinstance(program, EagerProgram):
            return Trial(shapes=shapes, sizes=sizes, fit=None, faults=(0,) * (MAJOR + 2))
        value = program.traced.value.shape
        found = fit(program.wiring, None if value.rank is None else tuple(value), at)
        self._ends[pair] = found.ends
        return self._elsewhere(Trial(shapes=shapes, sizes=sizes, fit=found, faults=self._of(found)))

    def _note(self, pair: tuple[str, str], error: CallError, batch: int) -> None:
        """Keep what a message asks for, of the first that a pair gives."""
        if RANKS.search(str(error)):
            self._of_ranks.add(pair)
        known = self._numbers.get(pair, ())
        if len(known) < MANY:
            self._numbers[pair] = tuple(dict.fromkeys((*known, *numbers_in(str(error), batch))))

    def _of(self, found: Fit, batch: bool = False) -> tuple[int, ...]:
        labels = [n for name in self._labels for n in found.unused.get(name, {})]
        return (
            int(batch),
            int(found.crossed),
            int(found.apart),
            int(found.empty),
            int(found.stretched),
            len(found.unused[self._prediction]),
            len(labels),
            int(found.thin),
        )

    def _runs_on_numbers(self, program: Program | EagerProgram, at: Mapping[str, Any]) -> None:
        """Run a loss whose shapes or assertions rest on numbers, as the user would.

        Raises
        ------
        CallError
            It fails on some of them.
        """
        if isinstance(program, EagerProgram) or not rests_on_numbers(program.wiring):
            return
        rng = np.random.default_rng(0)
        for draw in (rng.uniform, lambda low, high, shape: rng.integers(0, 2, shape)):
            inputs = {name: rng.uniform(0.1, 0.9, shape) for name, shape in at.items()}
            inputs |= {name: draw(0.1, 0.9, at[name]) for name in self._labels}
            single = {name: array.astype(np.float32) for name, array in inputs.items()}
            self._programs.runner.run(single, "eager")

    def _elsewhere(self, trial: Trial) -> Trial:
        """See that the batch is free, and write numbers for axes that are not."""
        declared = {k for t in self._given.shapes.values() for k in parse(t).letters}
        batch = self._batch(trial.shapes)
        free = [k for k in trial.sizes if k != batch and k not in declared]
        more = {letter: trial.sizes[letter] + 1 for letter in free}
        taken = {*more.values(), *trial.sizes.values()}
        other = {batch: next(n for n in OTHER_BATCHES if n not in taken)} if batch else {}
        both = self._fit_at(trial, {**other, **more})
        if isinstance(both, CallError):
            fixed = [k for k in free if isinstance(self._fit_at(trial, {k: more[k]}), CallError)]
            if trial.fit and other and isinstance(self._fit_at(trial, other), CallError):
                trial = attrs.evolve(trial, faults=self._of(trial.fit, batch=True))
            dims = parse(trial.shapes[self._prediction]).dims
            if trial.fit and any(dims.count(letter) > 1 for letter in fixed):
                trial = attrs.evolve(trial, faults=self._of(trial.fit, batch=True))
            trial = attrs.evolve(trial, coincident=bool(fixed))
        else:
            fixed = self._growing(trial, both)
        for letter in fixed:
            trial = _with_number(trial, letter)
        return trial

    def _growing(self, trial: Trial, more: Fit | None) -> list[str]:
        """The letters of axes of which no more is used where they are longer."""
        if more is None or trial.fit is None:
            return []
        letters = []
        for name in (self._prediction, *self._labels):
            dims = parse(trial.shapes[name]).dims
            axes = set(more.unused[name]) - set(trial.fit.unused[name])
            letters += [dims[axis] for axis in sorted(axes)]
        return [k for k in dict.fromkeys(letters) if isinstance(k, str) and k in trial.sizes]

    def _fit_at(self, trial: Trial, sizes: Mapping[str, int]) -> Fit | CallError | None:
        there = {**trial.sizes, **sizes}
        at = {name: parse(text).at(there) for name, text in trial.shapes.items()}
        try:
            program = self._programs.forward_at(at, once=True)
            self._runs_on_numbers(program, at)
        except CallError as error:
            return error
        sliced = trial.fit is not None and trial.fit.ends
        if not sliced or isinstance(program, EagerProgram):
            return None
        value = program.traced.value.shape
        return fit(program.wiring, None if value.rank is None else tuple(value), at)

    def _repaired(self, pair: tuple[str, str], trial: Trial) -> Trial:
        """Leave out what is not used, and give parts of one some more, as long as it helps."""
        best = trial
        for _ in range(4):
            tries = [self._try(pair, *layout) for layout in self._repairs(best)]
            better = min((t for t in tries if t is not None), key=_faults, default=best)
            if better.faults >= best.faults:
                return best
            best = better
        return best

    def _repairs(self, trial: Trial) -> Iterator[tuple[Shapes, dict[str, int]]]:
        if trial.fit is None or trial.faults[0] or not self._thorough:
            return
        for name in (self._prediction, *self._labels):
            for axis, used in trial.fit.unused[name].items():
                yield from self._shortened(trial, name, axis, used)
        if trial.fit.thin and self._prediction not in self._given.shapes:
            asked = [BASE * pieces for pieces in trial.fit.pieces]
            for width in (*asked, *(end + BASE for end in trial.fit.ends[-1:])):
                yield from self._wider(trial, width)

    def _wider(self, trial: Trial, width: int) -> Iterator[tuple[Shapes, dict[str, int]]]:
        """Layouts in which the last axis of the prediction is wider, and that of labels like it."""
        last = {name: parse(text).dims[-1:] for name, text in trial.shapes.items()}
        alone = {self._prediction}
        for names in ({n for n in last if last[n] == last[self._prediction]}, alone):
            if names.isdisjoint(self._given.shapes):
                letter = last[self._prediction][0]
                free = letter in trial.sizes and names != alone
                shapes = {
                    name: with_axis(text, -1, width) if name in names and not free else text
                    for name, text in trial.shapes.items()
                }
                yield shapes, self._sizes(shapes, {**trial.sizes, str(letter): width})

    def _shortened(
        self, trial: Trial, name: str, axis: int, used: frozenset[int]
    ) -> Iterator[tuple[Shapes, dict[str, int]]]:
        """Layouts in which an axis is no longer than what is used of it."""
        if name in self._given.shapes or not used:
            return
        dim = parse(trial.shapes[name]).dims[axis]
        for size in dict.fromkeys((max(used) + 1, len(used))):
            if isinstance(dim, str) and name == self._prediction and not self._is_given(dim):
                shapes = with_width(trial.shapes, dim, size)
                yield shapes, self._sizes(shapes, trial.sizes)
            alone = {**trial.shapes, name: with_axis(trial.shapes[name], axis, size)}
            yield alone, self._sizes(alone, trial.sizes)

    def _is_given(self, letter: str) -> bool:
        return any(letter in parse(text).letters for text in self._given.shapes.values())


def _faults(trial: Trial) -> tuple[int, ...]:
    return trial.faults


def _with_number(trial: Trial, letter: str) -> Trial:
    shapes = with_width(trial.shapes, letter, trial.sizes[letter])
    sizes = {name: size for name, size in trial.sizes.items() if name != letter}
    return attrs.evolve(trial, shapes=shapes, sizes=sizes)
