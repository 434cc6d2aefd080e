"""Graphs rewritten so that blocks of cases go through: both sides of branches, products, rolls.

`tf.vectorized_map` knows nothing of the functions of an imported graph. With the bodies of calls
and branches in their place there are none, and every case has the values of its own side: what the
other side gives, NaN included, is not taken. Gradients are part of the graph already, and are taken
in the same way.

TensorFlow's oneDNN kernel of BatchMatMulV2 writes outside of its memory where one operand has
the batch axes (N, 1) and the other is stretched along N, and the process ends with it (TensorFlow
2.21 on processors with AVX-512). Vectorizing a batch of one gives just that. A matrix that is the
same for every sample is multiplied by all rows at once instead, which is the same product.

TensorFlow vectorizes a roll along an axis that is counted from behind into one along the axis
before it: rolled along the last axis, a block of cases is rolled over its cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from losscheck.program.quiet import tensorflow

BRANCHES = frozenset({"If", "StatelessIf"})
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})

Body = tuple[list[Any], list[str]]  # nodes of a function, and the names of its results


def without_branches(definition: Any) -> Any:
    """Put the bodies of calls and branches in their place, those of bodies included.

    Branches stay whose results differ in shape, for one cannot be taken for the other there, and
    loops stay.

    Parameters
    ----------
    definition : tf.compat.v1.GraphDef
        The graph, with its library of functions, which the current graph has, too.

    Returns
    -------
    tf.compat.v1.GraphDef
        With the first result of each branch and call under the name that it had.
    """
    if all(node.op not in BRANCHES | CALLS for node in definition.node):
        return definition
    functions = {function.signature.name: function for function in definition.library.function}
    result = tensorflow().compat.v1.GraphDef()
    result.CopyFrom(definition)
    nodes = _Flattened(functions).nodes(result.node)
    flat = tensorflow().compat.v1.GraphDef(versions=definition.versions, library=definition.library)
    flat.node.extend(nodes)
    return flat


@attrs.frozen
class _Flattened:
    """One walk over a graph, in the order of its nodes: what is used was made before."""

    functions: Mapping[str, Any]  # name -> FunctionDef
    moved: dict[str, str] = attrs.field(factory=dict)  # tensors that had another name
    # What the way back needs of a side is kept in an optional: by name, what it holds.
    kept: dict[str, list[str]] = attrs.field(factory=dict)
    # One result of a branch may hold something on each side: its condition, and the two.
    sides: dict[str, tuple[str, str, str]] = attrs.field(factory=dict)

    def nodes(self, given: Iterable[Any]) -> list[Any]:
        """The nodes that stand for these."""
        waiting = list(reversed(list(given)))
        found: list[Any] = []
        while waiting:
            node = waiting.pop()
            node.input[:] = map(self._followed, node.input)
            if node.op == "OptionalFromValue":
                self.kept[node.name] = _data(node.input)
            if node.op == "OptionalGetValue" and (held := self.kept.get(_plain(node.input[0]))):
                self._move(node.name, held)
                continue
            made = self._taken_apart(node)
            if made is None:
                found.append(node)
            else:
                waiting += reversed(made)
        names = {f"^{node.name}" for node in found}
        for node in found:  # nothing waits for what is no longer there
            node.input[:] = [i for i in node.input if i[0] != "^" or i in names]
        return found

    def _taken_apart(self, node: Any) -> list[Any] | None:
        """The nodes that stand for a call or a branch; None where it stays."""
        if node.op in CALLS:
            body = self._body(node, node.attr["f"].func.name, list(node.input), "call")
            return None if body is None else self._named(node, *body)
        if node.op not in BRANCHES or node.attr["Tcond"].type != _type("bool"):
            return None
        condition, *inputs = node.input
        bodies = [
            self._body(node, node.attr[f"{side}_branch"].func.name, taken, side)
            for i, side in enumerate(("then", "else"))
            for taken in [[self._side(name, condition, i) for name in inputs]]
        ]
        if bodies[0] is None or bodies[1] is None:
            return None
        (made, ends), (others, other_ends) = bodies[0], bodies[1]
        made = [*made, *others]
        empty = {n.name for n in made if n.op == "OptionalNone"}
        results = []
        for i, (a, b) in enumerate(zip(ends, other_ends, strict=True)):
            if (kind := node.attr["Tout"].list.type[i]) == _type("variant"):
                results.append(b if _plain(a) in empty else a)
                if not empty & {_plain(a), _plain(b)}:
                    results[-1] = f"{node.name}/taken_{i}"  # settled on the way back
                    self.sides[results[-1]] = condition, a, b
            elif _known(node.attr["output_shapes"].list.shape, i):
                made.append(_node(f"{node.name}/taken_{i}", "SelectV2", (condition, a, b), kind))
                results.append(made[-1].name)
            else:
                return None
        return self._named(node, made, results)

    def _side(self, tensor: str, condition: str, side: int) -> str:
        """What one side kept, in what runs on that side alone: behind the same condition."""
        where, *two = self.sides.get(_plain(tensor), ("",))
        return two[side] if where and _plain(where) == _plain(condition) else tensor

    def _body(self, node: Any, name: str, inputs: list[str], prefix: str) -> Body | None:
        """The body of a function that is called by a node."""
        from tensorflow.python.framework.function_def_to_graph import function_def_to_graph_def

        function = self.functions.get(name)
        if function is None:
            return None
        definition, flat = function_def_to_graph_def(function)
        names = [str(argument.name) for argument in function.signature.input_arg]
        given: dict[str, str] = dict(zip(names, _data(inputs), strict=True))
        start = f"{node.name}/{prefix}/"

        def renamed(tensor: str) -> str:
            if (place := tensor.split(":")[0]) in given:
                return given[place]
            return f"^{start}{tensor[1:]}" if tensor[0] == "^" else f"{start}{tensor}"

        nodes = [inner for inner in definition.node if inner.name not in given]
        for inner in nodes:
            waits = (i for i in inner.input if i[0] != "^" or i[1:] not in given)
            inner.input[:] = map(renamed, waits)
            inner.name = start + inner.name
        returned = (function.ret[out.name] for out in function.signature.output_arg)
        return nodes, [renamed(str(flat.get(tensor, tensor))) for tensor in returned]

    def _named(self, node: Any, made: list[Any], results: list[str]) -> list[Any]:
        """Give the first result the name of the node, and note where the others are."""
        if not results:
            return made
        kind = node.attr["Tout"].list.type[0]
        if kind == _type("variant"):
            self._move(node.name, results)
            return made
        self._move(node.name, results, first=1)
        return [*made, _node(node.name, "Identity", results[:1], kind)]

    def _move(self, name: str, results: list[str], first: int = 0) -> None:
        for i, tensor in enumerate(results[first:], first):
            self.moved[f"{name}:{i}" if i else name] = tensor

    def _followed(self, name: str) -> str:
        """The tensor that one was moved to, in the end."""
        while (plain := name.removesuffix(":0")) in self.moved:
            name = self.moved[plain]
        return name


def _plain(tensor: str) -> str:
    """A first result goes by two names."""
    return tensor.removesuffix(":0")


def _type(name: str) -> int:
    return int(getattr(tensorflow(), name).as_datatype_enum)


def _node(name: str, op: str, inputs: Iterable[str], kind: int) -> Any:
    made = tensorflow().compat.v1.NodeDef(name=name, op=op)
    made.input.extend(inputs)
    made.attr["T"].type = kind
    return made


def _known(shapes: Any, i: int) -> bool:
    """Whether both sides give tensors of one shape."""
    if i >= len(shapes) or shapes[i].unknown_rank:
        return False
    return all(dim.size >= 0 for dim in shapes[i].dim)


def _data(inputs: Iterable[str]) -> list[str]:
    return [name for name in inputs if name[0] != "^"]


def flatten_products(definition: Any, graph: Any) -> None:
    """Write each product with one matrix for all samples as a product of two matrices.

    Parameters
    ----------
    definition
        The GraphDef of a part of `graph`; it is changed.
    """
    for node in list(definition.node):
        if node.op != "BatchMatMulV2" or node.attr["adj_x"].b:
            continue
        left, right = (_shape(graph, name) for name in node.input[:2])
        if left is None or right is None or len(left) < 3 or len(right) > len(left):
            continue
        if math.prod(right[:-2]) == 1:
            _flatten(definition, node, left, right)


def _flatten(definition: Any, node: Any, left: Sequence[int], right: Sequence[int]) -> None:
    kind, transposed = node.attr["T"].type, node.attr["adj_y"].b
    rows = _reshaped(definition, f"{node.name}/rows", node.input[0], kind, (-1, left[-1]))
    matrix = node.input[1]
    if len(right) > 2:
        matrix = _reshaped(definition, f"{node.name}/matrix", matrix, kind, right[-2:])
    product = definition.node.add(name=f"{node.name}/product", op="MatMul", input=[rows, matrix])
    product.attr["T"].type = kind
    product.attr["transpose_b"].b = transposed
    width = right[-2] if transposed else right[-1]
    shape = _sizes(definition, f"{node.name}/shape", (*left[:-1], width))
    controls = [name for name in node.input if name.startswith("^")]
    node.op = "Reshape"
    node.attr.clear()
    node.attr["T"].type = kind
    node.attr["Tshape"].type = tensorflow().int32.as_datatype_enum
    del node.input[:]
    node.input.extend([product.name, shape, *controls])


def _reshaped(definition: Any, name: str, tensor: str, kind: int, shape: Sequence[int]) -> str:
    sizes = _sizes(definition, f"{name}/shape", shape)
    node = definition.node.add(name=name, op="Reshape", input=[tensor, sizes])
    node.attr["T"].type = kind
    node.attr["Tshape"].type = tensorflow().int32.as_datatype_enum
    return name


def _sizes(definition: Any, name: str, sizes: Sequence[int]) -> str:
    node = definition.node.add(name=name, op="Const")
    node.attr["dtype"].type = tensorflow().int32.as_datatype_enum
    proto = tensorflow().make_tensor_proto(list(sizes), dtype="int32")
    node.attr["value"].tensor.CopyFrom(proto)
    return name


def _shape(graph: Any, name: str) -> tuple[int, ...] | None:
    """The shape of a node's input, where all of it is known."""
    try:
        tensor = graph.get_tensor_by_name(name if ":" in name else f"{name}:0")
    except KeyError:  # out of the body of a function
        return None
    known = tensor.shape.is_fully_defined()
    return tuple(tensor.shape) if known else None


def count_from_the_front(definition: Any, graph: Any) -> None:
    """Write the axes of rolls as they are counted from the front.

    Parameters
    ----------
    definition
        The GraphDef of a part of `graph`; it is changed.
    """
    tf = tensorflow()
    for node in list(definition.node):
        if node.op != "Roll":
            continue
        tensors = graph.get_operation_by_name(node.name).inputs
        rank, axis = tensors[0].shape.rank, tf.get_static_value(tensors[2])
        if rank is None or axis is None:
            continue
        axes = definition.node.add(name=f"{node.name}/from_front", op="Const")
        axes.attr["dtype"].type = tensors[2].dtype.as_datatype_enum
        axes.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(axis % rank))
        node.input[2] = axes.name
