"""A million numbers, evenly spread over the bits of the type, that are run and forgotten if sound.

Half-precision numbers leave gaps that a narrow fault falls into, and real labels are too many to
stand beside each of them. Cases of a lattice cost a tenth of others: they are not drawn, not judged
and not kept. What is not finite among them joins the other cases.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import attrs
import numpy as np

from losscheck.cases.exhaustive import HALVES, half_numbers
from losscheck.cases.problem import Problem
from losscheck.cases.variable import Variable
from losscheck.domains import layout
from losscheck.domains.numbers import Numbers
from losscheck.model import Array, Range

CASES = 1 << 20  # of one number
NUMBERS = 1 << 21  # in all predictions of more numbers together
CHUNK = 1 << 17  # numbers that are run at a time
KEPT = 8  # spreads, of up to 16 MiB each
_BACKGROUNDS = 1024  # ordinary cases from which the arguments besides label and prediction come
_GOLDEN = 0.618_033_988_75  # a share of all by which one goes on to meet each, far from the last


@attrs.frozen(eq=False)
class Lattice:
    """The cases, part by part.

    Parameters
    ----------
    problem
        What they are made for.
    values
        (k, *shape) predictions.
    labels
        (L, ...) tokens of the label, each beside all predictions or, of many numbers, mixed.
    what
        What they are, for the report.
    seed
        Of the arguments besides label and prediction.
    """

    problem: Problem
    values: Array
    labels: Array | None
    what: str
    seed: int

    def thinned(self, most: int) -> Lattice:
        """The same with about as many cases as there is room for, evenly spread."""
        rows = len(self.values) * self._turns
        step = -(-rows // max(1, most))
        if step == 1:
            return self
        what = f"{self.what}, one prediction in {step:,} of them"
        return attrs.evolve(self, values=self.values[::step], what=what)

    @property
    def _turns(self) -> int:
        """How often each prediction is run."""
        pred = self.problem.with_role("y_pred")
        single = pred is not None and pred.slots == 1
        return len(self.labels) if single and self.labels is not None else 1

    def parts(self) -> Iterator[dict[str, Array]]:
        """For each argument (n, *shape) in the dtype, about `CHUNK` numbers at a time."""
        rng = np.random.default_rng((self.seed, 6))
        drawn = self.problem.draw(_BACKGROUNDS, Range.ORDINARY, rng)
        pred, true = self.problem.with_role("y_pred"), self.problem.with_role("y_true")
        assert pred is not None
        rows = max(1, CHUNK // pred.size)
        turns: list[int | None] = [None]
        if self.labels is not None and pred.slots == 1:
            turns = list(range(len(self.labels)))
        for turn in turns:
            for first in range(0, len(self.values), rows):
                values = self.values[first : first + rows]
                found = {
                    name: np.resize(array.astype(values.dtype), (len(values), *array.shape[1:]))
                    for name, array in drawn.items()
                }
                found[pred.name] = values
                if true is not None and self.labels is not None:
                    found[true.name] = self._beside(true, first, len(values), turn)
                yield found

    def _beside(self, true: Variable, first: int, count: int, turn: int | None) -> Array:
        assert self.labels is not None
        if turn is not None:
            return layout.fill(np.repeat(self.labels[turn : turn + 1], count, axis=0), true.shape)
        chosen = _scattered(first * true.slots, count * true.slots, len(self.labels))
        return self.labels[chosen].reshape(count, *true.shape)


def lattice(problem: Problem, seed: int) -> Lattice | None:
    """Spread predictions over the bits of the type; None where they are no plain numbers.

    A prediction of one number takes the whole domain: every half-precision number beside as many
    labels as there is room for, or, where all labels fit beside those, more numbers of the type
    itself. One of more numbers takes the working range, where a single number does not overflow.
    """
    pred, true = problem.with_role("y_pred"), problem.with_role("y_true")
    if pred is None or not isinstance(pred.domain, Numbers) or pred.domain.integral:
        return None
    if problem.dtype in HALVES:  # other stages run all of its numbers
        return None
    if pred.slots > 1:
        values, step = _batches(pred.domain, pred.shape, problem.dtype)
        return Lattice(
            problem,
            values,
            None if true is None or not len(true.usual) else true.usual,
            f"one {problem.dtype} number in {step:,} of the working range",
            seed,
        )
    labels = None if true is None else true.tokens
    count = 1 if labels is None else len(labels)
    halves = half_numbers(pred.domain, problem.dtype)
    if 4 * len(halves) * count < CASES:
        numbers, step = _spread(pred.domain, CASES // count, problem.dtype)
        what = f"one {problem.dtype} number in {step:,} inside the domain"
    else:
        numbers, what = halves, "every half-precision number inside the domain"
    kept = labels
    if labels is not None:
        room = max(1, min(count, CASES // max(1, len(numbers))))
        kept = labels[np.linspace(0, count - 1, room).astype(int)]
        what += f" beside {room} of {count} labels each"
    return Lattice(problem, numbers.reshape(-1, *pred.shape), kept, what, seed)


def forget() -> None:
    """Forget the spreads that losses of the same domain share."""
    _spread.cache_clear()
    _batches.cache_clear()


@functools.lru_cache(maxsize=KEPT)
def _spread(domain: Numbers, count: int, dtype: str) -> tuple[Array, int]:
    """Spread single numbers over the whole domain; they are shared, and not to be written to."""
    numbers, step = domain.spread(count, dtype)
    numbers.flags.writeable = False
    return numbers, step


@functools.lru_cache(maxsize=KEPT)
def _batches(domain: Numbers, shape: tuple[int, ...], dtype: str) -> tuple[Array, int]:
    """Spread the numbers of (k, *shape) predictions over the working range, and mix them."""
    numbers, step = domain.spread(NUMBERS, dtype, working=True)
    slots = math.prod(shape)
    rows = len(numbers) // slots
    mixed = numbers[_scattered(0, rows * slots, len(numbers))].reshape(rows, *shape)
    mixed.flags.writeable = False
    return mixed, step


def _scattered(first: int, count: int, size: int) -> Array:
    """(count,) places among `size`, each met once in `size` of them, neighbours far apart."""
    stride = int(size * _GOLDEN) | 1
    while math.gcd(stride, size) > 1:
        stride += 2
    return (first + np.arange(count, dtype=np.int64)) * stride % size
