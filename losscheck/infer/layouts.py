"""Layouts: a shape for every argument and a size for every letter, in the order of their use."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import attrs

from losscheck import domains
from losscheck.infer.choose import Choice
from losscheck.infer.known import Given
from losscheck.infer.spec import BATCH, batch_beside, main_sizes
from losscheck.model import UsageError
from losscheck.settings.shapes import Shape, parse

Shapes = Mapping[str, Shape]
Pair = tuple[Shape, Shape]  # of labels and predictions
LARGE = 1 << 12  # elements of a sample, of which a batch has two
# Before the columns: rows of a batch, of a sequence, of an image.
_LEADING = ("B", "B, T", "B, H, W")


def _pairs(*texts: tuple[str, str]) -> tuple[Pair, ...]:
    return tuple((parse(label), parse(prediction)) for label, prediction in texts)


# Regression and one-hot first, then sparse labels, sequences, images.
PAIRS: tuple[Pair, ...] = _pairs(
    ("(B, D)", "(B, D)"),
    ("(B,)", "(B, D)"),
    ("(B, 1)", "(B, D)"),
    ("(B,)", "(B,)"),
    ("(B, T, D)", "(B, T, D)"),
    ("(B, H, W, C)", "(B, H, W, C)"),
    ("(B, T)", "(B, T, D)"),
    ("(B, H, W)", "(B, H, W, C)"),
    ("(B, D, H, W, C)", "(B, D, H, W, C)"),
    ("(B, D)", "(B,)"),
    ("(B, T, 1)", "(B, T, D)"),
    ("(B, H, W, 1)", "(B, H, W, C)"),
    ("(B, N, N)", "(B, N, N)"),
    ("(B,)", "(B, B)"),
    ("(B,)", "(B, T, D)"),
    ("(B, D)", "(B, T, D)"),
    ("(B,)", "(B, H, W, C)"),
    ("(B, D, H, W)", "(B, D, H, W, C)"),
    ("(B, T, D)", "(B, D)"),
    ("(B, K)", "(B, H, W, C)"),
    ("(B, K, 2)", "(B, K, N, N)"),
)
INDEX_PAIRS: tuple[Pair, ...] = _pairs(
    ("(B,)", "(B, D)"),
    ("(B, 1)", "(B, D)"),
    ("(B, T)", "(B, T, D)"),
    ("(B, H, W)", "(B, H, W, C)"),
    ("(B, D, H, W)", "(B, D, H, W, C)"),
)


@attrs.frozen(kw_only=True, eq=False)
class Layout:
    """A shape for every argument, and a size for every letter."""

    shapes: Shapes
    sizes: Mapping[str, int]
    prediction: str
    pair: Pair  # that it is a case of
    led: bool = False  # whether messages, one after the other, asked for its sizes

    def at(self, sizes: Mapping[str, int] | None = None) -> dict[str, tuple[int, ...]]:
        """The shape of every argument, some letters having these sizes in place of theirs."""
        there = {**self.sizes, **(sizes or {})}
        return {name: shape.at(there) for name, shape in self.shapes.items()}

    @property
    def batch(self) -> str:
        """The letter of the batch; "" where the prediction has none."""
        first = self.shapes[self.prediction].dims[:1]
        return first[0] if first and isinstance(first[0], str) else ""

    def numbered(self, letter: str) -> Layout:
        """Write its size for a letter."""
        return attrs.evolve(
            self,
            shapes=numbered(self.shapes, letter, self.sizes[letter]),
            sizes={name: size for name, size in self.sizes.items() if name != letter},
        )


def numbered(shapes: Shapes, letter: str, size: int) -> Shapes:
    """Write a number for a letter."""
    return {name: shape.numbered(letter, size) for name, shape in shapes.items()}


def laid(
    given: Given, pair: Pair, shapes: Shapes, wanted: Mapping[str, int], *, led: bool = False
) -> Layout:
    """Give letters the sizes that are wanted, and the batch one that no other axis has.

    Parameters
    ----------
    wanted
        Sizes by letter; those of other letters than the shapes have are left out, and data give
        theirs.
    """
    sizes = main_sizes(shapes)
    sizes |= {letter: size for letter, size in wanted.items() if letter in sizes}
    found = Layout(shapes=shapes, sizes=sizes, prediction=given.prediction, pair=pair, led=led)
    batch = found.batch
    if batch in sizes and batch not in wanted:
        others = [size for letter, size in sizes.items() if letter != batch]
        taken = {*others, *(d for s in shapes.values() for d in s.dims if isinstance(d, int))}
        sizes[batch] = batch_beside(taken, 2 if math.prod(others) > LARGE else BATCH)
    return attrs.evolve(found, sizes={**sizes, **given.sizes})


def extras(prediction: Shape) -> tuple[Shape, ...]:
    """Shapes of weights and other inputs beside a prediction, the likeliest first."""
    dims = prediction.dims
    if len(dims) < 2:
        return (Shape(("B",)), Shape(("B", "D")), Shape(("B", 1)), Shape(()))
    shorter = dims[:-1]
    matrix = (dims[0], dims[-1], dims[-1])  # a rotation, a covariance
    found = [dims, shorter, (*shorter, 1), dims[:1], dims[:2], (*dims[:1], 1), (), matrix]
    return tuple(map(Shape, dict.fromkeys(found)))


def layouts(
    roles: Mapping[str, str], fixed: Shapes, pairs: Sequence[Pair] = PAIRS
) -> Iterator[dict[str, Shape]]:
    """Give assignments of a shape to every argument, the likeliest first, each once.

    Parameters
    ----------
    roles
        Argument -> role.
    fixed
        The shapes that are declared, known or documented; they stay.
    """
    seen = set()
    for label, prediction in pairs:
        of_role = {"y_true": (label,), "y_pred": (prediction,)}
        able = [
            (fixed[name],) if name in fixed else of_role.get(role) or extras(prediction)
            for name, role in roles.items()
        ]
        for choice in itertools.product(*able):
            if choice not in seen:
                seen.add(choice)
                yield dict(zip(roles, choice, strict=True))


def with_widths(given: Given) -> Iterator[Given]:
    """Write the number of columns into shapes that nobody gave, the likeliest rank first."""
    widths = {
        name: width
        for name, domain in given.domains.items()
        if name not in given.shapes and (width := domains.parse(domain).width) is not None
    }
    for leading in _LEADING if widths else _LEADING[:1]:
        shapes = {name: parse(f"({leading}, {width})") for name, width in widths.items()}
        yield attrs.evolve(given, shapes={**given.shapes, **shapes})


def with_numbers(given: Mapping[str, str], shapes: Shapes) -> dict[str, Shape]:
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
        dims = shapes[name].dims
        if not dims or (isinstance(dims[-1], int) and dims[-1] != width):
            raise UsageError(
                f"{name} has the domain {domain}, of {width} columns, and the shape "
                f"{shapes[name].text}. Expected {width} as the size of the last axis, such as "
                f'"(B, {width})". Change one of them.'
            )
        found[name] = shapes[name].with_axis(-1, width)
    return found


def with_columns(chosen: Mapping[str, Choice], layout: Layout) -> Shapes:
    """Write numbers for the letters of the last axes of which columns have domains of their own."""
    found = layout.shapes
    for name, choice in chosen.items():
        last = (0, *found[name].dims)[-1]
        if domains.parse(choice.domain).width is not None and isinstance(last, str):
            found = numbered(found, last, layout.sizes[last])
    return found
