"""Finding the layout that a loss runs with: shapes that nobody declared are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from losscheck.infer.given import Given
from losscheck.infer.hints import hints
from losscheck.infer.layouts import INDEX_PAIRS, PAIRS, WIDTHS, Shapes, layouts, with_width
from losscheck.infer.spec import last_letter, main_sizes
from losscheck.program.modes import EagerProgram
from losscheck.program.programs import Programs
from losscheck.program.trace import CallError
from losscheck.program.wiring import Wiring
from losscheck.shapes import parse

MOST_TRIED = 1_152
"""Layouts, each of which is traced in some 20 ms. With two arguments besides the pair these are all
at every width; with four of them there would be 18,000."""


def declares_labels(given: Given) -> bool:
    """Say whether the shape of every label is given."""
    names = [name for name, role in given.roles.items() if role == "y_true"]
    return all(name in given.shapes for name in names)


def find_layout(
    programs: Programs, given: Given, pairs: Sequence[tuple[str, str]]
) -> tuple[Shapes, dict[str, int], CallError | None]:
    """Find the first layout that runs; where none does, the first one and what it raised."""
    first: tuple[Shapes, dict[str, int], CallError] | None = None
    tried = 0
    for pair in pairs:
        options = list(layouts(given.roles, given.shapes, (pair,)))
        for width in (None, *(WIDTHS if pairs is PAIRS and given.data is None else ())):
            for shapes in options:
                parsed = {name: parse(text) for name, text in shapes.items()}
                if width is not None and not last_letter(parsed):
                    continue
                sizes = {**main_sizes(parsed, width), **given.sizes}
                error = _runs(programs, shapes, sizes)
                if error is None and given.data is not None:
                    return (*settle_sizes(programs, given, shapes, sizes), None)
                if error is None:
                    better = _per_sample(programs, given, pairs, shapes, sizes, width)
                    return _settle_width(programs, given, *(better or (shapes, sizes)))
                first = first or (shapes, sizes, error)
                tried += 1
                if _hopeless(error) or tried == MOST_TRIED:
                    return first
    assert first is not None  # layouts gives at least one
    return first


def _per_sample(
    programs: Programs,
    given: Given,
    pairs: Sequence[tuple[str, str]],
    shapes: Shapes,
    sizes: dict[str, int],
    width: int | None,
) -> tuple[Shapes, dict[str, int]] | None:
    """Find labels with which the loss is one of samples, where with these it is none; else None.

    A label of another shape may run by broadcasting alone: what comes out then tells it. Anything
    broadcasts with a width of 1.
    """
    prediction = shapes[programs.call.prediction]
    if width != 1 and _is_per_sample(programs, shapes, sizes):
        return None
    for pair in pairs:
        if parse(pair[1]).text != parse(prediction).text:
            continue
        for other in layouts(given.roles, given.shapes, (pair,)):
            there = main_sizes({name: parse(text) for name, text in other.items()})
            if _runs(programs, other, there) is None and _is_per_sample(programs, other, there):
                return other, there
    return None


def _is_per_sample(programs: Programs, shapes: Shapes, sizes: Mapping[str, int]) -> bool:
    """Say whether the loss is a scalar or a leading part of the prediction's shape."""
    at = {name: parse(text).at(sizes) for name, text in shapes.items()}
    program = programs.at(at)
    if program.traced is None or program.traced.value.shape.rank is None:
        return True  # nothing tells
    returns = tuple(program.traced.value.shape)
    return returns == at[programs.call.prediction][: len(returns)]


def _hopeless(error: CallError) -> bool:
    """Say whether no other shape can help: a name that does not exist is missing in all of them."""
    missing = (AttributeError, NameError, ImportError, NotImplementedError)
    return isinstance(error.error, missing)


def _settle_width(
    programs: Programs, given: Given, shapes: Shapes, sizes: dict[str, int]
) -> tuple[Shapes, dict[str, int], None]:
    """Write a number for the last axis where the loss runs at no other size."""
    letter = last_letter({name: parse(text) for name, text in shapes.items()})
    free = [name for name in shapes if name not in given.shapes]
    if (
        not letter
        or not free
        or (given.roles and any(letter in given.shapes.get(n, "") for n in shapes))
    ):
        return shapes, sizes, None
    other = {**sizes, letter: sizes[letter] + 1}
    if _runs(programs, shapes, other) is None:
        return shapes, sizes, None
    fixed = with_width(shapes, letter, sizes[letter])
    return fixed, {name: size for name, size in sizes.items() if name != letter}, None


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
    shapes, sizes, error = find_layout(whole, given, (*INDEX_PAIRS, *PAIRS))
    refused = _runs(programs, shapes, sizes)
    return None if error is not None or refused is None else (whole, shapes, sizes, refused)


def sparse_layout(
    programs: Programs,
    given: Given,
    shapes: Shapes,
    sizes: dict[str, int],
    pairs: Sequence[tuple[str, str]],
) -> tuple[Shapes, dict[str, int]]:
    """Take labels that are used as class indices for what they are: one axis less."""
    graph = wiring_at(programs, shapes, sizes)
    labels = [name for name, role in given.roles.items() if role == "y_true"]
    if graph is None or not labels:
        return shapes, sizes
    if not any(hint.use == "index" for hint in hints(graph, labels[0])):
        return shapes, sizes
    for pair in pairs:
        rank = parse(shapes[programs.call.prediction]).rank
        if parse(pair[1]).rank == rank:
            found, found_sizes, error = find_layout(programs, given, (pair,))
            if error is None:
                return found, found_sizes
    return shapes, sizes


def wiring_at(programs: Programs, shapes: Shapes, sizes: Mapping[str, int]) -> Wiring | None:
    """Read the graph of a layout; None where the loss cannot be traced."""
    program = programs.at({name: parse(text).at(sizes) for name, text in shapes.items()})
    return None if isinstance(program, EagerProgram) else program.wiring
