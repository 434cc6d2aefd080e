"""Right predictions that a constant inside a logarithm makes a large loss of, the surer they are.

In -y * log(p + 1e-7) the constant keeps a wrong prediction's loss finite. Where the logarithm is
added instead, as in log(total + 1e-10) - score, it stops falling while the other term goes on: what
cancels without the constant, is left of the surest predictions.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.minima import LOWER, RightAndWrong
from losscheck.model import Array, Inputs, Location
from losscheck.program.running.program import Program
from losscheck.program.tracing.wiring import Node, Wiring

SURER = (4.0, 16.0)  # times the logits of a right prediction: 32 and 128
SMALL = 1e-3  # a constant above it is no guard
_GUARDS = frozenset({"Add", "AddV2", "Maximum"})


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
    for times in SURER if guards else ():
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
        for tensor in guard.inputs if guard.type in _GUARDS else ():
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
