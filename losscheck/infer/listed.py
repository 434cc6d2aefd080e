"""Arguments that seem to be lists: all that a loss does with them is to take entries by number."""

from __future__ import annotations

from losscheck.infer.slices import Part, parts
from losscheck.program.tracing.wiring import SHAPE_OPS, Wiring


def listed(wiring: Wiring) -> dict[str, int]:
    """Name the arguments of which a loss takes the entries 0 and 1, or more, and nothing else.

    Returns
    -------
    dict
        Argument -> the number of entries. Along the first axis these would be samples.
    """
    counts = {name: len(_entries(wiring, tensor)) for name, tensor in wiring.arguments.items()}
    return {name: count for name, count in counts.items() if count > 1}


def _entries(wiring: Wiring, tensor: str) -> set[int]:
    """The numbers of the entries; none where it is used in another way."""
    found: set[int] = set()
    producer = wiring.producer(tensor)
    shape = producer.shapes[producer.outputs.index(tensor)] or ()
    for node in wiring.forward:
        if tensor not in node.inputs or node.type in SHAPE_OPS:
            continue
        part = parts(node, wiring, shape)[0] if node.type == "StridedSlice" else None
        first = _first(part)
        if first is None:
            return set()
        found.add(first)
    return found if found == set(range(len(found))) else set()


def _first(part: Part | None) -> int | None:
    """The one index of the first axis that a slice takes, where it takes that axis away."""
    if part is None or part.keeps or not part.taken or part.taken[0] is None:
        return None
    return min(part.taken[0]) if len(part.taken[0]) == 1 else None
