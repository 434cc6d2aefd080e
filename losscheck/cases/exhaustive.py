"""Every half-precision number, and a million evenly spread others: no gap for a fault to hide in.

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

from losscheck.cases.blocks import CaseBlock, spread
from losscheck.cases.problem import Problem, Variable
from losscheck.domains import OUTSIDE, Domain, layout
from losscheck.domains.floats import cast
from losscheck.domains.numbers import Numbers
from losscheck.model import Array, Range

_BACKGROUNDS = 1024  # ordinary cases from which all but label and prediction are taken
_BITS = np.arange(1 << 16, dtype=np.uint16)
_PATTERNS = {  # every number of a half type, as float32
    "float16": _BITS.view(np.float16).astype(np.float32),
    "bfloat16": (_BITS.astype(np.uint32) << np.uint32(16)).view(np.float32),
}
HALVES = {name: numbers[np.isfinite(numbers)] for name, numbers in _PATTERNS.items()}
_EVERY = np.unique(np.concatenate([a.view(np.uint32) for a in HALVES.values()])).view(np.float32)
CASES = 1 << 20  # of one number
NUMBERS = 1 << 21  # in all predictions of more numbers together
CHUNK = 1 << 17  # numbers that are run at a time
KEPT = 8  # spreads, of up to 16 MiB each
_GOLDEN = 0.618_033_988_75  # a share of all by which one goes on to meet each, far from the last


def half_numbers(domain: Domain, dtype: str) -> Array:
    """Give every float16 and every bfloat16 number inside an elementwise domain.

    Parameters
    ----------
    dtype
        The float type to give them in; a half type holds its own numbers alone.

    Returns
    -------
    Array
        (k,) in the storage dtype, ascending; 0 and -0 are two numbers.
    """
    numbers = cast(HALVES.get(dtype, _EVERY).astype(np.float64), dtype)
    numbers = numbers[np.lexsort((~np.signbit(numbers), numbers))]
    return numbers[domain.classify(numbers, dtype) < OUTSIDE]


def predictions(pred: Variable, dtype: str) -> Array | None:
    """Give every half-precision prediction: (k, *shape), or None where a case holds more.

    A prediction of one number takes them all; a row of two classes is (p, 1 - p).
    """
    if pred.domain.integral or pred.slots != 1:
        return None
    if pred.domain.elementwise:
        return half_numbers(pred.domain, dtype).reshape(-1, *pred.shape)
    if pred.domain.name != "simplex" or pred.size != 2:
        return None
    every = np.sort(HALVES.get(dtype, _EVERY)).astype(np.float64)
    parts = every[(every >= 0) & (every <= 1)]
    return np.stack([parts, 1.0 - parts], axis=-1).reshape(-1, *pred.shape)


def exhaustive(problem: Problem, limit: int, seed: int) -> CaseBlock:
    """Cross every half-precision prediction with the landmarks of the label.

    Where there is no room for all labels beside every prediction, the labels take turns, so that
    neighbouring predictions meet different ones; where there is none for all predictions, they
    are thinned evenly.

    Returns
    -------
    CaseBlock
        Empty where a case holds more than one number or row of two, or where there is no room.
    """
    pred, true = problem.with_role("y_pred"), problem.with_role("y_true")
    values = None if pred is None else predictions(pred, problem.dtype)
    if pred is None or values is None or limit < 1:
        return problem.nothing()
    values = spread(values, limit)
    rng = np.random.default_rng((seed, 2))
    labels = len(true.tokens) if true is not None else 1
    rounds = max(1, min(labels, limit // len(values)))
    number = np.tile(np.arange(len(values)), rounds)
    turn = np.repeat(np.arange(rounds), len(values))
    ordinary = problem.draw(_BACKGROUNDS, Range.ORDINARY, rng)
    chosen = rng.integers(_BACKGROUNDS, size=len(number))
    inputs = {name: drawn[chosen] for name, drawn in ordinary.items()}
    inputs[pred.name] = values[number]
    if true is not None:
        # Turns are spread over the labels, which are sorted: with few turns they lie far apart.
        shift = turn * (labels // rounds)
        inputs[true.name] = layout.fill(true.tokens[(number + shift) % labels], true.shape)
    return problem.judge(inputs)


def halves_met(pred: Variable, block: CaseBlock, dtype: str) -> dict[str, tuple[int, int]]:
    """Count the numbers of each half type among predictions, and those inside the domain.

    Parameters
    ----------
    block
        What `exhaustive` gave: its first round has every prediction once.

    Returns
    -------
    dict
        Half type -> how many of its numbers were met, of how many; both zeros count.
    """
    every = predictions(pred, dtype)
    assert every is not None
    inside = every.reshape(len(every), -1)[:, 0]
    met = block.inputs[pred.name][: len(every)].reshape(min(len(every), len(block)), -1)[:, 0]
    return {name: (int(holds(met).sum()), int(holds(inside).sum())) for name, holds in _IS.items()}


def _is_float16(numbers: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(numbers.astype(np.float16).astype(np.float64) == numbers)


def _is_bfloat16(numbers: Array) -> Array:
    single = numbers.astype(np.float32)
    return np.asarray(((single.view(np.uint32) & 0xFFFF) == 0) & (single == numbers))


_IS = {"float16": _is_float16, "bfloat16": _is_bfloat16}


@attrs.frozen(eq=False)
class Lattice:
    """The cases, part by part."""

    problem: Problem
    values: Array  # (k, *shape) predictions
    # (L, ...) tokens of the label, each beside all predictions or, of many numbers, mixed.
    labels: Array | None
    what: str  # what they are, for the report
    seed: int  # of the arguments besides label and prediction

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
        pred, true = self.problem.with_role("y_pred"), self.problem.with_role("y_true")
        assert pred is not None
        laid = {pred.name} if true is None or self.labels is None else {pred.name, true.name}
        # Wide ones take long to draw, and label and prediction are laid out.
        others = tuple(each for each in self.problem.variables if each.name not in laid)
        rng = np.random.default_rng((self.seed, 6))
        beside = attrs.evolve(self.problem, variables=others)
        drawn = beside.draw(_BACKGROUNDS, Range.ORDINARY, rng) if others else {}
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
        kept = spread(labels, room)
        what += f" beside {room} of {count} labels each"
    return Lattice(problem, numbers.reshape(-1, *pred.shape), kept, what, seed)


def forget_spreads() -> None:
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
