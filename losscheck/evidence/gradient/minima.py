"""Losses at right predictions beside losses at wrong ones, where the domains say what right is.

A constant inside a logarithm may make a large loss of right predictions, the surer they are: in
-y * log(p + 1e-7) it keeps a wrong prediction's loss finite, but where the logarithm is added, as
in log(total + 1e-10) - score, it stops falling while the other term goes on, and what cancels
without the constant is left of the surest predictions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, Population
from losscheck.cases.problem import Problem
from losscheck.cases.relations import labelled, target
from losscheck.domains.rows import one_hot
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import usual
from losscheck.model import Argument, Array, Inputs, Location
from losscheck.program.running.program import Program
from losscheck.program.tracing.wiring import Node, Wiring

CASES = 256  # ordinary batches
LOWER = 0.01  # of the ordinary loss: by less, a regulariser or a margin moves the minimum
STEPS = (1.0, 2.0, 4.0, 8.0)  # times as far from the label as the ordinary prediction
DOUBTS = (0.4, 0.2, 0.05, 1e-3)  # probability of the right class, ever more wrong
LOGITS = (1.0, 2.0, 4.0, 8.0)  # sizes of logits
SURER = (0.5, 0.7, 0.9, 0.999)  # of the way from shares to the largest alone
CERTAIN = 1e-3  # doubt of a right probability: 0 and 1 themselves may be out of reach
# What sets a label against a prediction, so that an undeclared pair is one of like things.
_AGAINST = frozenset(
    {"Sub", "SquaredDifference", "RealDiv", "Div", "DivNoNan", "Equal", "NotEqual"}
)
LARGER = (4.0, 16.0)  # times the logits of a right prediction: 32 and 128
SMALL = 1e-3  # a constant above it is no guard
_FLOORS = frozenset({"Add", "AddV2", "Maximum"})


@attrs.frozen(kw_only=True, eq=False)
class RightAndWrong(Population):
    """Batches whose predictions are right, and batches with the same labels that are ever worse.

    Attributes
    ----------
    cases
        The batches with predictions as wrong as ordinary ones are.
    right
        (N,) the loss where every prediction is right.
    wrong
        (N, steps) the loss where every prediction is wrong, more so from step to step; the first
        step is `cases`.
    scale
        The ordinary loss.
    """

    right: Array
    wrong: Array
    right_inputs: Inputs  # the predictions that are right, (N, *shape)
    scale: float
    rerun: Callable[[CaseBlock], RightAndWrong]

    @property
    def lower(self) -> Array:
        """(N,) bool: the wrong prediction has the lower loss, and by more than a little."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.wrong[:, 0] < self.right - LOWER * self.scale)

    @property
    def falling(self) -> Array:
        """(N,) bool: the loss falls from step to step as the prediction gets worse."""
        with np.errstate(invalid="ignore"):
            change = np.diff(self.wrong, axis=1)
            return np.asarray((change < -LOWER * self.scale).all(axis=1))


Predict = Callable[[Array, Array], tuple[Array, list[Array]]]


def right_and_wrong(evidence: Evidence) -> RightAndWrong | None:
    """Compare right with wrong; None where the domains do not say which is which."""
    main, sweep = evidence.main, evidence.main_sweep
    problem = Problem.of(evidence.spec.arguments, main.shapes, "float32", evidence.classes(main))
    label = evidence.spec.named("y_true")
    predict = _predict(evidence, problem)
    index = usual(sweep.ranges)[:CASES]
    if predict is None or label is None or not len(index) or not _used(main, label.name):
        return None
    return _observe(evidence, main, predict, sweep.cases.take(index), sweep.scale.value)


def _observe(
    evidence: Evidence, instance: Instance, predict: Predict, cases: CaseBlock, scale: float
) -> RightAndWrong:
    label = evidence.spec.named("y_true")
    assert label is not None
    name = evidence.spec.prediction.name
    low, high = evidence.box
    given = (np.asarray(cases.inputs[n], np.float64) for n in (label.name, name))
    right, wrong = predict(*given)

    def totals(prediction: Array) -> Array:
        moved = np.clip(prediction, low, high).astype(np.float32)
        return instance.program.run({**cases.inputs, name: moved}).total

    first = CaseBlock({**cases.inputs, name: wrong[0].astype(np.float32)}, cases.ranges)
    return RightAndWrong(
        cases=first,
        right=totals(right),
        wrong=np.stack([totals(step) for step in wrong], axis=1),
        right_inputs={name: right},
        scale=scale,
        rerun=lambda others: _observe(evidence, instance, predict, others, scale),
    )


def _used(instance: Instance, label: str) -> bool:
    """Say whether the loss depends on the label at all."""
    graph = instance.wiring
    return graph is not None and graph.value in graph.depends(label)


def _predict(evidence: Evidence, problem: Problem) -> Predict | None:
    """Give right and ever worse predictions of labels, or None where nothing says which."""
    true, pred = problem.with_role("y_true"), problem.with_role("y_pred")
    if true is None or pred is None or pred.domain.integral:
        return None
    if pred.domain.name == true.domain.name == "simplex" and _alike(evidence):
        return lambda y, _: _surer(y)
    if labelled(true, pred):
        low, high = pred.domain.bounds
        bounded = math.isfinite(low) and math.isfinite(high)
        if bounded:
            return lambda y, _: _probabilities(target(y, true, pred), pred.domain.name, low, high)
        if pred.domain.name == "logits":
            return lambda y, _: _logits(target(y, true, pred))
        return None
    if problem.pair is None or not pred.domain.elementwise or not _alike(evidence):
        return None
    return _away


def _away(label: Array, prediction: Array) -> tuple[Array, list[Array]]:
    """The label itself, and predictions ever farther from it."""
    return label, [label + (prediction - label) * step for step in STEPS]


def _surer(label: Array) -> tuple[Array, list[Array]]:
    """The shares themselves, and predictions ever surer of the largest of them than they are."""
    largest = one_hot(label.argmax(axis=-1), label.shape[-1])
    return label, [label + step * (largest - label) for step in SURER]


def _probabilities(right: Array, name: str, low: float, high: float) -> tuple[Array, list[Array]]:
    wrong = np.roll(right, 1, axis=-1) if name == "simplex" else 1.0 - right
    spans = [(1.0 - d) * wrong + d * right for d in DOUBTS]
    certain = (1.0 - CERTAIN) * right + CERTAIN * wrong
    return low + (high - low) * certain, [low + (high - low) * part for part in spans]


def _logits(right: Array) -> tuple[Array, list[Array]]:
    signs = 2.0 * right - 1.0
    wrong = np.roll(signs, 1, axis=-1) if right.shape[-1] > 1 and _rows(right) else -signs
    return LOGITS[-1] * signs, [size * wrong for size in LOGITS]


def _rows(right: Array) -> bool:
    """Say whether the labels are rows with one right class."""
    return bool((right.sum(axis=-1) == 1.0).all())


def _alike(evidence: Evidence) -> bool:
    """Say whether label and prediction are like things: declared so, or set against each other."""
    label, prediction = evidence.spec.named("y_true"), evidence.spec.prediction
    if label is None or label.domain != prediction.domain:
        return False
    if _certain(label) and _certain(prediction):
        return True
    graph = evidence.main.wiring
    return graph is not None and _against(graph, label.name)


def _certain(argument: Argument) -> bool:
    return argument.origin in ("declared", "known")


def _against(graph: Wiring, label: str) -> bool:
    """Say whether an operation takes the label on one side and the prediction on the other."""
    sides: Mapping[str, frozenset[str]] = {
        "label": graph.depends(label),
        "prediction": graph.depends(graph.prediction),
    }
    for node in graph.forward:
        if node.type in _AGAINST and len(node.inputs) > 1:
            labels = [t in sides["label"] and t not in sides["prediction"] for t in node.inputs]
            others = [t in sides["prediction"] and t not in sides["label"] for t in node.inputs]
            if any(labels) and any(others):
                return True
    return False


@attrs.frozen(kw_only=True, eq=False)
class Floor:
    """A sure and right prediction, whose loss is above that of a wrong one.

    Attributes
    ----------
    value, wrong
        Its loss, and that of an ordinary wrong prediction of the same labels.
    without
        Its loss without the constant.
    constant, location
        What is added inside the logarithm, and where that is.
    count
        How many of the batches are such.
    """

    inputs: Inputs
    value: float
    wrong: float
    without: float
    constant: float
    count: int
    location: Location | None


def floor(evidence: Evidence, right_and_wrong: RightAndWrong | None) -> Floor | None:
    """Look for one, where predictions are logits, which have no end."""
    rated, name = right_and_wrong, evidence.spec.prediction.name
    if rated is None or evidence.spec.prediction.domain != "logits":
        return None
    double = evidence.programs.double(evidence.main.shapes).graphed
    if double is None:
        return None
    guards = list(_guards(double.wiring))
    usual = np.fmax(rated.right, rated.wrong[:, 0])
    for times in LARGER if guards else ():
        inputs = {**rated.cases.inputs, name: (times * rated.right_inputs[name]).astype(np.float32)}
        value = evidence.main.program.run(inputs).total
        with np.errstate(invalid="ignore"):
            risen = np.isfinite(value) & (value - usual > LOWER * rated.scale)
        if not risen.any():
            continue
        worst = int(np.argmax(np.where(risen, value - usual, -np.inf)))
        one = {argument: array[worst] for argument, array in inputs.items()}
        for log, constant in guards:
            without = _held(double, one, constant.outputs[0])
            if np.isfinite(without) and without - usual[worst] <= LOWER * rated.scale:
                return Floor(
                    inputs=one,
                    value=float(value[worst]),
                    wrong=float(rated.wrong[worst, 0]),
                    without=without,
                    constant=float(np.ravel(constant.constant)[0]),  # type: ignore[arg-type]
                    count=int(risen.sum()),
                    location=double.traced.origins.location(log.name),
                )
    return None


def _guards(graph: Wiring) -> Iterator[tuple[Node, Node]]:
    """Logarithms of a prediction's numbers with a small constant, each with that constant."""
    depends = graph.depends(graph.prediction)
    for node in graph.forward:
        if node.type != "Log" or node.inputs[0] not in depends:
            continue
        guard = graph.producer(node.inputs[0])
        for tensor in guard.inputs if guard.type in _FLOORS else ():
            source = graph.producer(tensor)
            held = source.constant
            if held is not None and held.size == 1 and 0 < float(np.ravel(held)[0]) <= SMALL:
                yield node, source


def _held(program: Program, inputs: Inputs, constant: str) -> float:
    """The loss where a constant is 0."""
    zero: Array = np.zeros((), np.float64)
    try:
        [value] = program.once([program.traced.value.name], inputs, {constant: zero})
    except Exception:  # no graph takes a number in place of this one
        return float("nan")
    return float(np.asarray(value, np.float64).sum())
