"""What is known of the weights of a compiled model: loss and gradients at and after the start."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.evidence.keras.weight_slopes import Slopes, slopes
from losscheck.model import Array
from losscheck.program.keras.compiled import Compiled
from losscheck.program.keras.model_runs import Batch, Optimising, Run
from losscheck.program.keras.objective import Objective

STEPS = 3  # of the optimiser: what starts at 0 behind another 0 moves in the second
NUDGE = 2.0**-6  # of a weight's size: off every tie, and near enough to the start to be no other


@attrs.frozen(kw_only=True, eq=False)
class Moment:
    """The model on one batch at some point of its training."""

    steps: int  # of the optimiser before it
    training: bool  # called as in training, or as in evaluation
    weights: tuple[Array, ...]
    state: tuple[Array, ...]
    batch: Batch
    run: Run


@attrs.frozen(kw_only=True, eq=False)
class WeightEvidence:
    """All the evidence about the weights of one model."""

    compiled: Compiled
    # What it is trained on, called as in evaluation and as in training.
    objective: Objective
    training: Objective
    batches: tuple[Batch, ...]
    seed: int

    @functools.cached_property
    def initial(self) -> tuple[Array, ...]:
        """The weights as the model has them."""
        return tuple(weight.value for weight in self.objective.weights)

    @functools.cached_property
    def nudged(self) -> tuple[Array, ...]:
        """The weights a little off: where a relu stood at 0 exactly, it does no more."""
        return nudge(self.initial, self.seed)

    @functools.cached_property
    def start(self) -> tuple[Moment, ...]:
        """Every batch at the start, without dropout and the like."""
        return tuple(self._moment(self.initial, batch) for batch in self.batches)

    @functools.cached_property
    def near(self) -> tuple[Moment, ...]:
        """Every batch at the weights a little off."""
        return tuple(self._moment(self.nudged, batch) for batch in self.batches)

    @functools.cached_property
    def trained(self) -> tuple[Moment, ...]:
        """A few steps of training on one batch; the last one is evaluated alone.

        They end with the first that is not finite.
        """
        weights, state, batch = self.initial, self.training.state, self.batches[0]
        found: list[Moment] = []
        optimising = self._optimising
        for steps in range(STEPS + 1):
            run = self.training.run(weights, batch, state)
            found.append(
                Moment(
                    steps=steps,
                    training=True,
                    weights=weights,
                    state=state,
                    batch=batch,
                    run=run,
                )
            )
            if not run.finite or optimising is None or steps == STEPS:
                break
            weights, state = tuple(optimising.step(run.gradients)), run.state
        return tuple(found)

    @functools.cached_property
    def after(self) -> tuple[Moment, ...]:
        """Every batch after these steps, without dropout; nothing where they failed."""
        last = self.trained[-1]
        if last.steps < STEPS or not last.run.finite:
            return ()
        return tuple(self._moment(last.weights, batch, STEPS, last.state) for batch in self.batches)

    @functools.cached_property
    def _optimising(self) -> Optimising | None:
        if self.compiled.model.optimizer is None:
            return None
        try:
            return Optimising(self.compiled.model, self.initial)
        except Exception:  # an optimiser of the user's that cannot be made of its own settings
            return None

    @property
    def untrained(self) -> str:
        """Why no steps were taken; "" where they were."""
        if self.compiled.model.optimizer is None:
            return "the model is compiled without an optimiser"
        return "" if self._optimising is not None else "the optimiser cannot be copied"

    def looks_at_labels(self, part: int) -> bool:
        """Say whether other labels change one of the losses at all."""
        first = self.start[0]
        others = (
            self._moment(self.initial, first.batch.labelled(other)) for other in self.batches[1:]
        )
        return any(moment.run.parts[part] != first.run.parts[part] for moment in others)

    @functools.cached_property
    def slopes(self) -> Slopes:
        """The gradient against differences, near the start: exactly there it may lie at a tie."""
        reached = tuple(g is not None for g in self.start[0].run.gradients)
        return slopes(self.objective, self.nudged, self.batches[0], reached, self.seed)

    def _moment(
        self,
        weights: Sequence[Array],
        batch: Batch,
        steps: int = 0,
        state: Sequence[Array] | None = None,
    ) -> Moment:
        kept = self.objective.state if state is None else tuple(state)
        return Moment(
            steps=steps,
            training=False,
            weights=tuple(weights),
            state=kept,
            batch=batch,
            run=self.objective.run(weights, batch, kept),
        )

    def at(self, moment: Moment) -> Objective:
        """The graph that a moment was run in."""
        return self.training if moment.training else self.objective


def nudge(weights: Sequence[Array], seed: int) -> tuple[Array, ...]:
    """Move each number of each weight a little."""
    rng = np.random.default_rng(seed)
    return tuple(
        (w + NUDGE * size(w) * rng.uniform(-1, 1, w.shape)).astype(w.dtype) for w in weights
    )


def size(weight: Array) -> float:
    """The root of the mean square of a weight; 1 for one that is all zero."""
    found = float(np.sqrt(np.mean(np.square(weight, dtype=np.float64)))) if weight.size else 0.0
    return found if found > 0 and np.isfinite(found) else 1.0
