"""Problems on which other tools have published what they reach, written anew as losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """A loss of which others have published what is wrong with it, or that nothing is.

    Parameters
    ----------
    loss
        Written anew: the same mathematics and the same trap.
    bugs
        What it is called there; a loss may stand for the bugs of several programs.
    arguments
        Domain and shape of each, as its program has them.
    codes
        Any of which finds the fault, separated by spaces; none of a sound one.
    why
        The input that shows the fault, or what else is to be known.
    order
        Of the derivatives that are checked.
    """

    loss: Callable[..., Any]
    bugs: tuple[str, ...]
    arguments: Mapping[str, tuple[str, str]]
    codes: str = ""
    why: str = ""
    order: int = 1
