"""What slices take of a tensor: which indices of each axis, and whether more of a longer axis."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck.program.tracing.wiring import SHAPE_OPS, Node, Wiring

SLICES = frozenset({"StridedSlice", "Slice", "Split", "SplitV", "Unpack", "GatherV2"})
Dims = tuple[int | None, ...]


@attrs.frozen
class Part:
    """What one output of a slice holds of its input."""

    # The indices by axis of the input; None where an axis is whole.
    taken: tuple[frozenset[int] | None, ...]
    # The axes of which it takes more where they are longer: `x[:, 2:]`, a split in halves.
    elastic: frozenset[int] = frozenset()
    ends: tuple[tuple[int, int], ...] = ()  # the numbers that bound it, by axis
    keeps: bool = True  # whether every axis of the input is one of the output
    # Whether an axis ends within a slice that begins behind its start: `x[:, 2:4]` of three.
    cut: bool = False

    @property
    def whole(self) -> bool:
        """Whether it leaves nothing out."""
        return all(indices is None for indices in self.taken)


def parts(node: Node, wiring: Wiring, shape: Dims) -> tuple[Part | None, ...]:
    """Read what each output of a slice takes of an input of this shape; None: unknown."""
    if any(size is None for size in shape):
        return (None,) * len(node.outputs)
    sizes = tuple(size or 0 for size in shape)
    if node.type == "StridedSlice":
        return (_strided(node, wiring, sizes),)
    if node.type == "Slice":
        return (_slice(node, wiring, sizes),)
    if node.type in ("Split", "SplitV", "Unpack"):
        return _pieces(node, wiring, sizes)
    return (_gathered(node, wiring, sizes),)


def numbers(wiring: Wiring, tensor: str) -> tuple[int, ...] | None:
    """The whole numbers of a constant; None if it is none."""
    constant = wiring.producer(tensor).constant
    if constant is None or constant.dtype.kind not in "iu":
        return None
    return tuple(int(n) for n in constant.ravel())


def _strided(node: Node, wiring: Wiring, sizes: tuple[int, ...]) -> Part | None:
    given = [numbers(wiring, tensor) for tensor in node.inputs[1:4]]
    if any(entry is None for entry in given):
        return None
    begin, end, strides = (entry or () for entry in given)
    masks = {
        kind: node.attributes.get(f"{kind}_mask", 0)
        for kind in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    taken: list[frozenset[int] | None] = []
    elastic, ends, keeps, cut = set(), [], True, False
    spread = len(sizes) - sum(
        not (masks["ellipsis"] | masks["new_axis"]) >> i & 1 for i in range(len(begin))
    )
    for i, step in enumerate(strides):
        axis = len(taken)
        if masks["ellipsis"] >> i & 1:
            taken += [None] * spread
            continue
        if masks["new_axis"] >> i & 1:
            keeps = False
            continue
        if axis >= len(sizes):
            return None
        size = sizes[axis]
        if masks["shrink_axis"] >> i & 1:
            keeps = False
            taken.append(frozenset({begin[i] % size}) if size else frozenset())
            ends.append((axis, begin[i] % size + 1 if size else 1))
            continue
        first = None if masks["begin"] >> i & 1 else begin[i]
        last = None if masks["end"] >> i & 1 else end[i]
        indices = frozenset(range(size)[slice(first, last, step)])
        taken.append(None if len(indices) == size else indices)
        if (first is not None and first < 0) != (last is None or last < 0):
            elastic.add(axis)
        ends += [(axis, bound) for bound in (first, last) if bound is not None and bound > 0]
        cut |= first is not None and last is not None and first > 0 and last > size
    taken += [None] * (len(sizes) - len(taken))
    return Part(tuple(taken), frozenset(elastic), tuple(ends), keeps, cut)


def _slice(node: Node, wiring: Wiring, sizes: tuple[int, ...]) -> Part | None:
    begin, length = (numbers(wiring, tensor) for tensor in node.inputs[1:3])
    if begin is None or length is None:
        return None
    taken: list[frozenset[int] | None] = []
    elastic, ends = set(), []
    for axis, (first, count, size) in enumerate(zip(begin, length, sizes, strict=True)):
        indices = frozenset(range(first, size if count < 0 else first + count))
        taken.append(None if len(indices) == size else indices)
        if count < 0:
            elastic.add(axis)
        ends += [(axis, bound) for bound in (first, first + count) if bound > 0]
    return Part(tuple(taken), frozenset(elastic), tuple(ends))


def _pieces(node: Node, wiring: Wiring, sizes: tuple[int, ...]) -> tuple[Part | None, ...]:
    if node.type == "Unpack":
        axis, lengths = node.attributes.get("axis", 0), (1,) * len(node.outputs)
    else:
        where = numbers(wiring, node.inputs[0 if node.type == "Split" else 2])
        if where is None:
            return (None,) * len(node.outputs)
        axis = where[0]
        own = numbers(wiring, node.inputs[1]) if node.type == "SplitV" else None
        even = sizes[axis] // len(node.outputs)
        lengths = own or (even,) * len(node.outputs)
    axis %= len(sizes)
    found, begin = [], 0
    for length in lengths:
        length = length if length >= 0 else sizes[axis] - sum(n for n in lengths if n >= 0)
        taken: list[frozenset[int] | None] = [None] * len(sizes)
        if length != sizes[axis]:
            taken[axis] = frozenset(range(begin, begin + length))
        begin += length
        split = node.type == "Split"
        found.append(
            Part(
                tuple(taken),
                frozenset({axis}) if split else frozenset(),
                () if split else ((axis, begin),),
                node.type != "Unpack",
            )
        )
    return tuple(found)


def _gathered(node: Node, wiring: Wiring, sizes: tuple[int, ...]) -> Part | None:
    indices, where = (numbers(wiring, tensor) for tensor in node.inputs[1:3])
    if indices is None or not where or node.attributes.get("batch_dims", 0):
        return None
    axis = where[0] % len(sizes)
    taken: list[frozenset[int] | None] = [None] * len(sizes)
    if len(set(indices)) < sizes[axis]:
        taken[axis] = frozenset(indices)
    return Part(tuple(taken), ends=tuple((axis, i + 1) for i in indices), keeps=False)


def union(found: Sequence[Part], shape: Dims) -> dict[int, frozenset[int]]:
    """The indices that slices take together, by axis behind the batch, of the axes not whole."""
    result = {}
    for axis in range(1, len(shape)):
        taken = [part.taken[axis] for part in found]
        known = [indices for indices in taken if indices is not None]
        together = frozenset().union(*known)
        if len(known) == len(taken) and len(together) < (shape[axis] or 0):
            result[axis] = together
    return result


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
    shape = wiring.shape(tensor) or ()
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
