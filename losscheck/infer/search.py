"""The search for the layout of a loss: what runs is weighed by how well it fits."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping

from losscheck.infer.known import Given
from losscheck.infer.layouts import (
    LONGER,
    SHARES,
    WIDTHS,
    Pairs,
    Shapes,
    layouts,
    lengths,
    numbers_of,
    widths,
    with_axis,
)
from losscheck.infer.spec import last_letter
from losscheck.infer.trial import APART, BASE, OF_BATCH, Failure, Pair, Trial, Trials
from losscheck.program.programs import Programs
from losscheck.program.structures import structures
from losscheck.program.tracing.trace import CallError
from losscheck.settings.budget import within
from losscheck.settings.shapes import parse

MOST_TRIED = 600
"""Layouts, each of which is traced in some 10 ms. With two arguments besides the pair these are all
that have free sizes; with four of them there would be thousands."""
MOST_SPENT = 20_000
"""Operations traced in trials that fail, of which a second traces some 3,000."""
SHARE = 0.4  # of the budget, to which it may last
LENGTHS = 8  # sizes of axes before the last one that something names
MOST_ASKED = 24  # widths of a pair that something names
MOST_MORE = 6  # sizes tried where an index may ask for one more
MOST_LED = 8  # messages that are followed from one to the next
Candidate = tuple[Pair, Shapes, dict[str, int]]
Found = tuple[Shapes, dict[str, int], CallError | None]


class Search:
    """Looks for the layout of one loss.

    Parameters
    ----------
    given
        What is known of its arguments.
    pairs
        Shapes of labels and predictions, the likeliest first.
    thorough
        Whether other sizes than the usual ones are tried.
    """

    def __init__(self, programs: Programs, given: Given, pairs: Pairs, *, thorough: bool) -> None:
        self._given = given
        self._call = programs.call
        self._pairs = pairs
        self._thorough = thorough
        self._prediction = programs.call.prediction
        self._labels = [name for name, role in given.roles.items() if role == "y_true"]
        self._own = numbers_of(programs.call.function)
        self._trials = Trials(programs, given, thorough=thorough)
        self._best: Trial | None = None
        self._last: Trial | None = None
        self._hopeless: bool | None = None  # once something has failed

    def find(self) -> Found:
        """Find the layout that fits best; where none runs, the first one and what it raised."""
        candidates = self._candidates()
        if not self._settles(*next(candidates)):
            with within(SHARE, "not all shapes were tried"):
                next((found for found in candidates if self._settles(*found)), None)
        if self._best is not None:
            return self._best.shapes, self._best.sizes, None
        assert self._trials.first is not None  # there is at least one layout
        return self._trials.first

    def _settles(self, pair: Pair, shapes: Shapes, sizes: dict[str, int]) -> bool:
        """Look at a layout, and at what it suggests; say whether no other need be tried."""
        trial = self._look(pair, shapes, sizes)
        if trial is not None and trial.right:
            if trial.coincident and self._thorough:
                self._look_before(pair)
            return True
        if trial is not None and trial is self._best and self._is_own_form(trial):
            self._look_beside(pair)
            if self._thorough and self._best is not None and not self._best.right:
                uneven = trial.fit is not None and trial.fit.uneven
                self._look_before(pair, itself=uneven)
            return True
        return self._is_over()

    def _is_own_form(self, trial: Trial) -> bool:
        """Whether it seems to be the loss itself that returns no loss of samples."""
        return trial.only_apart and (self._trials.first is None or trial.faults[APART] == 1)

    def _look(self, pair: Pair, shapes: Shapes, sizes: dict[str, int]) -> Trial | None:
        trial = self._last = self._trials.run(pair, shapes, sizes)
        if trial is None:
            return None
        trial = self._last = self._trials.repaired(pair, trial)
        if self._explains_away(trial):
            return None
        if self._best is None or trial.faults < self._best.faults:
            self._best = trial
        return trial

    def _explains_away(self, trial: Trial) -> bool:
        """Whether labels of more axes than the prediction would take the place of a fault.

        Samples that meet others in a layout which runs with every batch may well be one, unless the
        loss itself writes an axis out for what labels have.
        """
        ranks = {name: parse(text).rank for name, text in trial.shapes.items()}
        more = any(ranks[name] > ranks[self._prediction] for name in self._labels)
        if not more or self._best is None or self._best.fit is None:
            return False
        return not self._best.faults[OF_BATCH] and not self._best.fit.raised

    def _look_beside(self, pair: Pair) -> None:
        """Try other labels where what comes out is no loss of samples.

        A label of another shape may run by broadcasting alone. Another prediction is not looked
        for: a loss may well return what it should not.
        """
        for other in self._pairs:
            for candidate in self._options(other, {}) if other[1] == pair[1] else ():
                trial = self._look(*candidate)
                if trial is not None and trial.right:
                    return

    def _look_before(self, pair: Pair, *, itself: bool = False) -> None:
        """Give the likelier pairs what they asked for, before a size that fits by chance counts.

        With `itself` the pair, too, whose parts would have equal widths then.
        """
        chance, self._best = self._best, None
        better: Trial | None = None
        before = self._pairs[: self._pairs.index(pair) + itself] if pair in self._pairs else ()
        try:
            for likelier in before:
                for candidate in self._named_sizes(likelier):
                    trial = self._look(*candidate)
                    if trial is not None and trial.right:
                        better = trial
                        return
        finally:  # whatever ends it
            self._best = better or chance

    def _is_over(self) -> bool:
        """Whether no other shape can help: a name, or an end, is missing in all of them."""
        if self._hopeless is None and self._trials.first is not None:
            error = self._trials.first[2].error
            named = isinstance(error, AttributeError | NameError | ImportError)
            other = isinstance(error, NotImplementedError | RecursionError | EOFError)
            self._hopeless = named or other or bool(structures(self._call, error))
        hopeless = self._best is None and self._hopeless is True
        spent = len(self._trials.seen) >= MOST_TRIED or self._trials.spent >= MOST_SPENT
        return hopeless or spent

    def _candidates(self) -> Iterator[Candidate]:
        """Free sizes, sizes that are asked for, then usual ones; 1 last, as everything fits it."""
        for pair in self._pairs:
            yield from self._options(pair, {})
        if not self._thorough or self._is_of_types():
            return
        for pair in self._pairs:
            if pair in self._trials.hollow:  # it runs, and its windows do not fit in
                yield from self._longer(pair)
        able = [pair for pair in self._pairs if pair not in self._trials.of_ranks]
        same = [pair for pair in able if pair[0] == pair[1]]
        other = [pair for pair in able if pair[0] != pair[1]]
        for pair in (*same, *other):
            if pair in self._trials.of_one:
                yield from self._of_width(pair, 1)
                if pair in same:  # labels may hold more: a time and whether it was an event
                    yield from self._options((pair[0], with_axis(pair[1], -1, 1)), {})
            if parse(pair[0]).dims[-1:] != (1,):  # which runs beside any width by broadcasting
                yield from self._asked(pair, plain=True)
        for pair in (*same, *other):
            if (yield from self._led(pair)):
                return
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
        return self._best is None and self._trials.kinds == {TypeError}

    def _options(self, pair: Pair, sizes: Mapping[str, int]) -> Iterator[Candidate]:
        yield from self._varied(pair, lambda shapes: sizes)

    def _of_width(self, pair: Pair, width: int) -> Iterator[Candidate]:
        def wanted(shapes: Shapes) -> Mapping[str, int] | None:
            letter = last_letter({name: parse(text) for name, text in shapes.items()})
            return {letter: width} if letter and letter != self._trials.batch(shapes) else None

        yield from self._varied(pair, wanted)

    def _varied(
        self, pair: Pair, wanted: Callable[[Shapes], Mapping[str, int] | None]
    ) -> Iterator[Candidate]:
        """Give the shapes of further arguments, until an operation fails that they do not come to.

        That is so where it is given the same shapes whatever theirs are.
        """
        said = ""
        for shapes in layouts(self._given.roles, self._given.shapes, (pair,)):
            sizes = wanted(shapes)
            if sizes is None:
                continue
            there = self._trials.sizes(shapes, sizes)
            yield pair, shapes, there
            failure = self._trials.failure(shapes, there)
            if failure is not None and failure.operands and failure.operands == said:
                return
            said = "" if failure is None else failure.operands

    def _asked(self, pair: Pair, *, plain: bool = False) -> Iterator[Candidate]:
        """Widths that messages, slices and the code name; what fails may name the next one."""
        done: set[int] = set()
        while len(done) < MOST_ASKED:
            ends = {*self._trials.ends.get(pair, ()), *self._own}
            asked = widths(self._named(pair), sorted(ends), plain=plain)
            width = next((n for n in asked if n not in done), None)
            if width is None:
                return
            done.add(width)
            yield from self._of_width(pair, width)

    def _led(self, pair: Pair) -> Generator[Candidate, None, bool]:
        """Follow one message after the other, each of which comes from further on in the loss.

        The first one says that two sizes should be one.
        Gives whether that led to where the loss runs with one batch alone: that is its own.
        """
        shapes = next(layouts(self._given.roles, self._given.shapes, (pair,)))
        batch = self._trials.batch(shapes)
        wanted: dict[str, int] = {}
        if batch in parse(pair[1]).dims[1:]:  # another axis is as long as the batch
            return False
        for _ in range(MOST_LED):
            sizes = self._trials.sizes(shapes, wanted, wanted.get(batch, 0))
            here = self._trials.failure(shapes, sizes)
            if here is None or not (wanted or here.unequal):
                break
            reached, further = (here.operations, False), wanted
            for letter, number in _asks(here, sizes, batch):
                tried = {**wanted, letter: number}
                there = self._trials.sizes(shapes, tried, tried.get(batch, 0))
                yield pair, shapes, there
                failure = self._trials.failure(shapes, there)
                if failure is None:
                    return self._keeps_own_batch()
                got = failure.operations, failure.numbers != here.numbers
                if got > reached:
                    reached, further = got, tried
            if further is wanted:
                break
            wanted = further
        return False

    def _keeps_own_batch(self) -> bool:
        """Keep what was tried last where no other batch runs and nothing else is wrong with it."""
        if self._last is None or not self._last.only_of_batch:
            return False
        self._best = self._last
        return True

    def _shares(self, pair: Pair) -> Iterator[Candidate]:
        """Predictions that hold several numbers for each label, and the reverse."""
        if parse(pair[1]).rank < 2 or any(
            name in self._given.shapes for name in (*self._labels, self._prediction)
        ):
            return
        for share in SHARES:
            for label, prediction in ((BASE, share * BASE), (share * BASE, BASE)):
                there = with_axis(pair[0], -1, label), with_axis(pair[1], -1, prediction)
                yield from self._options(there, {})

    def _longer(self, pair: Pair) -> Iterator[Candidate]:
        """Longer axes, and axes before the last one of sizes that something names."""
        for longer in LONGER:
            yield from self._options(pair, longer)
        yield from self._lengths(pair)

    def _lengths(self, pair: Pair) -> Iterator[Candidate]:
        letters = [d for d in parse(pair[1]).dims[1:-1] if isinstance(d, str)]
        done: set[int] = set()
        while letters and len(done) < LENGTHS:
            asked = lengths(self._trials.numbers.get(pair, ()), self._own)
            length = next((n for n in asked if n not in done), None)
            if length is None:
                return
            done.add(length)
            yield from self._options(pair, dict.fromkeys(letters, length))

    def _named_sizes(self, pair: Pair) -> Iterator[Candidate]:
        if pair not in self._trials.of_ranks:
            yield from self._asked(pair)
            yield from self._lengths(pair)

    def _named(self, pair: Pair) -> tuple[int, ...]:
        return tuple(dict.fromkeys((*self._trials.numbers.get(pair, ()), *self._own)))


def _asks(failure: Failure, sizes: Mapping[str, int], batch: str) -> Iterator[tuple[str, int]]:
    """Letters whose size a message names, and the numbers that it names beside that.

    An index asks for one more, and names the number of its axis and not its size. The batch comes
    last: what runs with one batch alone may do so by chance.
    """
    numbers = failure.numbers
    named = [(k, n) for k, size in sizes.items() if size in numbers for n in numbers if n != size]
    named.sort(key=lambda ask: ask[0] == batch)
    free = [] if failure.unequal else [k for k in reversed([*sizes]) if k != batch]
    more = [(k, n + 1) for k in free for n in numbers if n + 1 > sizes[k]]
    yield from dict.fromkeys((*named, *more[:MOST_MORE]))
