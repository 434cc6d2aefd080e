"""Walking a graph by demand: each op once, in the table's words, through calls and branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from losscheck.program.exact.arithmetic import Arithmetic
from losscheck.program.exact.axes import AXES, PLACES
from losscheck.program.exact.complex import COMPLEX, SPECTRA, cast, exact, paired
from losscheck.program.exact.node import Node, Unknown, Values, move, run_kernel
from losscheck.program.exact.number import Number, Undecided
from losscheck.program.exact.ops import ATTRIBUTED, ELEMENTWISE, TESTS, Operation, elementwise
from losscheck.program.exact.variants import VARIANTS

WORK = 1 << 15  # numbers that the ops of one evaluation are handed
Key = tuple[str, int]  # op name and output index
Frame = dict[str, Sequence[Values]]  # op name -> what its outputs hold

# Op types by name: those that pass their inputs on, and those that move elements.
SAME = """
CheckNumerics EnsureShape Identity IdentityN PlaceholderWithDefault PreventGradient Snapshot
StopGradient
"""
MOVING = """
BroadcastTo Concat ConcatV2 ConjugateTranspose Diag DiagPart DynamicPartition DynamicStitch
ExpandDims Fill Gather GatherNd GatherV2 MatrixBandPart MatrixDiag MatrixDiagPart
MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2
MatrixSetDiagV3 MirrorPad OneHot OnesLike Pack Pad PadV2 ParallelDynamicStitch Rank Reverse
ReverseSequence ReverseV2 Roll Select SelectV2 ShapeN Size Slice Split SplitV Squeeze
StridedSlice StridedSliceGrad TensorScatterUpdate TensorStridedSliceUpdate Tile Transpose Unpack
"""


def _constant(_: Arithmetic, node: Node, __: Sequence[Values]) -> Values:
    return exact(tf.make_ndarray(node.attr("value")), node.dtypes[0])


def _shape(_: Arithmetic, node: Node, inputs: Sequence[Values]) -> Values:
    return np.array(inputs[0].shape, node.dtypes[0].as_numpy_dtype)


def _read_variable(_: Arithmetic, node: Node, inputs: Sequence[Any]) -> Values:
    """Return a captured variable, given by value or as the handle itself."""
    (held,) = inputs
    if not isinstance(held, np.ndarray):
        held = tf.raw_ops.ReadVariableOp(resource=held, dtype=node.dtypes[0]).numpy()
    return exact(held, node.dtypes[0])


def _move(_: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    found = move(node, inputs)  # zeros and ones that are filled in are real
    pairs = zip(found, node.dtypes, strict=True)
    return [paired(values) if dtype.is_complex else values for values, dtype in pairs]


TABLE: dict[str, Operation] = {
    **dict.fromkeys((*ELEMENTWISE, *TESTS), elementwise),
    **ATTRIBUTED,
    **AXES,
    **PLACES,
    **dict.fromkeys(MOVING.split(), _move),
}
OF_COMPLEX: dict[str, Operation] = {
    **COMPLEX,
    **SPECTRA,
    **dict.fromkeys(MOVING.split(), _move),
}
STRUCTURAL: dict[str, Operation] = {  # for tensors of any type
    **dict.fromkeys(SAME.split(), lambda a, node, inputs: inputs),
    **VARIANTS,
    "Cast": cast,
    "Const": _constant,
    "ReadVariableOp": _read_variable,
    "Reshape": lambda a, node, inputs: inputs[0].reshape(inputs[1]),
    "Shape": _shape,
}


class Body:
    """A graph that can be evaluated: the program's own, or that of a function it calls."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.nodes: dict[str, Node] = {}

    def node(self, name: str) -> Node:
        """Return an op of the graph."""
        if name not in self.nodes:
            self.nodes[name] = Node(self.graph.get_operation_by_name(name))
        return self.nodes[name]


class Walker:
    """Evaluates fetches of one graph; holds what it has read of the graph and of its functions."""

    def __init__(self, graph: Any) -> None:
        self.body = Body(graph)
        self.functions: dict[str, Body] = {}
        self.left = WORK  # of what one evaluation may handle
        self.at = ""  # the op under evaluation, for messages

    def run(self, a: Arithmetic, body: Body, frame: Frame, fetches: Iterable[Key]) -> list[Values]:
        """Evaluate fetches of a body; ``frame`` holds its inputs and is filled as ops are met."""
        fetches = list(fetches)
        waiting = [name for name, _ in fetches]
        while waiting:
            name = waiting[-1]
            if name in frame:
                waiting.pop()
                continue
            node = body.node(name)
            missing = [source for source, _ in node.inputs if source not in frame]
            if missing:
                waiting += missing
            else:
                inputs = [frame[source][index] for source, index in node.inputs]
                self.at = str(node)
                frame[name] = self._compute(a, node, inputs)
        return [frame[name][index] for name, index in fetches]

    def _compute(self, a: Arithmetic, node: Node, inputs: Sequence[Values]) -> Sequence[Values]:
        if node.type in CONTROL:
            return list(CONTROL[node.type](self, a, node, inputs))
        if node.type == "Placeholder":
            raise Unknown(f"{node}: no value was given for this input")
        if node.type in STRUCTURAL:
            outputs = STRUCTURAL[node.type](a, node, inputs)
        elif not node.floating:
            outputs = run_kernel(node, inputs)
        elif node.type in (table := OF_COMPLEX if node.complex else TABLE):
            self._take(node, inputs)
            outputs = table[node.type](a, node, inputs)
        else:
            raise Unknown(f"{node}: no exact evaluation is known for this op")
        return [outputs] if isinstance(outputs, np.ndarray) else outputs

    def _take(self, node: Node, inputs: Sequence[Values]) -> None:
        """Count what an op handles: each number takes Python ten microseconds and more."""
        self.left -= sum(values.size for values in inputs if isinstance(values, np.ndarray))
        if self.left < 0:
            raise Unknown(f"{node}: more than {WORK:,} numbers would be evaluated exactly")

    def call(self, a: Arithmetic, function: Any, inputs: Sequence[Values]) -> list[Values]:
        """Evaluate a function of the graph's library."""
        name = function.name
        if name not in self.functions:
            self.functions[name] = Body(_definition(self.body.graph, name))
        body = self.functions[name]
        names = [placeholder.op.name for placeholder in body.graph.inputs]
        frame: Frame = {name: [value] for name, value in zip(names, inputs, strict=True)}
        return self.run(a, body, frame, [(t.op.name, t.value_index) for t in body.graph.outputs])


def _definition(graph: Any, name: str) -> Any:
    """Return the graph of a library function."""
    found = graph._get_function(name) or context.context().get_function(name)
    return found.graph


def _truth_of(values: Values) -> bool:
    value = values.item()
    if isinstance(value, Number):
        if value.unknown:
            raise Undecided
        return value.special or not value.known or bool(value.exact[1])
    return bool(value)


def _call(walker: Walker, a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    return walker.call(a, node.attr("f"), inputs)


def _if(walker: Walker, a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    branch = "then_branch" if _truth_of(inputs[0]) else "else_branch"
    return walker.call(a, node.attr(branch), inputs[1:])


def _case(walker: Walker, a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    branches, index = node.attr("branches"), int(inputs[0])
    inside = 0 <= index < len(branches)
    return walker.call(a, branches[index if inside else -1], inputs[1:])


def _while(walker: Walker, a: Arithmetic, node: Node, inputs: Sequence[Values]) -> list[Values]:
    state = list(inputs)
    while _truth_of(walker.call(a, node.attr("cond"), state)[0]):
        state = walker.call(a, node.attr("body"), state)
    return state


CONTROL: Mapping[str, Any] = {
    "Case": _case,
    "If": _if,
    "PartitionedCall": _call,
    "StatefulPartitionedCall": _call,
    "StatelessCase": _case,
    "StatelessIf": _if,
    "StatelessWhile": _while,
    "While": _while,
}
