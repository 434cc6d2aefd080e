"""Constants that are not what was written: an epsilon that is 0 in the dtype, a bound that is 1.

What the user wrote is read off the float64 program, whose constants keep their digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from losscheck.advice import wording
from losscheck.domains.floats import cast
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array
from losscheck.numerics.ulps import LEAST_EXPONENT
from losscheck.program.tracing.wiring import Node, Wiring

NEAR = 6  # operations before the blamed one whose constants are looked at
SUMS = frozenset({"Add", "AddV2", "Sub"})


def vanished(
    evidence: Evidence,
    instance: Instance,
    graph: Wiring,
    node: Node,
    values: Mapping[str, Array],
    dtype: str,
) -> str:
    """Say which constant before an operation vanishes in the dtype; "" where none does.

    Parameters
    ----------
    instance, graph
        The loss and the graph that ran, in `dtype`.
    node
        The forward operation at fault.
    values
        Every floating-point tensor of the case.
    """
    written = _written(evidence, instance)
    for user, constant in _constants(graph, node):
        meant = written.get(constant.name, np.asarray(constant.constant, np.float64))
        if meant.size != 1:
            continue
        number = float(meant.ravel()[0])
        said = _rounded(number, dtype) or _absorbed(graph, user, constant, number, values, dtype)
        if said:
            return said
    return ""


def _written(evidence: Evidence, instance: Instance) -> dict[str, Array]:
    """The constants of the loss as traced in float64, by the name of their node."""
    double = evidence.programs.double(instance.shapes).graphed
    if double is None or double.rewritten:
        return {}
    nodes = double.wiring.nodes
    return {n.name: np.asarray(n.constant, np.float64) for n in nodes if n.constant is not None}


def _constants(graph: Wiring, node: Node) -> Iterator[tuple[Node, Node]]:
    """Operations near before a node, each with a floating-point constant that it takes."""
    near, seen = [node], {node.name}
    for _ in range(NEAR):
        further = []
        for user in near:
            for tensor in user.inputs:
                source = graph.producer(tensor)
                if source.constant is not None and source.floating:
                    yield user, source
                elif source.name not in seen:
                    seen.add(source.name)
                    further.append(source)
        near = further


def _rounded(meant: float, dtype: str) -> str:
    """Say that a constant rounds to 0 or to a whole number, or is flushed to 0."""
    with np.errstate(over="ignore"):
        held = float(cast(np.asarray([meant]), dtype)[0])
    if np.isfinite(meant) and not np.isfinite(held):
        return f"{wording.exactly(meant)} does not fit {dtype}."
    if meant != held and held == np.round(held):
        return f"{wording.exactly(meant)} is {wording.number(held)} in {dtype}."
    if 0 < abs(held) < 2.0 ** LEAST_EXPONENT[dtype] and dtype != "float64":
        return f"{wording.exactly(meant)} is subnormal in {dtype}, and kernels flush it to 0."
    return ""


def _absorbed(
    graph: Wiring,
    user: Node,
    constant: Node,
    epsilon: float,
    values: Mapping[str, Array],
    dtype: str,
) -> str:
    """Say that a sum gives back its other operand, as 1 + 1e-9 does."""
    if user.type not in SUMS or user.outputs[0] not in values:
        return ""
    others = [t for t in user.inputs if graph.producer(t) is not constant and t in values]
    if not epsilon or not others or abs(epsilon) >= 1:
        return ""
    x = np.asarray(values[others[0]], np.float64)
    result = np.asarray(values[user.outputs[0]], np.float64)
    if x.shape != result.shape:
        return ""
    same = (np.abs(x) == np.abs(result)) & (np.abs(x) == 1)  # 1 is what an epsilon is taken from
    if not same.any():
        return ""
    number, sign = wording.exactly(abs(epsilon)), "-" if user.type == "Sub" else "+"
    return f"1 {sign} {number} is 1 in {dtype}."
