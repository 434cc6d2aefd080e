"""Slices whose size changes within a loop, on which XLA's compiler ends the whole process.

XLA gives each tensor one size, and keeps beside it how much is used of one whose size only the run
tells. In a loop the two can come apart; its compiler takes that for a fault of its own and aborts,
which no caller can catch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

_PASSED_ON = frozenset({"Identity", "Cast", "ConcatV2", "Pack", "ExpandDims", "Reshape"})
_BOUNDS = {"StridedSlice": (1, 2), "Slice": (2,)}  # the operands that settle the size


def sized_in_loops(definition: Any, rounds: Set[str]) -> bool:
    """Whether a loop takes a slice whose size is not written down.

    Parameters
    ----------
    definition
        The graph, a GraphDef.
    rounds
        Names of operations of loops that are no loops in it, but repeated.
    """
    functions = {f.signature.name: f for f in definition.library.function}
    inside = set(_called([n for n in _nodes(definition, functions) if "body" in n.attr], functions))
    repeated = {node.name: node for node in definition.node}
    return any(_of_unknown_size(functions[name].node_def) for name in inside) or any(
        _unknown(repeated[name], repeated) for name in rounds if name in repeated
    )


def _nodes(definition: Any, functions: Mapping[str, Any]) -> Iterator[Any]:
    yield from definition.node
    for function in functions.values():
        yield from function.node_def


def _called(nodes: list[Any], functions: Mapping[str, Any]) -> Iterator[str]:
    """The functions that nodes call, and those that these call."""
    seen: set[str] = set()
    while nodes:
        for value in nodes.pop().attr.values():
            for name in (value.func.name, *(f.name for f in value.list.func)):
                if name in functions and name not in seen:
                    seen.add(name)
                    nodes += functions[name].node_def
                    yield name


def _of_unknown_size(nodes: Iterable[Any]) -> bool:
    made = {node.name: node for node in nodes}
    return any(_unknown(node, made) for node in made.values())


def _unknown(node: Any, made: Mapping[str, Any]) -> bool:
    for operand, ends in zip(_BOUNDS.get(node.op, ()), ("begin_mask", "end_mask"), strict=False):
        # One entry (x[:, i]) has the size 1 whatever i is, and an end left open needs no number.
        free = node.attr["shrink_axis_mask"].i | node.attr[ends].i
        if not _settled(node.input[operand], made, free):
            return True
    return False


def _settled(tensor: str, made: Mapping[str, Any], free: int = 0) -> bool:
    """Whether each number of a tensor is a constant; bits of `free` stand for those left out."""
    node = made.get(tensor.lstrip("^").partition(":")[0])
    if node is None:  # comes from outside the function
        return False
    if node.op == "Const":
        return True
    if node.op == "Pack":
        return all(_settled(t, made) for i, t in enumerate(node.input) if not free >> i & 1)
    return node.op in _PASSED_ON and all(_settled(t, made) for t in node.input)
