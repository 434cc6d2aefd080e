"""The layouts and sizes that an undeclared loss may take, in the order in which people use them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

import attrs

from losscheck import domains
from losscheck.infer.choose import Choice
from losscheck.infer.known import Given
from losscheck.model import UsageError
from losscheck.settings.shapes import Shape, parse

# (labels, predictions): regression and one-hot first, then sparse labels, sequences, images.
PAIRS: tuple[tuple[str, str], ...] = (
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
INDEX_PAIRS: tuple[tuple[str, str], ...] = (
    ("(B,)", "(B, D)"),
    ("(B, 1)", "(B, D)"),
    ("(B, T)", "(B, T, D)"),
    ("(B, H, W)", "(B, H, W, C)"),
    ("(B, D, H, W)", "(B, D, H, W, C)"),
)
# Tried where a free last axis does not run; not the size of the batch, which may fit by accident.
WIDTHS: tuple[int, ...] = (2, 4, 5, 6, 7, 8, 9, 10, 12, 16)
# Sizes of the other axes, each divisible by more than the one before: patches, windows, pools. The
# multi-scale SSIM halves an image four times and then needs eleven pixels.
LONGER: tuple[Mapping[str, int], ...] = (
    {"T": 8, "H": 8, "W": 12, "D": 32},
    {"T": 16, "H": 16, "W": 16, "D": 128},
    {"T": 32, "H": 32, "W": 32, "D": 512},
    {"T": 128, "H": 64, "W": 64, "D": 2048},
    {"T": 512, "H": 176, "W": 176, "C": 1},
)
SHARES: tuple[int, ...] = (
    2,
    3,
    4,
    5,
)  # predictions so many times as wide as labels, or the reverse

Shapes = dict[str, str]
Pairs = Sequence[tuple[str, str]]
# Before the columns: rows of a batch, of a sequence, of an image.
_LEADING = ("B", "B, T", "B, H, W")
MOST = 4096  # elements of an axis
MANY = 12  # numbers that one message may give
_NODE = re.compile(r" for '?\{\{node.*|\{\{node [^}]*\}\}|Arguments received by.*", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.]*\w)")


def extras(prediction: str) -> tuple[str, ...]:
    """Shapes of weights and other inputs beside a prediction, the likeliest first."""
    dims = parse(prediction).dims
    if len(dims) < 2:
        return ("(B,)", "(B, D)", "(B, 1)", "()")
    shorter = dims[:-1]
    matrix = (dims[0], dims[-1], dims[-1])  # a rotation, a covariance
    found = [dims, shorter, (*shorter, 1), dims[:1], dims[:2], (*dims[:1], 1), (), matrix]
    return tuple(dict.fromkeys(Shape(each).text for each in found))


def layouts(
    roles: Mapping[str, str], fixed: Mapping[str, str], pairs: Sequence[tuple[str, str]] = PAIRS
) -> Iterator[Shapes]:
    """Give assignments of a shape to every argument, the likeliest first.

    Parameters
    ----------
    roles
        Argument -> role.
    fixed
        The shapes that are declared, known or documented; they stay.
    """
    others = [name for name, role in roles.items() if role not in ("y_true", "y_pred")]
    seen: set[tuple[tuple[str, str], ...]] = set()
    for label, prediction in pairs:
        for choice in itertools.product(extras(prediction), repeat=len(others)):
            shapes = dict(zip(others, choice, strict=True))
            for name, role in roles.items():
                if role == "y_true":
                    shapes[name] = label
                elif role == "y_pred":
                    shapes[name] = prediction
            shapes = {name: fixed.get(name, shapes[name]) for name in roles}
            if (key := tuple(shapes.items())) not in seen:
                seen.add(key)
                yield shapes


def with_width(shapes: Shapes, letter: str, width: int) -> Shapes:
    """Write a number for a letter."""
    return {name: re.sub(rf"\b{letter}\b", str(width), text) for name, text in shapes.items()}


def with_axis(text: str, axis: int, size: int) -> str:
    """Write a number for one axis of a shape."""
    dims = list(parse(text).dims)
    dims[axis] = size
    return Shape(tuple(dims)).text


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


def numbers_in(message: str, batch: int) -> tuple[int, ...]:
    """Read the whole numbers of a message, each once; those of whole batches by sample, too.

    Examples
    --------
    >>> numbers_in("expects y_pred.shape[-1] to be 4. Received 3.", batch=5)
    (1, 4, 3)
    """
    found = [int(text) for text in _NUMBER.findall(_NODE.sub("", message))][:MANY]
    found += [n // batch for n in found if batch and n % batch == 0]
    return tuple(dict.fromkeys(n for n in found if 0 < n <= MOST))


def numbers_of(function: Callable[..., Any]) -> tuple[int, ...]:
    """Collect the whole numbers of a function: in its code, closure, globals and object.

    The functions of its module that it calls come after it, with theirs.

    Examples
    --------
    >>> numbers_of(lambda y_true, y_pred: y_pred[:, 7:])
    (7,)
    """
    found = [n for each in _called(function) for n in _own_numbers(each)]
    return tuple(dict.fromkeys(n for n in found if 2 < n <= MOST))[:MANY]


def _called(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Give a function, and those of its module that it calls, and that these call."""
    waiting, seen = [function], set()
    while waiting:
        found = waiting.pop(0)
        python = _python(found)
        if python is None or python.__code__ in seen:
            continue
        seen.add(python.__code__)
        yield found
        used = (python.__globals__.get(name) for name in _names(python.__code__))
        waiting += [f for f in used if isinstance(f, FunctionType) and _beside(f, python)]


def _beside(function: FunctionType, other: FunctionType) -> bool:
    return function.__globals__ is other.__globals__


def _python(function: Callable[..., Any]) -> FunctionType | None:
    python = getattr(function, "python_function", function)
    python = getattr(python, "__func__", python)
    return python if isinstance(python, FunctionType) else None


def _own_numbers(function: Callable[..., Any]) -> Iterator[int]:
    python = _python(function)
    if python is None:
        return
    held = [cell.cell_contents for cell in python.__closure__ or () if _is_filled(cell)]
    held += [python.__globals__.get(name) for name in _names(python.__code__)]
    held += [*vars(getattr(function, "__self__", None) or object).values()]
    yield from _constants(python.__code__)
    yield from (n for n in held if type(n) is int)


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (raises where the variable has no value yet)
    except ValueError:
        return False
    return True


def _constants(code: CodeType) -> Iterator[int]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
        elif isinstance(constant, tuple):
            yield from (n for n in constant if type(n) is int)
        elif type(constant) is int:
            yield constant


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def widths(numbers: Sequence[int], ends: Sequence[int], *, plain: bool = False) -> tuple[int, ...]:
    """Give sizes of an axis that is asked for these numbers, or sliced at these ends.

    An index asks for one more; what is split takes multiples; behind the last end of a slice there
    are some more, or as many as before it. Those that are `plain` are the numbers themselves.
    """
    steps = [0, *ends]
    even = [last + (last - before) for before, last in itertools.pairwise(steps)]
    derived = [
        *reversed(even),
        *(n + 1 for n in numbers),
        *(end + 3 for end in reversed(ends)),
        *(2 * n for n in numbers),
        *(3 * n for n in numbers),
    ]
    return tuple(dict.fromkeys(n for n in (*numbers, *(() if plain else derived)) if 1 < n <= MOST))


def lengths(numbers: Sequence[int], own: Sequence[int]) -> tuple[int, ...]:
    """Give sizes of the axes before the last one, by numbers of messages and those of the code.

    An image that is made flat asks for the square of its side.

    Examples
    --------
    >>> lengths((36, 120), (7,))
    (7, 6, 36, 120)
    """
    sides = [math.isqrt(n) for n in numbers if n > 1 and math.isqrt(n) ** 2 == n]
    return tuple(dict.fromkeys(n for n in (*own, *sides, *numbers) if 1 < n <= MOST))
