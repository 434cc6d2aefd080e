"""Every floating-point number inside a loss, of many cases at a time: what blame walks over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array
from losscheck.program.running.program import Program
from losscheck.program.tracing.wiring import Wiring

TINY = float(np.finfo(np.float32).tiny)


def float_tensors(graph: Wiring, ends: Sequence[str]) -> list[str]:
    """Name the floating-point tensors that some tensors depend on, in order of creation."""
    wanted = {t for end in ends for node in graph.ancestors(end) for t in node.floats}
    return [t for node in graph.nodes for t in node.floats if t in wanted]


def followed(graph: Wiring) -> list[str]:
    """Everything that value and gradient depend on: the same for all rules, so it is built once."""
    return float_tensors(graph, [graph.value] + ([graph.gradient] if graph.gradient else []))


def tensors(
    instance: Instance, cases: CaseBlock, mode: str, dtype: str, evidence: Evidence
) -> dict[str, Sequence[Array] | Array]:
    """Every floating-point tensor of the graph, for every case, and the size of complex numbers."""
    assert instance.wiring is not None
    program = evidence.programs.at(instance.shapes, dtype).graphed
    assert program is not None
    graph = instance.wiring
    names = [*followed(graph), *_complex_tensors(graph)]
    if dtype != "float32":  # traced anew, where the loss may have done something else
        names = [name for name in names if program.has(name)]
    found = fetched(program, names, cases, mode)
    return {name: _sizes(values) for name, values in zip(names, found, strict=True)}


def apart(
    instance: Instance, end: str, case: CaseBlock, mode: str, dtype: str, evidence: Evidence
) -> dict[str, Array]:
    """Every floating-point tensor that `end` depends on, of one case, each asked for by itself.

    What is asked for beside others has to be there, so that TensorFlow does not rewrite it: who
    asks for `1 - p` finds that `1 - p + 1e-8` is 1e-8, which is 0 in the graph that trains.
    """
    program = evidence.programs.at(instance.shapes, dtype).graphed
    assert program is not None
    names = [name for name in float_tensors(program.wiring, [end]) if program.has(name)]
    return {name: np.asarray(fetched(program, [name], case, mode)[0][0]) for name in names}


def _complex_tensors(graph: Wiring) -> list[str]:
    ends = [end for end in (graph.value, graph.gradient) if end]
    wanted = {node.name for end in ends for node in graph.ancestors(end)}
    return [
        tensor
        for node in graph.nodes
        if node.name in wanted
        for tensor, dtype in zip(node.outputs, node.dtypes, strict=True)
        if dtype.startswith("complex")
    ]


def _sizes(values: Sequence[Array] | Array) -> Sequence[Array] | Array:
    """Numbers as they are, complex ones by their size: it is 0, infinite or NaN as they are."""
    if isinstance(values, np.ndarray):
        return np.abs(values) if values.dtype.kind == "c" else values
    return [np.abs(each) if np.asarray(each).dtype.kind == "c" else each for each in values]


def fetched(
    program: Program, names: Sequence[str], cases: CaseBlock, mode: str
) -> Sequence[Sequence[Array] | Array]:
    """Tensors by name for every case: an array, or a list where each case has a size of its own."""
    try:
        return program.fetch(names, cases.inputs, mode)
    except Exception:  # what boolean_mask leaves has another size in every case: no block of them
        return _one_by_one(program, names, cases)


def _one_by_one(program: Program, names: Sequence[str], cases: CaseBlock) -> list[list[Array]]:
    """Every tensor as a list, an array a case."""
    rows = [
        program.once(names, {name: array[i] for name, array in cases.inputs.items()})
        for i in range(len(cases))
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def is_subnormal(evidence: Evidence, case: CaseBlock) -> bool:
    """Say whether a number inside is smaller than float32 holds in full, in one case.

    Some kernels take such a number for 0 and some do not; of a comparison and what it chooses from,
    XLA may do the one and the other.
    """
    return bool(are_subnormal(evidence, case)[0])


def are_subnormal(evidence: Evidence, cases: CaseBlock) -> Array:
    """(N,) bool: the same of many cases."""
    found = np.zeros(len(cases), bool)
    program = evidence.programs.double(evidence.instance_of(cases).shapes).graphed
    if program is None:
        return found
    for array in fetched(program, followed(program.wiring), cases, "plain"):
        for i, part in enumerate([array] if isinstance(array, np.ndarray) else array):
            sizes = np.abs(np.asarray(part, np.float64))
            small = (sizes > 0) & (sizes < TINY)
            if isinstance(array, np.ndarray):
                found |= small.reshape(len(small), -1).any(axis=1)
            else:
                found[i] |= bool(small.any())
    return found


def in_blocks(
    values: Mapping[str, Sequence[Array] | Array], count: int
) -> Iterator[dict[str, Array]]:
    """Cases whose tensors have the same sizes: all of them, or else each by itself."""
    if all(isinstance(array, np.ndarray) for array in values.values()):
        yield {name: np.asarray(array) for name, array in values.items()}
        return
    for i in range(count):
        yield {name: np.asarray(array[i])[None] for name, array in values.items()}


def patterns(values: Mapping[str, Sequence[Array] | Array]) -> Array:
    """(N, 2T) bool: of each case, which tensors are finite, and which are all zero."""
    finite, zero = [], []
    for array in values.values():
        if isinstance(array, np.ndarray):
            flat = array.reshape(len(array), -1)
            finite.append(np.isfinite(flat).all(axis=1))
            zero.append(~flat.any(axis=1))
        else:
            finite.append(np.asarray([np.isfinite(each).all() for each in array]))
            zero.append(np.asarray([not np.any(each) for each in array]))
    return np.stack([*finite, *zero], axis=1)
