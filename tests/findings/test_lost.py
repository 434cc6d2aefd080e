"""The walk back to where digits were lost, many cases at a time."""

from __future__ import annotations

import numpy as np

from losscheck.findings.lost import Loss, Pair, lost_sources
from losscheck.program.tracing.wiring import Node, Wiring


def _node(name: str, kind: str, *inputs: str) -> Node:
    return Node(
        name=name,
        type=kind,
        inputs=tuple(f"{i}:0" for i in inputs),
        outputs=(f"{name}:0",),
        shapes=((),),
        dtypes=("float32",),
        constant=None,
        stateful=False,
        differentiable=True,
    )


GRAPH = Wiring(
    nodes=[
        _node("x", "Placeholder"),
        _node("one", "Placeholder"),
        _node("near", "Sub", "one", "x"),
        _node("log", "Log", "near"),
    ],
    arguments={"x": "x:0"},
    prediction="x",
    value="log:0",
    gradient=None,
)


def _found(x: list[float], start: str = "log:0") -> list[Loss | None]:
    """Run log(1 - x) in float32 and in float64."""
    with np.errstate(divide="ignore"):
        near = [np.asarray(1 - np.asarray(x, kind)) for kind in (np.float32, np.float64)]
        numbers = {
            "x:0": [np.asarray(x, kind) for kind in (np.float32, np.float64)],
            "one:0": [np.ones(len(x), kind) for kind in (np.float32, np.float64)],
            "near:0": near,
            "log:0": [np.log(each) for each in near],
        }
    return lost_sources(GRAPH, start, {name: Pair(*pair) for name, pair in numbers.items()})


def test_each_case_is_led_to_its_own_operation() -> None:
    # log(1 - 1e-9) is 0 in float32, for 1 - 1e-9 is 1; log(0.5) has all its digits.
    lost, kept = _found([1e-9, 0.5])
    assert kept is None
    assert lost is not None
    assert (lost.node.name, lost.single) == ("log", 0.0)
    assert lost.exact == np.log(1 - 1e-9)
    assert lost.operands == (1.0,)


def test_nothing_is_found_where_nothing_is_lost() -> None:
    assert _found([0.5, 0.25]) == [None, None]
    assert _found([]) == []
    assert _found([0.5], start="elsewhere:0") == []
