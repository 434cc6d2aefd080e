"""The gradient by the weights of a model against differences of its loss along directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics.projection import CONFIDENCE, climb_along, directions
from losscheck.numerics.quotients import derive
from losscheck.numerics.rungs import Samples
from losscheck.numerics.verdict import REWRITTEN_FLOOR, Agreement, Comparison, compare
from losscheck.program.keras.model_runs import Batch
from losscheck.program.keras.objective import Objective

PROBES = 3  # an error that one direction hides by chance shows in another
LARGE = 1 << 20  # numbers of all weights above which a single direction and two rows must do
ROWS = 2
FINE = 1e-4  # of the slope: what satisfies the wide steps, so that no finer ones are taken
LEAST = 2.0**-6  # scale of a weight that is all zero, and the smallest: a usual initial size
BLAMED = 256  # weights that are looked at one by one where the gradient is wrong

Line = Callable[[Array, float], float]
"""line(direction (n,), t) -> the loss where all weights have moved by t times the direction."""


@attrs.frozen(kw_only=True, eq=False)
class WrongSlope:
    """A weight whose gradient is not the derivative."""

    weight: int
    slope: float  # of the gradient, along a direction
    derivative: float  # of the loss
    stopped: bool  # right once what goes through `tf.stop_gradient` is held


@attrs.frozen(kw_only=True, eq=False)
class Slopes:
    """How the gradient compares."""

    points: int = 0  # directions that could be decided
    # Decimal digits that agree, in the middle; None where nothing was verified.
    digits: float | None = None
    error: float | None = None
    wrong: tuple[WrongSlope, ...] = ()  # weights by themselves; empty where the gradient is right
    reason: str = ""  # why nothing could be decided; "" where something was


def slopes(
    objective: Objective,
    weights: Sequence[Array],
    batch: Batch,
    reached: Sequence[bool],
    seed: int,
) -> Slopes:
    """Hold the gradient against differences, and find the weights for which it is wrong.

    Parameters
    ----------
    objective
        As in evaluation: nothing in it is random.
    weights, batch
        Where.
    reached
        Whether a gradient reaches each weight; the others stay where they are.
    seed
        Of the directions.
    """
    large = sum(w.size for w in weights) > LARGE
    if large and objective.any_rows:
        batch = batch.take(slice(0, ROWS))
    try:
        ladder = _Ladder(objective, weights, batch, reached, seed)
    except Exception as error:  # no kernel in float64 for one of its operations
        return Slopes(reason=f"the model does not run in float64 ({type(error).__name__})")
    if not np.isfinite(ladder.gradient).all():
        return Slopes(reason="the gradient is not finite")
    if not ladder.gradient.any():
        return Slopes(reason="the gradient is 0")
    whole = ladder.judged(ladder.every, 1 if large else PROBES)
    decided = whole.outcome != Agreement.INCONCLUSIVE
    if not decided.any():
        return Slopes(reason="no direction could be decided")
    ok = whole.outcome == Agreement.VERIFIED
    digits = whole.digits[ok & np.isfinite(whole.digits)]
    bad = decided & ~ok
    # What one direction says of a point that happens to lie at a tie, two others contradict.
    wrong = ladder.wrong() if bad.sum() > ok.sum() else ()
    return Slopes(
        points=int(decided.sum()),
        digits=float(np.median(digits)) if len(digits) else None,
        error=float(np.max(whole.difference[ok])) if ok.any() else None,
        wrong=wrong,
    )


class _Ladder:
    """Differences of one model's loss at one point."""

    def __init__(
        self,
        objective: Objective,
        weights: Sequence[Array],
        batch: Batch,
        reached: Sequence[bool],
        seed: int,
    ) -> None:
        self._objective = objective
        self._program = objective.double()
        self._weights = [np.asarray(w, np.float64) for w in weights]
        self._batch = batch
        self._reached = reached
        self._seed = seed
        self._ends = np.cumsum([0, *(w.size for w in self._weights)])
        self._x = np.concatenate([w.ravel() for w in self._weights])
        self._drawn = self._random()
        self.gradient = self._gradient()
        pairs = zip(self._weights, reached, strict=True)
        self._scale = np.concatenate([np.full(w.size, _scale(w) if r else 0.0) for w, r in pairs])
        self.every = np.ones(len(self._x), bool)
        largest = max((float(np.abs(a).max(initial=0.0)) for a in batch.arrays.values()), default=0)
        self._magnitude = max(1.0, largest)

    def _gradient(self) -> Array:
        names = [name for name in self._objective.gradients if name is not None]
        found = iter(self._program.once(names, self._feed(self._weights), self._drawn))
        return np.concatenate(
            [
                np.zeros(w.size) if name is None else np.asarray(next(found), float).ravel()
                for w, name in zip(self._weights, self._objective.gradients, strict=True)
            ]
        )

    def _random(self) -> dict[str, Array]:
        """What the model draws by itself, whatever its weights are: numbers to hold on to."""
        graph = self._objective.wiring(0)
        moving = self._objective.depending
        names = [
            tensor
            for node in graph.forward
            if node.stateful and node.floating and moving.isdisjoint(node.outputs)
            for tensor in node.outputs
        ]
        found = self._program.once(names, self._feed(self._weights)) if names else []
        return dict(zip(names, found, strict=True))

    def _feed(self, weights: Sequence[Array]) -> dict[str, Array]:
        return self._objective.feed(weights, self._batch)

    def _split(self, flat: Array) -> list[Array]:
        return [
            flat[self._ends[i] : self._ends[i + 1]].reshape(w.shape)
            for i, w in enumerate(self._weights)
        ]

    def _line(self, direction: Array, t: float) -> float:
        moved = self._split(self._x + t * direction)
        value = self._program.once([self._objective.value], self._feed(moved), self._drawn)
        return float(value[0])

    def judged(
        self, moved: Array, probes: int, line: Line | None = None, seed: int = 0
    ) -> Comparison:
        """Compare along directions in which only some of the numbers move."""
        drawn = directions(
            self._scale, probes, self._seed + seed, -np.inf, np.inf, self._x
        ) * moved.astype(float)
        expected = drawn @ self.gradient
        # Each number may be off by the floor; over random signs that adds up like a random walk.
        spread = np.fmax(CONFIDENCE * np.sqrt((drawn**2) @ (self.gradient**2)), np.abs(expected))
        take = line or self._line

        def compared(samples: Samples) -> Comparison:
            found = derive(samples, np.full(probes, self._magnitude), np.zeros(probes))
            self._found = found.value
            return compare(expected, found, REWRITTEN_FLOOR, spread)

        def along(which: Array, t: Array) -> Array:
            return np.array(
                [[take(drawn[k], float(step))] for k, step in zip(which, t, strict=True)]
            )

        def settled(samples: Samples) -> Array:
            result = compared(samples)
            right = result.outcome == Agreement.VERIFIED
            return np.asarray(right & (result.bound <= FINE * spread))

        result = compared(climb_along(along, probes, settled))
        self._expected = expected
        return result

    def wrong(self) -> tuple[WrongSlope, ...]:
        """The weights whose own share is wrong, one by one."""
        found = []
        held = self._held()
        for i in np.flatnonzero(self._reached)[:BLAMED]:
            moved = np.zeros(len(self._x), bool)
            moved[self._ends[i] : self._ends[i + 1]] = True
            if _is_wrong(self.judged(moved, 1, seed=1)):
                slope, derivative = float(self._expected[0]), float(self._found[0])
                stopped = held is not None and not _is_wrong(self.judged(moved, 1, held, seed=1))
                found.append(
                    WrongSlope(weight=int(i), slope=slope, derivative=derivative, stopped=stopped)
                )
        return tuple(found)

    def _held(self) -> Line | None:
        """The loss with what goes through `tf.stop_gradient` held at what it is here."""
        graph = self._objective.wiring(0)
        stops = tuple(
            tensor
            for node in graph.forward
            if node.type == "StopGradient"
            for tensor in node.outputs
        )
        if not stops:
            return None
        values = self._program.once(stops, self._feed(self._weights), self._drawn)
        held = {**self._drawn, **dict(zip(stops, values, strict=True))}

        def line(direction: Array, t: float) -> float:
            feed = self._feed(self._split(self._x + t * direction))
            return float(self._program.once([self._objective.value], feed, held)[0])

        return line


def _is_wrong(comparison: Comparison) -> bool:
    return bool(np.isin(comparison.outcome, (Agreement.MISMATCH, Agreement.OUTSIDE)).any())


def _scale(weight: Array) -> float:
    """The natural scale of a weight's numbers: a power of two about their size."""
    root = float(np.sqrt(np.mean(weight**2))) if weight.size else 0.0
    return float(2.0 ** np.floor(np.log2(max(root, LEAST))))
