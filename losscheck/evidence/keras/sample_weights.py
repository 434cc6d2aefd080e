"""What weights do to the loss of a batch, beside Keras' reductions of the losses of its rows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck import domains
from losscheck.evidence.gather import Evidence
from losscheck.evidence.keras.training import why_not
from losscheck.evidence.keras.weight_formulas import matching, near
from losscheck.evidence.shape.layouts import LayoutRun
from losscheck.evidence.shape.reruns import independent
from losscheck.model import Argument, Array, Location
from losscheck.program.keras.keras_loss import (
    Weigh,
    by_argument,
    calls_itself,
    plainly,
    reductions,
    weighted,
)
from losscheck.program.quiet import said
from losscheck.rules.evidence import LeftOut, Refused
from losscheck.rules.shape.batch_coupling import BatchCoupling
from losscheck.rules.shape.silent_broadcast import SilentBroadcast
from losscheck.rules.training.training_fails import TrainingFails
from losscheck.settings.argument_names import weighs_samples
from losscheck.settings.shapes import parse

BATCHES = 2  # ordinary batches that are weighed: enough that no formula fits by chance
ROWS = 4  # of each
# Weights of four rows: all different, with a zero, of zeros and ones. No two have the same ratio of
# sum to number of non-zero ones, so that formulas are told apart.
UNEVEN = ((0.5, 2.0, 1.0, 0.25), (0.0, 1.0, 2.0, 0.5), (1.0, 0.0, 1.0, 1.0))
YES_OR_NO = ((1.0, 0.0, 1.0, 1.0), (0.0, 1.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


@attrs.frozen(kw_only=True, eq=False)
class Weighed:
    """A batch with weights."""

    inputs: Mapping[str, Array]
    weights: Array  # (B,) one a row
    # (B,) the loss of each row alone, with a weight of 1 and of 0 (NaN where not known).
    rows: Array
    empty: Array
    value: float | None  # what comes out, averaged; None if it raised
    error: str = ""
    reduction: str = ""  # that Keras was asked for; "" where the loss takes the weights itself


@attrs.frozen(kw_only=True, eq=False)
class Weighing:
    """How weights act."""

    # "argument": the loss takes them; "call": a Loss with a __call__ of its own; "keras": Keras
    # multiplies what the loss returns.
    how: str
    argument: str  # that takes them; "" for Keras'
    returns: tuple[int, ...]  # the shape of what the loss returns for a batch without weights
    prediction: tuple[int, ...]
    cases: tuple[Weighed, ...]
    formulas: tuple[str, ...]  # the reductions that fit every batch
    part: bool = False  # whether they fit a part of the loss, and the rest is not weighted
    # Whether nothing but its name says that the argument holds weights, and that name is not the
    # one that Keras gives to the weights of samples.
    guessed: bool = False
    shape: tuple[int, ...] = ()  # of the weights
    used_at: Location | None = None  # where the weights go into the loss

    @property
    def scalar(self) -> bool:
        """Whether Keras gets one number for the whole batch."""
        return self.how == "keras" and not self.returns

    @property
    def elements(self) -> bool:
        """Whether Keras gets a loss for every element, with the last axis not reduced."""
        wide = len(self.returns) == len(self.prediction) > 1 and self.returns[-1] != 1
        return self.how == "keras" and wide


def _made_of(whole: Array, rows: Array, shape: tuple[int, ...]) -> bool:
    """Say whether the loss of a batch is that of its rows: their mean or sum, or one by one.

    What is a leading part of the prediction's shape has rows of its own.
    """
    scale = float(np.abs(rows).mean())
    if whole.ndim and whole.shape == shape[: whole.ndim]:
        each = whole.reshape(len(rows), -1).mean(axis=1, dtype=np.float64)
        return all(near(*pair, scale) for pair in zip(each, rows, strict=True))
    mean = float(whole.mean(dtype=np.float64))
    return any(near(mean, total, scale) for total in (rows.mean(), rows.sum()))


def weighing(evidence: Evidence, layouts: Sequence[LayoutRun]) -> Weighing | LeftOut:
    """Weigh ordinary batches."""
    call, spec = evidence.programs.call, evidence.spec
    own, label = spec.named("weight"), spec.named("y_true")
    weight = own.name if own is not None else call.weight
    if calls_itself(call) and not weight:
        return LeftOut(f"its __call__ takes no weights: see {TrainingFails.code}")
    if weight:
        how, weigh = "call" if calls_itself(call) else "argument", by_argument(call, weight)
    else:
        reason = why_not(evidence)
        if reason or label is None:
            return LeftOut(reason or "it takes no labels")
        how, weigh = "keras", plainly(call, label.name)
    if own is not None and (reason := _unfit(evidence, layouts)):
        return LeftOut(reason)
    if not spec.batch or any(
        parse(a.shape).dims[:1] != (spec.batch,) for a in spec.arguments if a is not own
    ):
        return LeftOut("its arguments do not share a batch that could be weighted by rows")
    tried: list[Weighing | LeftOut] = []
    for shape in _shapes(evidence, own):
        tried.append(_Scale(evidence, how, weight, weigh, shape).weighed())
        if tried[-1] and tried[-1].formulas:
            return tried[-1]
    # Only what holds in every layout that the weights may have is held against the loss.
    taken = [one for one in tried if not isinstance(one, Refused)] or tried
    return next((one for one in taken if not one), taken[0])


def _shapes(evidence: Evidence, own: Argument | None) -> list[tuple[int, ...]]:
    """The shapes that weights of rows may come in, the likeliest first: one where it is given."""
    plain: list[tuple[int, ...]] = [(ROWS,), (ROWS, 1)]
    if own is None:
        return plain[:1] if not evidence.programs.call.weight else plain
    spec = evidence.spec
    given = spec.shapes({**spec.sizes, spec.batch: ROWS})[own.name]
    return list(dict.fromkeys([given, *plain])) if own.origin == "inferred" else [given]


def _unfit(evidence: Evidence, layouts: Sequence[LayoutRun]) -> str:
    """Say why the loss's own weights are not one a row, or what else speaks of them; "" if none."""
    own = evidence.spec.named("weight")
    assert own is not None
    if parse(own.shape).dims[:1] != (evidence.spec.batch,):
        return f"{own.name} {own.shape} holds no weight for each row of a batch"
    for run in layouts:
        if run.changed == own.name and run.differs and run.declared:
            return f"see {SilentBroadcast.code}: {own.name} is broadcast into another loss"
    if not domains.parse(own.domain).contains(np.ones((1, 1), np.float32)).all():
        return f"{own.name} in {own.domain} cannot be 1, so that there is nothing to compare with"
    return ""


class _Scale:
    def __init__(
        self, evidence: Evidence, how: str, weight: str, weigh: Weigh, shape: tuple[int, ...]
    ) -> None:
        self._evidence = evidence
        self._spec = evidence.spec
        self._how, self._weight, self._weigh = how, weight, weigh
        own = self._spec.named("weight")
        self._domain = "weight" if own is None else own.domain
        sizes = {**self._spec.sizes, self._spec.batch: ROWS}
        shapes = self._spec.shapes(sizes)
        self._shape = shape
        self._shapes = {name: s for name, s in shapes.items() if own is None or name != own.name}

    def weighed(self) -> Weighing | LeftOut:
        """Weigh some batches, if their rows do not depend on one another."""
        batches = [self._batch(i) for i in range(BATCHES)]
        cases: list[Weighed] = []
        returns: tuple[int, ...] = ()
        for inputs in batches:
            taken = self._taken_apart(inputs)
            if isinstance(taken, LeftOut):
                return taken
            whole, rows = taken
            returns = whole.shape
            if not _made_of(whole, rows, self._shapes[self._spec.prediction.name]):
                return LeftOut(self._why_not_rows(batches))
            if not rows.any():
                return LeftOut("the loss is 0 at weights of 1: it is no weight that it takes")
            cases += self._cases(inputs, rows, whole)
        if self._how != "keras" and (raised := next((c.error for c in cases if c.error), "")):
            return Refused(f"it does not take weights {self._shape}: {raised}"[:160])
        formulas = matching(cases)
        return Weighing(
            how=self._how,
            argument=self._weight,
            returns=returns,
            prediction=self._shapes[self._spec.prediction.name],
            cases=tuple(cases),
            formulas=formulas,
            part=not formulas and bool(matching(cases, part=True)),
            guessed=self._how == "argument" and self._guessed(),
            shape=self._shape,
            used_at=self._used_at(),
        )

    def _taken_apart(self, inputs: Mapping[str, Array]) -> tuple[Array, Array] | LeftOut:
        """The loss of a batch, and that of each row alone."""
        what = "an ordinary batch"
        try:
            whole = self._plain(inputs, np.ones(ROWS))
            what = "a batch of one"
            rows = np.asarray([self._row(inputs, i, 1.0) for i in range(ROWS)])
        except Exception as error:  # of layouts and calls other rules speak
            return Refused(f"{what} raises {type(error).__name__}")
        if not np.isfinite(whole).all():
            return LeftOut("the loss is not finite on ordinary batches")
        if not np.isfinite(rows).all():
            return LeftOut("the loss of a batch of one is not finite")
        return whole, rows

    def _why_not_rows(self, batches: Sequence[Mapping[str, Array]]) -> str:
        """Say why the loss of a batch is not made of those of its rows alone."""

        def run(inputs: Mapping[str, Array]) -> Array:
            each = ({n: a[i] for n, a in inputs.items()} for i in range(len(batches)))
            return np.stack([self._plain(one, np.ones(ROWS)) for one in each])

        if independent(run, {name: np.stack([b[name] for b in batches]) for name in batches[0]}):
            return f"a sample alone has another loss than in a batch: see {BatchCoupling.code}"
        return "its samples depend on each other: no weight is theirs alone"

    def _cases(self, inputs: Mapping[str, Array], rows: Array, whole: Array) -> list[Weighed]:
        domain = domains.parse(self._domain)
        empty = np.full(ROWS, np.nan)
        if self._how != "keras":
            with contextlib.suppress(Exception):  # a weight of zero divides by zero, say
                empty = np.asarray([self._row(inputs, i, 0.0) for i in range(ROWS)])
        made = []
        for pattern in YES_OR_NO if domain.integral else UNEVEN:
            weights = np.asarray(pattern, np.float32)
            if not domain.contains(weights[None, :]).all():
                weights = weights / weights.max()
            for reduction in reductions() if self._how == "keras" else ("",):
                value, error = self._value(inputs, weights, reduction, whole)
                made.append(
                    Weighed(
                        inputs=inputs,
                        weights=weights,
                        rows=rows,
                        empty=empty,
                        value=value,
                        error=error,
                        reduction=reduction,
                    )
                )
        return made

    def _value(
        self, inputs: Mapping[str, Array], weights: Array, reduction: str, whole: Array
    ) -> tuple[float | None, str]:
        try:
            if self._how == "keras":
                given = self._ranked(weights, whole)
                elements = given[0].size if reduction == "sum" else 1  # a row is their mean
                return weighted(whole, given, reduction) / elements, ""
            out = self._weigh(inputs, self._spread(weights))
        except Exception as error:
            return None, said(error)
        return float(out.mean(dtype=np.float64)), ""

    def _plain(self, inputs: Mapping[str, Array], weights: Array) -> Array:
        return self._weigh(inputs, self._spread(weights))

    def _row(self, inputs: Mapping[str, Array], i: int, weight: float) -> float:
        one = {name: array[i : i + 1] for name, array in inputs.items()}
        return float(self._plain(one, np.full(1, weight)).mean(dtype=np.float64))

    def _spread(self, weights: Array) -> Array:
        """Give every element of a row its weight."""
        shape = (len(weights), *self._shape[1:])
        spread = np.broadcast_to(weights.reshape(-1, *(1,) * (len(shape) - 1)), shape)
        return np.asarray(spread, np.float32)

    def _ranked(self, weights: Array, whole: Array) -> Array:
        """Give every element that the loss returns its weight, where its last axis is reduced.

        Keras multiplies without lining up axes: what is (B, T) takes weights (B, T).
        """
        if not 1 < whole.ndim < len(self._shapes[self._spec.prediction.name]):
            return weights
        shaped = weights.reshape(-1, *(1,) * (whole.ndim - 1))
        return np.asarray(np.broadcast_to(shaped, whole.shape), np.float32)

    def _batch(self, seed: int) -> dict[str, Array]:
        found = self._spec.ordinary(1, self._shapes, self._evidence.seed + 31 * seed)
        return {name: array[0] for name, array in found.items()}

    def _guessed(self) -> bool:
        own = self._spec.named("weight")
        return (own is None or own.origin == "inferred") and not weighs_samples(self._weight)

    def _used_at(self) -> Location | None:
        graph, program = self._evidence.main.wiring, self._evidence.main.program.graphed
        if graph is None or program is None:
            return None
        if self._how == "keras" or self._weight not in program.names:
            return None
        used = graph.depends(self._weight)
        for node in graph.forward:
            if not used.isdisjoint(node.inputs):
                found = program.traced.origins.location(node.name)
                if found is not None:
                    return found
        return None
