"""What is made of a program once: each function that makes something owns what it has made."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast


class Owner(Protocol):
    """What holds the things that were made of it, and lets go of them with itself."""

    remembered: dict[Any, Any]


Of = TypeVar("Of", bound=Owner)
Made = TypeVar("Made")
P = ParamSpec("P")


def remembered(make: Callable[Concatenate[Of, P], Made]) -> Callable[Concatenate[Of, P], Made]:
    """Make it once for each owner and each set of further arguments, which are hashable.

    What raises is tried again.
    """

    def once(owner: Of, /, *args: P.args, **kwargs: P.kwargs) -> Made:
        key: Hashable = (make, args, tuple(kwargs.items()))
        if key not in owner.remembered:
            owner.remembered[key] = make(owner, *args, **kwargs)
        return cast("Made", owner.remembered[key])

    return functools.update_wrapper(once, make)
