"""Where layouts to try come from: each generator gives some, and reads what earlier trials told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from losscheck.infer.known import Given
from losscheck.infer.layouts import Layout, Pair, Shapes, laid, layouts, numbered
from losscheck.infer.named import as_they_come, lengths, widths
from losscheck.infer.spec import last_letter
from losscheck.infer.trial import Failure, Trial, Trials

# Tried where a free last axis does not run; not the size of the batch, which may fit by accident.
WIDTHS: tuple[int, ...] = (2, 4, 5, 6, 7, 8, 9, 10, 12, 16)
# Sizes of the other axes, each divisible by more than the one before: patches, windows, pools. The
# multi-scale SSIM halves an image four times and then needs eleven pixels.
LONGER: tuple[Mapping[str, int], ...] = (
    {"T": 8, "H": 8, "W": 12, "D": 32},
    {"T": 16, "H": 16, "W": 16, "D": 128},
    {"T": 32, "H": 32, "W": 32, "D": 512},
    {"T": 128, "H": 64, "W": 64, "D": 2048},
    {"T": 512, "H": 176, "W": 176, "C": 1},
)
# Predictions so many times as wide as labels, or the reverse; the narrower ones have this width.
SHARES: tuple[int, ...] = (2, 3, 4, 5)
BASE = 3
LENGTHS = 8  # sizes of axes before the last one that something names
MOST_ASKED = 24  # widths of a pair that something names
MOST_MORE = 6  # sizes tried where an index may ask for one more
MOST_BEYOND = 4  # numbers that may be the columns of predictions, or of labels
MOST_LED = 8  # messages that are followed from one to the next


class Candidates:
    """The layouts of one loss that may be tried, the likeliest first.

    Parameters
    ----------
    given
        What is known of its arguments.
    pairs
        Shapes of labels and predictions, the likeliest first.
    trials
        What came of those that were tried.
    own
        Whole numbers in the code of the loss.
    """

    def __init__(
        self, given: Given, pairs: Sequence[Pair], trials: Trials, own: Sequence[int]
    ) -> None:
        self._given = given
        self._pairs = pairs
        self._trials = trials
        self._told = trials.told
        self._own = own

    def free(self) -> Iterator[Layout]:
        """Every pair with usual sizes of its letters."""
        return _of_each(self._pairs, self.options)

    def of_other_sizes(self) -> Iterator[Layout]:
        """Sizes that are asked for, then usual ones; 1 last, as everything fits it."""
        yield from _of_each((p for p in self._pairs if self._told[p].hollow), self._longer)
        able = [pair for pair in self._pairs if not self._told[pair].of_ranks]
        same = [pair for pair in able if pair[0] == pair[1]]
        other = [pair for pair in able if pair[0] != pair[1]]
        every = (*same, *other)
        yield from _of_each(every, self._at_once)
        yield from _of_each(every, self._led)
        yield from _of_each(same, self._asked, self._shares, self._beyond)
        yield from _of_each(other, self._asked)
        yield from _of_each(able, self._longer)
        yield from _of_each(every, self._usual)
        yield from _of_each(every, self._of_one, self._asked)

    def options(
        self, pair: Pair, sizes: Mapping[str, int] | None = None, width: int = 0
    ) -> Iterator[Layout]:
        """Vary the shapes of further arguments, until an operation fails that they do not come to.

        That is so where it is given the same shapes whatever theirs are.

        Parameters
        ----------
        sizes
            By letter, in place of the usual ones.
        width
            The size of the last letter, where there is one besides the batch.
        """
        said = ""
        for shapes in layouts(self._given.roles, self._given.shapes, (pair,)):
            layout = laid(self._given, pair, shapes, sizes or {})
            if width:
                letter = last_letter(shapes)
                if letter in ("", layout.batch):
                    continue
                layout = laid(self._given, pair, shapes, {letter: width})
            yield layout
            failure = self._trials.failure(layout)
            if failure is not None and failure.operands and failure.operands == said:
                return
            said = "" if failure is None else failure.operands

    def beside(self, pair: Pair) -> Iterator[Layout]:
        """Labels of other shapes beside the same prediction."""
        return _of_each([p for p in self._pairs if p[1] == pair[1]], self.options)

    def likelier(self, pair: Pair, *, itself: bool) -> Iterator[Layout]:
        """What likelier pairs asked for; with `itself` the pair, too."""
        before = self._pairs[: self._pairs.index(pair) + itself] if pair in self._pairs else ()
        able = (p for p in before if not self._told[p].of_ranks)
        return _of_each(able, self._asked, self._lengths)

    def _at_once(self, pair: Pair) -> Iterator[Layout]:
        """An axis of one that a message asks for, and the very widths that something names."""
        label, prediction = pair
        if self._told[pair].of_one:
            yield from self._of_one(pair)
            if label == prediction:  # labels may hold more: a time and whether it was an event
                yield from self.options((label, prediction.with_axis(-1, 1)))
        if label.dims[-1:] != (1,):  # which runs beside any width by broadcasting
            yield from self._asked(pair, plain=True)

    def _of_one(self, pair: Pair) -> Iterator[Layout]:
        return self.options(pair, width=1)

    def _asked(self, pair: Pair, *, plain: bool = False) -> Iterator[Layout]:
        """Widths that messages, slices and the code name, or that follow from these."""
        told = self._told[pair]

        def named() -> Iterable[int]:
            numbers = tuple(dict.fromkeys((*told.numbers, *self._own)))
            return widths(numbers, sorted({*told.ends, *self._own}), plain=plain)

        for width in as_they_come(named, MOST_ASKED):
            yield from self.options(pair, width=width)

    def _lengths(self, pair: Pair) -> Iterator[Layout]:
        """Axes before the last one of sizes that something names."""
        letters = [d for d in pair[1].dims[1:-1] if isinstance(d, str)]
        if letters:
            asked = as_they_come(lambda: lengths(self._told[pair].numbers, self._own), LENGTHS)
            for length in asked:
                yield from self.options(pair, dict.fromkeys(letters, length))

    def _longer(self, pair: Pair) -> Iterator[Layout]:
        for longer in LONGER:
            yield from self.options(pair, longer)
        yield from self._lengths(pair)

    def _usual(self, pair: Pair) -> Iterator[Layout]:
        for width in WIDTHS:
            yield from self.options(pair, width=width)

    def _shares(self, pair: Pair) -> Iterator[Layout]:
        """Predictions that hold several numbers for each label, and the reverse."""
        free = self._given.shapes.keys().isdisjoint((*self._given.labels, self._given.prediction))
        for share in SHARES if free and pair[1].rank > 1 else ():
            for label, prediction in ((BASE, share * BASE), (share * BASE, BASE)):
                yield from self.options(
                    (pair[0].with_axis(-1, label), pair[1].with_axis(-1, prediction))
                )

    def _beyond(self, pair: Pair) -> Iterator[Layout]:
        """Labels of more columns than predictions: what is seen, or how much a point counts.

        What is compared with the prediction is a slice, whose width a message names.
        """
        free = self._given.shapes.keys().isdisjoint((*self._given.labels, self._given.prediction))
        asked = self._told[pair].numbers[:MOST_BEYOND] if free and pair[1].rank > 1 else ()
        for width in asked:
            ends = (width + 1, width + 2, *(n + 1 for n in self._own[:MOST_BEYOND] if n > width))
            for columns in dict.fromkeys(ends):
                beyond = pair[0].with_axis(-1, columns), pair[1].with_axis(-1, width)
                yield from _of_each((beyond,), self.options, self._led)

    def _led(self, pair: Pair) -> Iterator[Layout]:
        """Follow one message after the other, each of which comes from further on in the loss.

        The first one says that two sizes should be one.
        """
        shapes = next(layouts(self._given.roles, self._given.shapes, (pair,)))
        wanted: dict[str, int] = {}
        for _ in range(MOST_LED):
            layout = laid(self._given, pair, shapes, wanted)
            here = self._trials.failure(layout)
            if here is None or not (wanted or here.unequal):
                return
            if layout.batch in pair[1].dims[1:]:  # another axis is as long as the batch
                return
            reached, further = (here.operations, False), wanted
            for letter, number in _asks(here, layout):
                tried = {**wanted, letter: number}
                there = laid(self._given, pair, shapes, tried, led=True)
                yield there
                failure = self._trials.failure(there)
                if failure is None:
                    return
                got = failure.operations, failure.numbers != here.numbers
                if got > reached:
                    reached, further = got, tried
            if further is wanted:
                return
            wanted = further

    def repairs(self, trial: Trial) -> Iterator[Layout]:
        """Leave out what is not used, and give parts of one some more."""
        found, layout = trial.fit, trial.layout
        if found is None or trial.faults.of_batch:
            return
        for name in (layout.prediction, *self._given.labels):
            for axis, used in found.unused[name].items():
                yield from self._shortened(layout, name, axis, used)
        asked = [*found.channels]
        if found.faults.empty:  # a slice may end behind the last column
            asked += found.ends[-1:]
        if found.faults.thin:
            asked += [BASE * pieces for pieces in found.pieces]
            asked += [end + BASE for end in found.ends[-1:]]
        for width in asked:
            yield from self._wider(layout, width)

    def _wider(self, layout: Layout, width: int) -> Iterator[Layout]:
        """Layouts in which the last axis of the prediction is wider, and that of labels like it."""
        last = {name: shape.dims[-1:] for name, shape in layout.shapes.items()}
        letter, alone = str(last[layout.prediction][0]), {layout.prediction}
        for names in ({n for n in last if last[n] == last[layout.prediction]}, alone):
            if names.isdisjoint(self._given.shapes):
                free = letter in layout.sizes and names != alone
                shapes = layout.shapes if free else _with_axis(layout.shapes, names, -1, width)
                yield self._like(layout, shapes, {letter: width})

    def _shortened(
        self, layout: Layout, name: str, axis: int, used: frozenset[int]
    ) -> Iterator[Layout]:
        """Layouts in which an axis is no longer than what is used of it."""
        if name in self._given.shapes or not used:
            return
        dim = layout.shapes[name].dims[axis]
        for size in dict.fromkeys((max(used) + 1, len(used))):
            free = isinstance(dim, str) and dim not in self._given.letters
            if free and name == layout.prediction:
                yield self._like(layout, numbered(layout.shapes, str(dim), size))
            yield self._like(layout, _with_axis(layout.shapes, {name}, axis, size))

    def _like(
        self, layout: Layout, shapes: Shapes, sizes: Mapping[str, int] | None = None
    ) -> Layout:
        """The same layout with other shapes or sizes, and the batch that fits these."""
        own = {letter: size for letter, size in layout.sizes.items() if letter != layout.batch}
        return laid(self._given, layout.pair, shapes, {**own, **(sizes or {})})


def _of_each(
    pairs: Iterable[Pair], *generators: Callable[[Pair], Iterator[Layout]]
) -> Iterator[Layout]:
    for pair in pairs:
        for generate in generators:
            yield from generate(pair)


def _with_axis(shapes: Shapes, names: set[str], axis: int, size: int) -> Shapes:
    """Write a number for an axis of some arguments."""
    return {
        name: shape.with_axis(axis, size) if name in names else shape
        for name, shape in shapes.items()
    }


def _asks(failure: Failure, layout: Layout) -> Iterator[tuple[str, int]]:
    """Letters whose size a message names, and the numbers that it names beside that.

    An index asks for one more, and names the number of its axis and not its size. The batch comes
    last: what runs with one batch alone may do so by chance.
    """
    numbers, sizes, batch = failure.numbers, layout.sizes, layout.batch
    named = [(k, n) for k, size in sizes.items() if size in numbers for n in numbers if n != size]
    named.sort(key=lambda ask: ask[0] == batch)
    free = [] if failure.unequal else [k for k in reversed([*sizes]) if k != batch]
    more = [(k, n + 1) for k in free for n in numbers if n + 1 > sizes[k]]
    yield from dict.fromkeys((*named, *more[:MOST_MORE]))
