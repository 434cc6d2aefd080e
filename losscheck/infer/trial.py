"""One layout tried: whether the loss runs with it, how well it fits, and what it asks for."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from losscheck import domains
from losscheck.infer.fit import Faults, Fit, fit, rests_on_numbers
from losscheck.infer.known import Given
from losscheck.infer.layouts import Layout, Pair
from losscheck.infer.named import MANY, numbers_in
from losscheck.program.programs import Programs
from losscheck.program.running.refusals import refused
from losscheck.program.running.runnable import Runnable
from losscheck.program.tracing.trace import CallError

MOST_ELEMENTS = 1 << 19  # of a prediction that is tried
OTHER_BATCHES = (7, 11, 13)  # primes, which no number of parts divides
RANKS = re.compile(r"\brank\b|with \d+ dimension|index out of range", re.IGNORECASE)
UNEQUAL = re.compile(r"must be equal|must match|incompatible shapes", re.IGNORECASE)
OPERANDS = "with input shapes"  # what is behind it in a message of TensorFlow are all of them
ONE = re.compile(r"squeeze.*\b1\b", re.IGNORECASE | re.DOTALL)
TRIAL = 20  # operations that take as long to trace as what a trial costs beside its own


@attrs.frozen(kw_only=True, eq=False)
class Trial:
    """A layout that runs, and what is wrong with it."""

    layout: Layout
    fit: Fit | None = None  # None where there is no graph to read
    faults: Faults
    coincident: bool = False  # a size that was meant to be free is the only one that runs

    @property
    def right(self) -> bool:
        """Whether nothing is wrong but what the author may well mean."""
        return not self.faults.grave


@attrs.frozen(kw_only=True)
class Failure:
    """How far a layout that fails got, in operations that were traced, and what it asks for."""

    operations: int
    numbers: tuple[int, ...]
    unequal: bool  # two sizes should be one
    operands: str  # what an operation says of the shapes that it was given; "" if nothing did


@attrs.define
class Told:
    """What the trials of one pair of shapes say of all its layouts."""

    numbers: tuple[int, ...] = ()  # that messages name
    ends: tuple[int, ...] = ()  # where slices begin and end
    of_ranks: bool = False  # the number of axes is refused
    of_one: bool = False  # an axis of one is asked for
    hollow: bool = False  # it runs with nothing inside


class Trials:
    """Tries layouts of one loss, each once, and keeps what they tell.

    Attributes
    ----------
    seen
        What was tried.
    first
        The first layout that failed, and what it raised.
    told
        By pair.
    kinds
        The types of what is raised.
    ran
        Whether any layout did.
    spent
        What the trials have cost, in operations that were traced.
    """

    def __init__(self, programs: Programs, given: Given) -> None:
        self._programs = programs
        self._given = given
        self._failed: dict[Any, Failure] = {}
        self.seen: set[Any] = set()
        self.first: tuple[Layout, CallError] | None = None
        self.told: defaultdict[Pair, Told] = defaultdict(Told)
        self.kinds: set[type[BaseException]] = set()
        self.ran = False
        self.spent = 0

    def run(self, layout: Layout) -> Trial | None:
        """Run the loss in a layout; None where it raises, or was tried before."""
        at = layout.at()
        own = tuple(at.items())
        key = own, tuple(layout.shapes.items())
        large = math.prod(at[layout.prediction]) > MOST_ELEMENTS
        if key in self.seen or own in self._failed or large:
            return None
        first = not self.seen
        self.seen.add(key)
        self.spent += TRIAL
        try:
            program = self._programs.at(at) if first else self._forward_at(at)
            if first:
                self._run_on_numbers(program, at)
        except CallError as error:
            self._failed[own] = self._note(layout, error)
            return None
        self.ran = True
        if self._given.data is not None:
            return self._elsewhere(layout, None)
        found = self._fit(program, at)
        if found is None:
            return Trial(layout=layout, faults=Faults())
        told = self.told[layout.pair]
        told.ends = found.ends
        told.hollow |= found.faults.empty and not found.ends
        return self._elsewhere(layout, found)

    def failure(self, layout: Layout) -> Failure | None:
        """How a layout failed; None where it was not tried, or runs."""
        return self._failed.get(tuple(layout.at().items()))

    def _note(self, layout: Layout, error: CallError) -> Failure:
        """Keep what a message asks for; of numbers, those of the first messages of a pair."""
        self.first = self.first or (layout, error)
        self.spent += error.operations
        self.kinds.add(type(error.error))
        message, told = str(error), self.told[layout.pair]
        told.of_ranks |= RANKS.search(message) is not None
        told.of_one |= ONE.search(message) is not None
        if len(told.numbers) < MANY:
            named = numbers_in(message, layout.sizes.get(layout.batch, 0))
            told.numbers = tuple(dict.fromkeys((*told.numbers, *named)))
        return Failure(
            operations=error.operations,
            numbers=numbers_in(message, 0),
            unequal=UNEQUAL.search(message) is not None,
            operands=message if OPERANDS in message else "",
        )

    def _forward_at(self, at: Mapping[str, tuple[int, ...]]) -> Runnable:
        program = self._programs.forward_at(at, once=True)
        self._run_on_numbers(program, at)
        return program

    def _fit(self, program: Runnable, at: Mapping[str, tuple[int, ...]]) -> Fit | None:
        graphed = program.graphed
        if graphed is None:
            return None
        value = graphed.traced.value.shape
        returns = None if value.rank is None else tuple(value)
        return fit(graphed.wiring, returns, at, self._given.labels)

    def _run_on_numbers(self, program: Runnable, at: Mapping[str, Any]) -> None:
        """Run a loss whose shapes or assertions rest on numbers, as the user would.

        `CallError` where it fails on some of them; where the shapes are declared, which numbers an
        operation takes is another question.
        """
        if program.graphed is None or not rests_on_numbers(program.graphed.wiring):
            return
        rng = np.random.default_rng(0)
        classes = max(2, *at[self._given.prediction][-1:])
        known = {
            name: domains.parse(domain).ordinary(1, at[name], seed=0, classes=classes)[0]
            for name, domain in self._given.domains.items()
        }
        for draw in (rng.uniform, lambda low, high, shape: rng.integers(0, 2, shape)):
            inputs = {name: rng.uniform(0.1, 0.9, shape) for name, shape in at.items()}
            inputs |= {name: draw(0.1, 0.9, at[name]) for name in self._given.labels}
            inputs |= known
            single = {name: array.astype(np.float32) for name, array in inputs.items()}
            try:
                self._programs.runner.run(single, "eager")
            except CallError as error:
                if not (self._given.shapes.keys() >= at.keys() and refused(error.error)):
                    raise

    def _elsewhere(self, layout: Layout, found: Fit | None) -> Trial:
        """See that the batch is free, and write numbers for axes that are not."""
        batch = layout.batch
        more = {
            letter: size + 1
            for letter, size in layout.sizes.items()
            if letter != batch and letter not in self._given.letters
        }
        taken = {*more.values(), *layout.sizes.values()}
        other = {batch: next(n for n in OTHER_BATCHES if n not in taken)} if batch else {}
        of_batch = coincident = False
        grown = self._at(layout, elsewhere := {**other, **more})
        fixed: list[str] = []
        if isinstance(grown, CallError):
            fixed = [k for k in more if self._raises(layout, {k: more[k]})]
            first = layout.shapes[(*self._given.labels, layout.prediction)[0]]
            twice = any(first.dims.count(letter) > 1 for letter in fixed)
            of_batch = twice or (bool(other) and self._raises(layout, other))
            coincident = bool(fixed)
        elif found is not None and found.ends:
            fixed = self._growing(layout, found, self._fit(grown, layout.at(elsewhere)))
            dims = layout.shapes[layout.prediction].dims
            coincident = any(dims.count(letter) > 1 for letter in fixed)  # of two axes one is meant
        if found is not None and found.faults.crossed and batch:
            of_batch |= self._raises(layout, {batch: 1})
        for letter in fixed:
            layout = layout.numbered(letter)
        faults = Faults() if found is None else attrs.evolve(found.faults, of_batch=of_batch)
        return Trial(layout=layout, fit=found, faults=faults, coincident=coincident)

    def _growing(self, layout: Layout, found: Fit, grown: Fit | None) -> list[str]:
        """The letters of axes of which no more is used where they are longer."""
        if grown is None:
            return []
        letters = []
        for name in (layout.prediction, *self._given.labels):
            axes = set(grown.unused[name]) - set(found.unused[name])
            letters += [layout.shapes[name].dims[axis] for axis in sorted(axes)]
        return [k for k in dict.fromkeys(letters) if isinstance(k, str) and k in layout.sizes]

    def _raises(self, layout: Layout, sizes: Mapping[str, int]) -> bool:
        return isinstance(self._at(layout, sizes), CallError)

    def _at(self, layout: Layout, sizes: Mapping[str, int]) -> Runnable | CallError:
        try:
            return self._forward_at(layout.at(sizes))
        except CallError as error:
            return error
