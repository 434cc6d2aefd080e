"""Graphs without branches and calls: both sides are computed and one is taken.

`tf.vectorized_map` knows nothing of the functions of an imported graph. With the bodies of calls
and branches in their place there are none, and every case has the values of its own side: what the
other side gives, NaN included, is not taken. Gradients are part of the graph already, and are taken
in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
