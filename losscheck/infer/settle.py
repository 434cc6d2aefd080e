"""Finding the layout that a loss runs with: shapes that nobody declared are tried."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from losscheck.infer.fit import fit
from losscheck.infer.hints import hints
from losscheck.infer.known import Given
from losscheck.infer.layouts import INDEX_PAIRS, PAIRS, Pairs, Shapes, with_width
from losscheck.infer.search import Search
from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import CallError
from losscheck.program.tracing.wiring import Wiring
from losscheck.settings.shapes import parse


def declares_labels(given: Given) -> bool:
    """Say whether the shape of every label is given."""
    names = [name for name, role in given.roles.items() if role == "y_true"]
    return all(name in given.shapes for name in names)


def find_layout(
    programs: Programs, given: Given, pairs: Pairs
) -> tuple[Shapes, dict[str, int], CallError | None]:
    """Find the layout that fits a loss best; where none runs, the first one and what it raised."""
    thorough = given.data is None and set(pairs) >= set(PAIRS)
    shapes, sizes, error = Search(programs, given, pairs, thorough=thorough).find()
    if error is None and given.data is not None:
        shapes, sizes = settle_sizes(programs, given, shapes, sizes)
    return shapes, sizes, error


def settle_sizes(
    programs: Programs, given: Given, shapes: Shapes, sizes: dict[str, int]
) -> tuple[Shapes, dict[str, int]]:
    """Write numbers for the letters of data where the loss runs at no other size."""
    declared = {
        letter
        for name, (origin, _) in given.origins.items()
        if origin == "declared" and name in given.shapes
        for letter in parse(given.shapes[name]).letters
    }
    batch = parse(shapes[programs.call.prediction]).dims[0]
    for letter in [k for k in sizes if k != batch and k not in declared]:
        if _runs(programs, shapes, {**sizes, letter: sizes[letter] + 1}) is not None:
            shapes = with_width(shapes, letter, sizes[letter])
            sizes = {name: size for name, size in sizes.items() if name != letter}
    return shapes, sizes


def _runs(programs: Programs, shapes: Shapes, sizes: Mapping[str, int]) -> CallError | None:
    try:
        programs.at({name: parse(text).at(sizes) for name, text in shapes.items()})
    except CallError as error:
        return error
    return None


def whole_labels(
    programs: Programs, given: Given
) -> tuple[Programs, Shapes, dict[str, int], CallError] | None:
    """Hand over labels as int32 to a loss that raises on floats.

    Returns
    -------
    tuple or None
        The programs, shapes and sizes with which it runs, and what floats raise there; None where
        it raises on integers, too.
    """
    labels = tuple(name for name, role in given.roles.items() if role == "y_true")
    if not labels:
        return None
    whole = Programs(attrs.evolve(programs.call, integers=labels))
    shapes, sizes, error = find_layout(whole, given, tuple(dict.fromkeys((*INDEX_PAIRS, *PAIRS))))
    refused = _runs(programs, shapes, sizes)
    return None if error is not None or refused is None else (whole, shapes, sizes, refused)


def sparse_layout(
    programs: Programs,
    given: Given,
    shapes: Shapes,
    sizes: dict[str, int],
    pairs: Pairs,
) -> tuple[Shapes, dict[str, int]]:
    """Take labels that are used as class indices for what they are: one axis less."""
    graph = wiring_at(programs, shapes, sizes)
    labels = [name for name, role in given.roles.items() if role == "y_true"]
    if graph is None or not labels:
        return shapes, sizes
    rank = parse(shapes[programs.call.prediction]).rank
    if parse(shapes[labels[0]]).rank < rank:  # it was tried among the others
        return shapes, sizes
    if not any(hint.use == "index" for hint in hints(graph, labels[0])):
        return shapes, sizes
    for pair in pairs:
        if parse(pair[1]).rank == rank:
            found, found_sizes, error = find_layout(programs, given, (pair,))
            if error is None:
                return found, found_sizes
    return shapes, sizes


def is_unfit(programs: Programs, shapes: Shapes, sizes: Mapping[str, int]) -> bool:
    """Say whether the layout is not what the loss is made for, as far as its graph tells.

    Samples meet others in it by broadcasting alone, or something inside is empty.
    """
    graph = wiring_at(programs, shapes, sizes)
    if graph is None:
        return False
    at = {name: parse(text).at(sizes) for name, text in shapes.items()}
    found = fit(graph, None, at)
    return found.crossed or found.empty


def wiring_at(programs: Programs, shapes: Shapes, sizes: Mapping[str, int]) -> Wiring | None:
    """Read the graph of a layout; None where the loss cannot be traced."""
    program = programs.at({name: parse(text).at(sizes) for name, text in shapes.items()})
    return None if program.graphed is None else program.graphed.wiring
