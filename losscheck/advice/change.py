"""A change of the user's source as advice gives it: texts, without the place."""

from __future__ import annotations

import attrs


@attrs.frozen
class Change:
    """An expression of the user's, and what to write in its place."""

    old: str  # the blamed expression, or a larger one that holds it
    new: str
    before: tuple[str, ...] = ()  # statements that go before the statement which holds it
    why: str = ""  # further advice
    early: bool = False  # these statements go before all others of the function, and that is all
    # Or else: expressions, and what is to stand there wherever they are in the function.
    throughout: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class Filled:
    """A piece of advice in the words of a scene."""

    cause: str
    fix: str  # Python; advice that is no code stands in comments
    change: Change | None = None  # None where it stands beside the user's line, not in it
