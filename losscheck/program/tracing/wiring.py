"""The traced graph as plain data: which operation feeds which, for those who only read it.

Blame, inference and the search for kinks walk the graph without knowing TensorFlow.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import tensorflow
from losscheck.program.tracing.origin import is_backward
from losscheck.program.tracing.trace import Traced


@attrs.frozen(kw_only=True, eq=False)
class Node:
    """One operation."""

    name: str
    type: str
    inputs: tuple[str, ...]  # tensor names
    outputs: tuple[str, ...]
    shapes: tuple[tuple[int | None, ...] | None, ...]  # of the outputs; None: unknown rank
    dtypes: tuple[str, ...]  # of the outputs
    constant: Array | None  # the value of a small constant
    stateful: bool  # draws random numbers, calls Python, reads variables
    differentiable: bool  # TensorFlow has a gradient for it
    attributes: Mapping[str, int] = attrs.field(factory=dict)  # whole numbers: masks, an axis

    @property
    def backward(self) -> bool:
        """Whether it belongs to the gradient that losscheck asked for."""
        return is_backward(self.name)

    @property
    def floating(self) -> bool:
        """Whether any of its outputs is a floating-point tensor."""
        return bool(self.floats)

    @property
    def floats(self) -> tuple[str, ...]:
        """Those of its outputs that are floating-point tensors; a loop has others beside them."""
        pairs = zip(self.outputs, self.dtypes, strict=True)
        return tuple(name for name, dtype in pairs if dtype.startswith(("float", "bfloat")))


class Wiring:
    """A traced graph, read only.

    Attributes
    ----------
    nodes
        Operations in order of creation, but that inputs come before what uses them.
    arguments
        Tensor name of each argument.
    value, gradient
        Tensor names; the gradient is None where none reaches the prediction.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        arguments: Mapping[str, str],
        prediction: str,
        value: str,
        gradient: str | None,
    ) -> None:
        self.nodes = tuple(nodes)
        self.arguments = dict(arguments)
        self.prediction = prediction
        self.value = value
        self.gradient = gradient
        self._by_output = {t: node for node in self.nodes for t in node.outputs}
        self._order = {node.name: i for i, node in enumerate(self.nodes)}

    def producer(self, tensor: str) -> Node:
        """The operation that makes a tensor."""
        return self._by_output[tensor]

    def shape(self, tensor: str) -> tuple[int | None, ...] | None:
        """The shape of a tensor, as far as it is known; None where not even its rank is."""
        node = self._by_output[tensor]
        return node.shapes[node.outputs.index(tensor)]

    def known_shape(self, tensor: str) -> tuple[int, ...] | None:
        """The shape of a tensor; None where not all of it is known."""
        sizes = self.shape(tensor)
        known = tuple(size for size in sizes or () if size is not None)
        return None if sizes is None or len(known) < len(sizes) else known

    def dtype(self, tensor: str) -> str:
        """The dtype of a tensor."""
        node = self._by_output[tensor]
        return node.dtypes[node.outputs.index(tensor)]

    def order(self, node: Node) -> int:
        """The position of an operation among `nodes`."""
        return self._order[node.name]

    @functools.cached_property
    def consumers(self) -> dict[str, tuple[Node, ...]]:
        """The operations that use each tensor."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for tensor in dict.fromkeys(node.inputs):
                found.setdefault(tensor, []).append(node)
        return {tensor: tuple(nodes) for tensor, nodes in found.items()}

    def depends(self, argument: str) -> frozenset[str]:
        """Names of the tensors that depend on an argument's values (not on its shape alone)."""
        return self._descendants(self.arguments[argument])

    @functools.cache  # noqa: B019  (a Wiring lives as long as its program)
    def _descendants(self, tensor: str) -> frozenset[str]:
        reached = {tensor}
        for node in self.nodes:
            if node.type not in SHAPE_OPS and not reached.isdisjoint(node.inputs):
                reached.update(node.outputs)
        return frozenset(reached)

    @property
    def runs_python(self) -> bool:
        """Whether it calls Python, whose dtype no rewriting of the graph turns into another."""
        return any(node.type in PYTHON for node in self.nodes)

    @functools.cached_property
    def forward(self) -> tuple[Node, ...]:
        """The operations that the value depends on."""
        return self.ancestors(self.value)

    def ancestors(self, tensor: str) -> tuple[Node, ...]:
        """The operations that a tensor depends on, its own included, in the order of `nodes`."""
        wanted: set[str] = set()
        stack = [tensor]
        while stack:
            node = self._by_output.get(stack.pop())
            if node is not None and node.name not in wanted:
                wanted.add(node.name)
                stack.extend(node.inputs)
        return tuple(node for node in self.nodes if node.name in wanted)


PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
SHAPE_OPS = frozenset(
    {"Shape", "ShapeN", "Size", "Rank", "BroadcastGradientArgs", "ZerosLike", "OnesLike"}
)
# TensorFlow has a gradient function for these, and it always gives None.
_FLAT = frozenset({"Floor", "Ceil", "Round", "Rint", "FloorDiv", "TruncateDiv"})
_SMALL = 4096  # elements of a constant that is kept


def wiring(traced: Traced, names: tuple[str, ...], prediction: str) -> Wiring:
    """Read a traced graph."""
    return Wiring(
        nodes=nodes_of(traced.graph),
        arguments={n: p.name for n, p in zip(names, traced.placeholders, strict=True)},
        prediction=prediction,
        value=traced.value.name,
        gradient=None if traced.gradient is None else traced.gradient.name,
    )


def nodes_of(graph: Any) -> tuple[Node, ...]:
    """Read the operations of a graph, inputs before what uses them."""
    written = {node.name: node for node in graph.as_graph_def().node}
    return tuple(_node(op, written[op.name]) for op in in_order(graph))


def in_order(graph: Any) -> list[Any]:
    """The operations of a graph in order of creation, but that inputs come before their users.

    The gradient of a loop makes lists of what each round gave, and hands them to the loop, which
    was there before them.
    """
    operations = graph.get_operations()
    found: dict[str, Any] = {}
    entered: set[str] = set()
    for last in operations:
        stack = [last]
        while stack:
            op = stack[-1]
            missing = [t.op for t in op.inputs if t.op.name not in entered]
            entered.add(op.name)
            stack += missing
            if not missing:
                found.setdefault(op.name, stack.pop())
    return list(found.values())


def _node(op: Any, written: Any) -> Node:
    return Node(
        name=op.name,
        type=op.type,
        inputs=tuple(t.name for t in op.inputs),
        outputs=tuple(t.name for t in op.outputs),
        shapes=tuple(None if t.shape.rank is None else tuple(t.shape) for t in op.outputs),
        dtypes=tuple(t.dtype.name for t in op.outputs),
        constant=_constant(written),
        stateful=bool(op.op_def.is_stateful) and op.type not in ("Placeholder", "ReadVariableOp"),
        differentiable=_differentiable(op, written),
        attributes={k: v.i for k, v in written.attr.items() if v.HasField("i")},
    )


def _constant(written: Any) -> Array | None:
    if written.op != "Const":
        return None
    array = tensorflow().make_ndarray(written.attr["value"].tensor)
    return np.asarray(array) if array.size <= _SMALL and array.dtype.kind in "fiub" else None


def _differentiable(op: Any, written: Any) -> bool:
    numbers = any(t.dtype.is_floating or t.dtype.is_complex for t in op.outputs)
    if not op.inputs or op.type in _FLAT or not numbers:
        return False
    if op._gradient_function:  # of a function that is called
        return True
    own = written.attr["_gradient_op_type"].s if "_gradient_op_type" in written.attr else b""
    return _has_gradient(own.decode() or op.type)


@functools.cache
def _has_gradient(kind: str) -> bool:
    """Whether TensorFlow knows a gradient by this name: of an operation, or a custom one."""
    from tensorflow.python.framework import ops

    try:
        return ops.gradient_registry.lookup(kind) is not None
    except LookupError:
        return False
