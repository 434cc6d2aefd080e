"""What domains by column say of shapes: the last axis has as many places as there are columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from losscheck import domains
from losscheck.infer.choose import Choice
from losscheck.infer.given import Given
from losscheck.infer.layouts import with_width
from losscheck.model import UsageError
from losscheck.settings.shapes import Shape, parse

# Before the columns: rows of a batch, of a sequence, of an image.
_LEADING = ("B", "B, T", "B, H, W")


def with_widths(given: Given) -> Iterator[Given]:
    """Write the number of columns into shapes that nobody gave, the likeliest rank first."""
    widths = {
        name: width
        for name, domain in given.domains.items()
        if name not in given.shapes and (width := domains.parse(domain).width) is not None
    }
    for leading in _LEADING if widths else _LEADING[:1]:
        shapes = {name: f"({leading}, {width})" for name, width in widths.items()}
        yield attrs.evolve(given, shapes={**given.shapes, **shapes})


def with_numbers(given: Mapping[str, str], shapes: Mapping[str, str]) -> dict[str, str]:
    """Write the number of columns for the last letter of the shapes that are given beside them.

    Raises
    ------
    UsageError
        Where a shape has another number of columns than its domain.
    """
    found = dict(shapes)
    for name, domain in given.items():
        width = domains.parse(domain).width
        if width is None or name not in shapes:
            continue
        dims = parse(shapes[name]).dims
        if not dims or (isinstance(dims[-1], int) and dims[-1] != width):
            raise UsageError(
                f"{name} has the domain {domain}, of {width} columns, and the shape "
                f"{shapes[name]}. Expected {width} as the size of the last axis, such as "
                f'"(B, {width})". Change one of them.'
            )
        found[name] = Shape((*dims[:-1], width)).text
    return found


def with_columns(
    chosen: Mapping[str, Choice], shapes: Mapping[str, str], sizes: Mapping[str, int]
) -> dict[str, str]:
    """Write numbers for the letters of the last axes of which columns have domains of their own."""
    found = dict(shapes)
    for name, choice in chosen.items():
        last = (0, *parse(found[name]).dims)[-1]
        if domains.parse(choice.domain).width is not None and isinstance(last, str):
            found = with_width(found, last, sizes[last])
    return found
