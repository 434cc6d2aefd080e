"""The operation at fault as it ran, and the one that made NaN of its infinity."""

import numpy as np

from losscheck.findings.blame import made_nan, ran
from losscheck.program.tracing.wiring import Node, Wiring


def _node(name: str, kind: str, *inputs: str) -> Node:
    return Node(
        name=name,
        type=kind,
        inputs=inputs,
        outputs=(f"{name}:0",),
        shapes=((),),
        dtypes=("float32",),
        constant=None,
        stateful=False,
        differentiable=True,
    )


NODES = (
    _node("x", "Placeholder"),
    _node("slope", "Reciprocal", "x:0"),
    _node("doubled", "AddV2", "slope:0", "slope:0"),
    _node("mask", "Placeholder"),
    _node("masked", "Mul", "doubled:0", "mask:0"),
)
GRAPH = Wiring(NODES, {"y_pred": "x:0"}, "y_pred", "masked:0", None)
# 1 / 0 is infinite, stays so when it is doubled, and is NaN times the 0 of a mask.
VALUES = {
    name: np.asarray(number, np.float32)
    for name, number in {
        "x:0": 0.0, "slope:0": np.inf, "doubled:0": np.inf, "mask:0": 0.0, "masked:0": np.nan,
    }.items()
}  # fmt: skip


def test_an_infinity_is_followed_to_where_it_becomes_nan():
    slope = NODES[1]
    found = made_nan(GRAPH, slope, VALUES)
    assert found is not None
    assert (found.op, found.told()) == ("Mul", "Inf * 0 is NaN")
    first = ran(GRAPH, slope, VALUES)
    assert first is not None
    assert first.told() == "1 / 0 is infinite"


def test_nothing_is_said_of_numbers_that_are_not_known():
    assert ran(GRAPH, NODES[1], {"slope:0": VALUES["slope:0"]}) is None
    assert made_nan(GRAPH, NODES[1], {"slope:0": VALUES["slope:0"]}) is None
