"""Shapes as users write them: "(B, D)", with letters for free sizes and numbers for fixed ones."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from losscheck.model import UsageError

_FORM = 'a tuple of letters and numbers, as in "(B, D)", "(B,)", "(B, 1)", "(B, T, 3)" or "()"'
_NUMBER = re.compile(r"[0-9]+")
_LETTER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@attrs.frozen
class Shape:
    """A shape with free sizes.

    Examples
    --------
    >>> parse("(B, D)").at({"B": 3, "D": 2})
    (3, 2)
    """

    # One entry an axis: a letter stands for a size that is free, `B` for the batch; a number is a
    # fixed size.
    dims: tuple[str | int, ...]

    @property
    def text(self) -> str:
        """The shape as users write it."""
        inner = ", ".join(str(dim) for dim in self.dims)
        return f"({inner},)" if len(self.dims) == 1 else f"({inner})"

    @property
    def letters(self) -> tuple[str, ...]:
        """The free sizes, each once, in the order in which they appear."""
        return tuple(dict.fromkeys(dim for dim in self.dims if isinstance(dim, str)))

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.dims)

    def at(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Put a size in the place of every letter.

        Parameters
        ----------
        sizes
            A size for each letter; more letters than this shape has are allowed.

        Raises
        ------
        UsageError
            Where a letter has no size.
        """
        missing = [letter for letter in self.letters if letter not in sizes]
        if missing:
            raise UsageError(
                f"Shape {self.text} has no size for {', '.join(missing)}: sizes were given for "
                f"{', '.join(sizes) or 'no letter'}. Give each letter of the shape a size."
            )
        return tuple(sizes[dim] if isinstance(dim, str) else dim for dim in self.dims)

    def numbered(self, letter: str, size: int) -> Shape:
        """Write a number for a letter."""
        return Shape(tuple(size if dim == letter else dim for dim in self.dims))

    def with_axis(self, axis: int, size: int) -> Shape:
        """Write a number for one axis."""
        dims = list(self.dims)
        dims[axis] = size
        return Shape(tuple(dims))


def parse(text: str) -> Shape:
    """Read a shape as users write it.

    Parameters
    ----------
    text
        Such as "(B, D)"; one axis may be written "(B,)" or "(B)".

    Raises
    ------
    UsageError
        Where the text is no shape, or fixes a size below 1.
    """
    stripped = text.strip()
    if not (stripped.startswith("(") and stripped.endswith(")")):
        raise _refusal(text, "it has no parentheses around it")
    inner = stripped[1:-1].strip().removesuffix(",")
    if not inner.strip():
        if "," in stripped:
            raise _refusal(text, "a comma stands without a size")
        return Shape(())
    return Shape(tuple(_dim(part.strip(), text) for part in inner.split(",")))


def _dim(part: str, text: str) -> str | int:
    if _NUMBER.fullmatch(part):
        if int(part) < 1:
            raise _refusal(text, "a fixed size is at least 1")
        return int(part)
    if _LETTER.fullmatch(part):
        return part
    raise _refusal(
        text, f"{part!r} is neither a letter nor a number" if part else "a size is empty"
    )


def _refusal(text: str, why: str) -> UsageError:
    return UsageError(
        f"{text!r} is not a shape: {why}. Expected {_FORM}; B is the batch. "
        "Write the shape of one argument in this form."
    )
