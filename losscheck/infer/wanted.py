"""Sizes that a loss asks for, read out of what it raises, its slices and its code."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any

MOST = 4096  # elements of an axis
MANY = 12  # numbers that one message may give
_NODE = re.compile(r" for '?\{\{node.*|\{\{node [^}]*\}\}|Arguments received by.*", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.]*\w)")


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
