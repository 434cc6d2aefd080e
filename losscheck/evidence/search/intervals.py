"""Between which two numbers each tensor of a graph lies, read off its operations.

A log of a clipped probability, or of a sum of 1 and a square, cannot come to log(0): it needs no
search to say so. The bounds are rough (an operation that is not listed may give anything, and equal
inputs are taken for independent ones); what they exclude is excluded, what they allow may not be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from losscheck.program.tracing.wiring import Node, Wiring

Ends = tuple[float, float]
ANYTHING: Final[Ends] = (-np.inf, np.inf)


def intervals(graph: Wiring, arguments: Mapping[str, Ends]) -> dict[str, Ends]:
    """Bound every tensor that a graph computes.

    Parameters
    ----------
    arguments
        The ends of what each argument may hold.

    Returns
    -------
    dict
        Tensor name -> ends, both included.
    """
    found = {graph.arguments[name]: ends for name, ends in arguments.items()}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            for tensor in node.outputs:
                if tensor not in found:
                    given = [found.get(name, ANYTHING) for name in node.inputs]
                    found[tensor] = _sound(_of(node, given))
    return found


def _sound(ends: Ends) -> Ends:
    low, high = float(ends[0]), float(ends[1])
    return ANYTHING if np.isnan(low) or np.isnan(high) else (low, high)


def _of(node: Node, given: list[Ends]) -> Ends:
    if node.constant is not None and node.constant.size:
        return float(np.min(node.constant)), float(np.max(node.constant))
    if node.type in _SAME and given:
        return given[0]
    if node.type in _HULL and given:
        return min(e[0] for e in given), max(e[1] for e in given)
    if node.type == "Mul" and node.inputs[0] == node.inputs[1]:
        return _square(given[0])
    if node.type in ("SelectV2", "Select"):
        return min(given[1][0], given[2][0]), max(given[1][1], given[2][1])
    if node.type in _FIXED:
        return _FIXED[node.type]
    if node.type in _RISING and len(given) == 1:
        rises = _RISING[node.type]
        return rises(given[0][0]), rises(given[0][1])
    if node.type in _MADE:
        return _MADE[node.type](*given)
    return ANYTHING


def _square(a: Ends) -> Ends:
    sizes = a[0] * a[0], a[1] * a[1]
    return (0.0 if a[0] <= 0.0 <= a[1] else min(sizes)), max(sizes)


def _absolute(a: Ends) -> Ends:
    sizes = abs(a[0]), abs(a[1])
    return (0.0 if a[0] <= 0.0 <= a[1] else min(sizes)), max(sizes)


def _product(a: Ends, b: Ends) -> Ends:
    corners = [x * y for x in a for y in b]
    return (np.nan, np.nan) if np.isnan(corners).any() else (min(corners), max(corners))


def _quotient(a: Ends, b: Ends) -> Ends:
    if b[0] <= 0.0 <= b[1]:
        return ANYTHING
    return _product(a, (1.0 / b[1], 1.0 / b[0]))


def _sum(a: Ends, *_: Ends) -> Ends:
    # Of one number or more: those that add to a bound on one side leave it where it is.
    return (a[0] if a[0] >= 0.0 else -np.inf), (a[1] if a[1] <= 0.0 else np.inf)


def _power(a: Ends, b: Ends) -> Ends:
    if b[0] == b[1] == 2.0:
        return _square(a)
    return (0.0, np.inf) if a[0] >= 0.0 else ANYTHING


_SAME = frozenset(
    {
        *("Identity", "Reshape", "ExpandDims", "Squeeze", "Transpose", "StopGradient", "Max"),
        *("Min", "Mean", "StridedSlice", "Slice", "Tile", "BroadcastTo", "GatherV2", "Cast"),
        *("PreventGradient", "ReverseV2", "EnsureShape", "CheckNumerics"),
    }
)
_HULL = frozenset({"Pack", "Concat", "ConcatV2", "IdentityN"})  # axes among them only widen
_FIXED: Mapping[str, Ends] = {
    "Sigmoid": (0.0, 1.0),
    "Softmax": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Erf": (-1.0, 1.0),
    "Sin": (-1.0, 1.0),
    "Cos": (-1.0, 1.0),
    "Softplus": (0.0, np.inf),
    "SquaredDifference": (0.0, np.inf),
    "Cosh": (1.0, np.inf),
    "LogSoftmax": (-np.inf, 0.0),
}
_RISING: Mapping[str, Callable[[float], float]] = {
    "Exp": lambda x: float(np.exp(x)),
    "Expm1": lambda x: float(np.expm1(x)),
    "Relu": lambda x: max(x, 0.0),
    "Atan": lambda x: float(np.arctan(x)),
    "Log1p": lambda x: float(np.log1p(x)),
    "Log": lambda x: float(np.log(x)),
    "Sqrt": lambda x: float(np.sqrt(x)),
    "Sign": lambda x: float(np.sign(x)),
}
_MADE: Mapping[str, Callable[..., Ends]] = {
    "AddV2": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "Add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "AddN": lambda *all_: (sum(e[0] for e in all_), sum(e[1] for e in all_)),
    "Sub": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "Neg": lambda a: (-a[1], -a[0]),
    "Mul": _product,
    "RealDiv": _quotient,
    "Square": _square,
    "Abs": _absolute,
    "Pow": _power,
    "Sum": _sum,
    "Maximum": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "Minimum": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "ClipByValue": lambda a, low, high: (
        min(max(a[0], low[0]), high[1]),
        min(max(a[1], low[0]), high[1]),
    ),
}
