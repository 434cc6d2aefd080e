"""Random numbers drawn inside a loss, held so that every run draws the same.

A loss that draws anew in every call has no derivative to compare with, and none of its cases can be
run again. An operation that takes its seed from outside becomes one that is given it; of one that
is given its seed already, only the dtype matters: float64 draws other numbers than float32, so a
program in float64 casts what the float32 one draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from losscheck.program.quiet import tensorflow

# Operation -> the one that takes a seed, and which of its inputs that is.
HELD = {
    "RandomUniform": ("StatelessRandomUniform", 1),
    "RandomStandardNormal": ("StatelessRandomNormal", 1),
    "TruncatedNormal": ("StatelessTruncatedNormal", 1),
    "RandomUniformInt": ("StatelessRandomUniformInt", 1),
    "Multinomial": ("StatelessMultinomial", 2),
}
_PREFIXES = ("StatelessRandom", "StatelessTruncatedNormal", "StatelessMultinomial", "Random")
_SETTINGS = frozenset({"StatelessRandomGetKeyCounter", "StatelessRandomGetAlg"})  # are not drawn


def drawing(op: str) -> bool:
    """Whether an operation of this type gives random numbers."""
    return op in HELD or (op.startswith(_PREFIXES) and op not in _SETTINGS)


def hold(definition: Any) -> bool:
    """Give a seed to every operation that takes it from outside; say whether there was one.

    The gradient that was traced refers to what is drawn by name, and so goes along.
    """
    numbered = list(enumerate(_holdable(definition)))
    for number, (nodes, node, inside) in numbered:
        seed = nodes.add()
        seed.name, seed.op = f"{node.name}/held_seed", "Const"
        seed.attr["dtype"].type = tensorflow().int32.as_datatype_enum
        numbers = tensorflow().make_tensor_proto([1, number], dtype="int32")
        seed.attr["value"].tensor.CopyFrom(numbers)
        _given(node, f"{seed.name}:output:0" if inside else seed.name)
    return bool(numbered)


def _given(node: Any, seed: str) -> None:
    """Make a node draw by a seed, the name of a tensor."""
    op, place = HELD[node.op]
    data = [name for name in node.input if not name.startswith("^")]
    controls = [name for name in node.input if name.startswith("^")]
    del node.input[:]
    node.input.extend([*data[:place], seed, *data[place:], *controls])
    node.op = op
    node.attr["Tseed"].type = tensorflow().int32.as_datatype_enum
    if "Tout" in node.attr:
        node.attr["dtype"].type = node.attr["Tout"].type
    for name in ("seed", "seed2", "Tout"):
        node.attr.pop(name, None)


def _holdable(definition: Any) -> Iterator[tuple[Any, Any, bool]]:
    """Nodes to be given a seed: those they stand among, and whether that is a function's body."""
    bodies = [(function.node_def, True) for function in definition.library.function]
    for nodes, inside in ((definition.node, False), *bodies):
        for node in list(nodes):
            if node.op in HELD:
                yield nodes, node, inside
