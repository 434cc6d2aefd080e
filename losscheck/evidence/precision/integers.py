"""Integer arithmetic inside a loss, beside the same arithmetic without an end of the dtype."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, Population
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array, Location, Range
from losscheck.program.tracing.wiring import Node, Wiring

CASES = 16_384  # of an instance; an integer operation wraps in many cases or in none
_ELEMENTWISE: Mapping[str, Callable[..., Array]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Abs": np.abs,
    "Square": np.square,
    "SquaredDifference": lambda a, b: (a - b) ** 2,
    "Pow": np.power,
}
_REDUCING: Mapping[str, Callable[..., Array]] = {"Sum": np.sum, "Prod": np.prod}
# What takes a wrapped number on purpose: a hash, a position in a ring.
_MODULAR = frozenset({"FloorMod", "Mod", "BitwiseAnd", "BitwiseXor", "RightShift"})


@attrs.frozen(kw_only=True, eq=False)
class IntegerOp(Population):
    """One operation on whole numbers, over the cases of a sweep."""

    node: str
    dtype: str
    location: Location | None  # the line that made it
    wrapped: Array  # (N,) bool: what it gave is off by more than half the span of its dtype
    examples: Sequence[tuple[float, float]]  # of each case: what came out, and what was right
    rerun: Callable[[CaseBlock], IntegerOp]


def integer_ops(evidence: Evidence) -> tuple[IntegerOp, ...]:
    """Evaluate every integer operation that depends on the arguments on the cases of a batch."""
    main, sweep = evidence.main, evidence.main_sweep
    if main.wiring is None or main.program.eager:
        return ()
    nodes = _integer_nodes(main.wiring)
    if not nodes:
        return ()
    cases = sweep.cases.take(np.flatnonzero(sweep.ranges <= Range.WORKING)[:CASES])
    return tuple(_evaluate(main, cases, node) for node in nodes)


def _integer_nodes(graph: Wiring) -> list[Node]:
    depends = frozenset().union(*(graph.depends(name) for name in graph.arguments))
    return [
        node
        for node in graph.forward
        if (node.type in _ELEMENTWISE or node.type in _REDUCING)
        and node.dtypes[0].startswith(("int", "uint"))
        and not depends.isdisjoint(node.inputs)
        and not _modular(graph, node)
        and all(_sized(each) for each in (node, *map(graph.producer, node.inputs)))
    ]


def _sized(node: Node) -> bool:
    """Whether its results have the same size in every case, so that there are blocks of them."""
    return all(shape is not None and None not in shape for shape in node.shapes)


def _modular(graph: Wiring, node: Node) -> bool:
    users = graph.consumers.get(node.outputs[0], ())
    return bool(users) and all(user.type in _MODULAR for user in users)


def _evaluate(instance: Instance, cases: CaseBlock, node: Node) -> IntegerOp:
    program, graph = instance.program.graphed, instance.wiring
    assert program is not None
    assert graph is not None
    n = len(cases)
    arrays = program.fetch([*node.inputs, *node.outputs[:1]], cases.inputs)
    given = [np.asarray(array, np.float64) for array in arrays[:-1]]
    came = np.asarray(arrays[-1], np.float64).reshape(n, -1)
    right = _right(node, given, arrays).reshape(n, -1)
    apart = np.abs(came - right)
    worst = apart.argmax(axis=1) if came.shape[1] else np.zeros(n, int)
    rows = np.arange(n)
    span = 2.0 ** (8 * arrays[-1].dtype.itemsize)
    wrapped = apart[rows, worst] > span / 2 if came.shape[1] else np.zeros(n, bool)
    return IntegerOp(
        node=node.name,
        dtype=node.dtypes[0],
        location=program.traced.origins.location(node.name),
        cases=cases,
        wrapped=wrapped,
        examples=tuple(zip(came[rows, worst], right[rows, worst], strict=True))
        if came.shape[1]
        else ((0.0, 0.0),) * n,
        rerun=lambda others: _evaluate(instance, others, node),
    )


def _right(node: Node, given: Sequence[Array], arrays: Sequence[Array]) -> Array:
    """The result in float64, whose 53 bits tell a wrapped number from a rounded one."""
    if node.type in _ELEMENTWISE:
        ranks = max(array.ndim for array in given)
        lined = [a.reshape(len(a), *(1,) * (ranks - a.ndim), *a.shape[1:]) for a in given]
        with np.errstate(all="ignore"):
            return np.asarray(_ELEMENTWISE[node.type](*lined))
    axes = tuple(int(a) for a in np.ravel(arrays[1][0]))
    rank = given[0].ndim - 1
    return np.asarray(_REDUCING[node.type](given[0], axis=tuple(a % rank + 1 for a in axes)))
