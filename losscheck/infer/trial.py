"""One layout tried: whether the loss runs with it, how well it fits, and what mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck import domains
from losscheck.infer.fit import Fit, fit, rests_on_numbers
from losscheck.infer.known import Given
from losscheck.infer.layouts import MANY, Shapes, numbers_in, with_axis, with_width
from losscheck.infer.spec import BATCH, batch_beside, main_sizes
from losscheck.program.programs import Programs
from losscheck.program.running.refusals import refused
from losscheck.program.running.runnable import Runnable
from losscheck.program.tracing.trace import CallError
from losscheck.settings.shapes import parse

MOST_ELEMENTS = 1 << 19  # of a prediction that is tried
LARGE = 1 << 12  # elements of a sample, of which a batch has two
OTHER_BATCHES = (7, 11, 13)  # primes, which no number of parts divides
RANKS = re.compile(r"\brank\b|with \d+ dimension|index out of range", re.IGNORECASE)
UNEQUAL = re.compile(r"must be equal|must match|incompatible shapes", re.IGNORECASE)
OPERANDS = "with input shapes"  # what is behind it in a message of TensorFlow are all of them
ONE = re.compile(r"squeeze.*\b1\b", re.IGNORECASE | re.DOTALL)
BASE = 3  # the width of the narrower one where labels and predictions have different widths
OF_BATCH, APART = 0, 2  # which of the faults these are
MAJOR = 6  # faults that make the search go on
TRIAL = 20  # operations that take as long to trace as what a trial costs beside its own
Pair = tuple[str, str]


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
        return self._wrong == [APART] and not self.coincident

    @property
    def only_of_batch(self) -> bool:
        """Whether nothing is wrong but that no other batch runs."""
        return self._wrong == [OF_BATCH]

    @property
    def _wrong(self) -> list[int]:
        return [i for i in range(MAJOR) if self.faults[i]]


@attrs.frozen(kw_only=True)
class Failure:
    """How far a layout that fails got, in operations that were traced, and what it asks for."""

    operations: int
    numbers: tuple[int, ...]
    unequal: bool  # two sizes should be one
    operands: str  # what an operation says of the shapes that it was given; "" if nothing did


class Trials:
    """Tries layouts of one loss, and keeps what those that fail ask for.

    Attributes
    ----------
    seen
        What was tried.
    first
        The first layout that failed, and what it raised.
    kinds, of_ranks, of_one, hollow
        The types of what is raised, the pairs of which the number of axes is refused, those of
        which an axis of one is asked for, and those that run with nothing inside.
    spent
        What the trials have cost, in operations that were traced.
    numbers, ends
        By pair: what messages name, and where slices begin and end.
    """

    def __init__(self, programs: Programs, given: Given, *, thorough: bool) -> None:
        self._programs = programs
        self._given = given
        self._thorough = thorough
        self._prediction = programs.call.prediction
        self._labels = [name for name, role in given.roles.items() if role == "y_true"]
        self._failed: dict[Any, Failure] = {}
        self.seen: set[Any] = set()
        self.first: tuple[Shapes, dict[str, int], CallError] | None = None
        self.spent = 0
        self.kinds: set[type[BaseException]] = set()
        self.of_ranks: set[Pair] = set()
        self.of_one: set[Pair] = set()
        self.hollow: set[Pair] = set()
        self.numbers: dict[Pair, tuple[int, ...]] = {}
        self.ends: dict[Pair, tuple[int, ...]] = {}

    def sizes(
        self, shapes: Shapes, wanted: Mapping[str, int], batch_wanted: int = 0
    ) -> dict[str, int]:
        """Sizes of the letters; the batch has one that no other axis has, unless one is wanted."""
        parsed = {name: parse(text) for name, text in shapes.items()}
        own = main_sizes(parsed)
        sizes = {**own, **{letter: n for letter, n in wanted.items() if letter in own}}
        batch = self.batch(shapes)
        if batch in sizes and batch_wanted:
            sizes[batch] = batch_wanted
        elif batch in sizes:
            taken = {size for letter, size in sizes.items() if letter != batch}
            taken |= {d for shape in parsed.values() for d in shape.dims if isinstance(d, int)}
            large = np.prod([size for name, size in sizes.items() if name != batch]) > LARGE
            sizes[batch] = batch_beside(taken, 2 if large else BATCH)
        return {**sizes, **self._given.sizes}

    def batch(self, shapes: Shapes) -> str:
        """The letter of the batch; "" where the prediction has none."""
        dims = parse(shapes[self._prediction]).dims[:1]
        return dims[0] if dims and isinstance(dims[0], str) else ""

    def run(self, pair: Pair, shapes: Shapes, sizes: dict[str, int]) -> Trial | None:
        """Run the loss in a layout; None where it raises, or did so before."""
        at = {name: parse(text).at(sizes) for name, text in shapes.items()}
        key = tuple(at.items()), tuple(shapes.items())
        if (
            key in self.seen
            or key[0] in self._failed
            or np.prod(at[self._prediction]) > MOST_ELEMENTS
        ):
            return None
        first = not self.seen
        self.seen.add(key)
        self.spent += TRIAL
        try:
            program = self._programs.at(at) if first else self._programs.forward_at(at, once=True)
            self._runs_on_numbers(program, at)
        except CallError as error:
            self.first = self.first or (shapes, sizes, error)
            self.spent += error.operations
            self.kinds.add(type(error.error))
            batch = sizes.get(self.batch(shapes), 0)
            self._failed[key[0]] = Failure(
                operations=error.operations,
                numbers=numbers_in(str(error), 0),
                unequal=UNEQUAL.search(str(error)) is not None,
                operands=str(error) if OPERANDS in str(error) else "",
            )
            self._note(pair, error, batch)
            return None
        graphed = program.graphed
        if self._given.data is not None or graphed is None:
            return Trial(shapes=shapes, sizes=sizes, fit=None, faults=(0,) * (MAJOR + 2))
        value = graphed.traced.value.shape
        found = fit(graphed.wiring, None if value.rank is None else tuple(value), at, self._labels)
        self.ends[pair] = found.ends
        if found.empty and not found.ends:
            self.hollow.add(pair)
        return self._elsewhere(Trial(shapes=shapes, sizes=sizes, fit=found, faults=self._of(found)))

    def failure(self, shapes: Shapes, sizes: Mapping[str, int]) -> Failure | None:
        """How a layout failed; None where it was not tried, or runs."""
        return self._failed.get(tuple((n, parse(text).at(sizes)) for n, text in shapes.items()))

    def _note(self, pair: Pair, error: CallError, batch: int) -> None:
        """Keep what a message asks for, of the first that a pair gives."""
        if RANKS.search(str(error)):
            self.of_ranks.add(pair)
        if ONE.search(str(error)):
            self.of_one.add(pair)
        known = self.numbers.get(pair, ())
        if len(known) < MANY:
            self.numbers[pair] = tuple(dict.fromkeys((*known, *numbers_in(str(error), batch))))

    def _of(self, found: Fit, batch: bool = False) -> tuple[int, ...]:
        labels = [n for name in self._labels for n in found.unused.get(name, {})]
        return (
            int(batch),
            int(found.crossed),
            found.apart + found.scattered,
            int(found.empty),
            int(found.stretched or bool(found.channels)),
            len(found.unused[self._prediction]),
            len(labels),
            int(found.thin),
        )

    def _runs_on_numbers(self, program: Runnable, at: Mapping[str, Any]) -> None:
        """Run a loss whose shapes or assertions rest on numbers, as the user would.

        `CallError` where it fails on some of them; where the shapes are declared, which numbers an
        operation takes is another question.
        """
        if program.graphed is None or not rests_on_numbers(program.graphed.wiring):
            return
        rng = np.random.default_rng(0)
        classes = max(2, *at[self._prediction][-1:])
        known = {
            name: domains.parse(domain).ordinary(1, at[name], seed=0, classes=classes)[0]
            for name, domain in self._given.domains.items()
        }
        for draw in (rng.uniform, lambda low, high, shape: rng.integers(0, 2, shape)):
            inputs = {name: rng.uniform(0.1, 0.9, shape) for name, shape in at.items()}
            inputs |= {name: draw(0.1, 0.9, at[name]) for name in self._labels}
            inputs |= known
            single = {name: array.astype(np.float32) for name, array in inputs.items()}
            try:
                self._programs.runner.run(single, "eager")
            except CallError as error:
                if not (self._given.shapes.keys() >= at.keys() and refused(error.error)):
                    raise

    def _elsewhere(self, trial: Trial) -> Trial:
        """See that the batch is free, and write numbers for axes that are not."""
        declared = {k for t in self._given.shapes.values() for k in parse(t).letters}
        batch = self.batch(trial.shapes)
        free = [k for k in trial.sizes if k != batch and k not in declared]
        more = {letter: trial.sizes[letter] + 1 for letter in free}
        taken = {*more.values(), *trial.sizes.values()}
        other = {batch: next(n for n in OTHER_BATCHES if n not in taken)} if batch else {}
        both = self._fit_at(trial, {**other, **more})
        if isinstance(both, CallError):
            fixed = [k for k in free if isinstance(self._fit_at(trial, {k: more[k]}), CallError)]
            if trial.fit and other and isinstance(self._fit_at(trial, other), CallError):
                trial = attrs.evolve(trial, faults=self._of(trial.fit, batch=True))
            first = (*self._labels, self._prediction)[0]
            dims = parse(trial.shapes[first]).dims
            if trial.fit and any(dims.count(letter) > 1 for letter in fixed):
                trial = attrs.evolve(trial, faults=self._of(trial.fit, batch=True))
            trial = attrs.evolve(trial, coincident=bool(fixed))
        else:
            fixed = self._growing(trial, both)
        if trial.fit and trial.fit.crossed and batch:
            alone = self._fit_at(trial, {batch: 1})
            of_batch = bool(trial.faults[OF_BATCH]) or isinstance(alone, CallError)
            trial = attrs.evolve(trial, faults=self._of(trial.fit, batch=of_batch))
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
        graphed = program.graphed
        if not sliced or graphed is None:
            return None
        value = graphed.traced.value.shape
        return fit(graphed.wiring, None if value.rank is None else tuple(value), at, self._labels)

    def repaired(self, pair: Pair, trial: Trial) -> Trial:
        """Leave out what is not used, and give parts of one some more, as long as it helps."""
        best = trial
        for _ in range(4):
            tries = [self.run(pair, *layout) for layout in self._repairs(best)]
            better = min((t for t in tries if t is not None), key=_faults, default=best)
            if better.faults >= best.faults:
                break
            best = better
        dims = parse(pair[1]).dims
        if best is not trial and len(set(dims)) < len(dims):  # one of two axes is what was meant
            return attrs.evolve(best, coincident=True)
        return best

    def _repairs(self, trial: Trial) -> Iterator[tuple[Shapes, dict[str, int]]]:
        if trial.fit is None or trial.faults[0] or not self._thorough:
            return
        for name in (self._prediction, *self._labels):
            for axis, used in trial.fit.unused[name].items():
                yield from self._shortened(trial, name, axis, used)
        if self._prediction in self._given.shapes:
            return
        for channels in trial.fit.channels:
            yield from self._wider(trial, channels)
        if trial.fit.empty:  # a slice may end behind the last column
            for end in trial.fit.ends[-1:]:
                yield from self._wider(trial, end)
        if trial.fit.thin:
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
                yield shapes, self.sizes(shapes, {**trial.sizes, str(letter): width})

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
                yield shapes, self.sizes(shapes, trial.sizes)
            alone = {**trial.shapes, name: with_axis(trial.shapes[name], axis, size)}
            yield alone, self.sizes(alone, trial.sizes)

    def _is_given(self, letter: str) -> bool:
        return any(letter in parse(text).letters for text in self._given.shapes.values())


def _faults(trial: Trial) -> tuple[int, ...]:
    return trial.faults


def _with_number(trial: Trial, letter: str) -> Trial:
    shapes = with_width(trial.shapes, letter, trial.sizes[letter])
    sizes = {name: size for name, size in trial.sizes.items() if name != letter}
    return attrs.evolve(trial, shapes=shapes, sizes=sizes)
