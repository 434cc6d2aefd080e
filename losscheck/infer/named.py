"""Sizes that something names: the message of what failed, the code of the loss, where it slices."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any

MOST = 4096  # elements of an axis
MANY = 12  # numbers that one message may give
_NODE = re.compile(r" for '?\{\{node.*|\{\{node [^}]*\}\}|Arguments received by.*", re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.]*\w)")


def as_they_come(named: Callable[[], Iterable[int]], most: int) -> Iterator[int]:
    """Give each number once, the first that is new each time: what fails names the next one."""
    done: set[int] = set()
    while len(done) < most:
        number = next((n for n in named() if n not in done), None)
        if number is None:
            return
        done.add(number)
        yield number


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
    held = vars(getattr(function, "__self__", None) or object).values()
    found: list[int] = []
    waiting, seen = [function], set()
    while waiting:
        called = waiting.pop(0)
        python = getattr(called, "python_function", called)
        python = getattr(python, "__func__", python)
        if not isinstance(python, FunctionType) or python.__code__ in seen:
            continue
        seen.add(python.__code__)
        own = python.__globals__
        used = [own.get(name) for code in _codes(python.__code__) for name in code.co_names]
        beside = [*_closed_over(python), *used, *(held if called is function else ())]
        found += [*_constants(python.__code__), *(n for n in beside if type(n) is int)]
        waiting += [f for f in used if isinstance(f, FunctionType) and f.__globals__ is own]
    return tuple(dict.fromkeys(n for n in found if 2 < n <= MOST))[:MANY]


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions within."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _constants(code: CodeType) -> Iterator[int]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
        else:
            several = constant if isinstance(constant, tuple) else (constant,)
            yield from (n for n in several if type(n) is int)


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
