"""Words for a loss that takes dicts or tuples of tensors (LC901), and a way to check it."""

from __future__ import annotations

import json
import keyword
from typing import TYPE_CHECKING

from losscheck.advice import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from losscheck.model import Suspect
    from losscheck.program.structures import Structure

HANDED = "losscheck hands over one tensor for each argument"


def taken(structures: Mapping[str, Structure]) -> str:
    """Say what a loss takes.

    Examples
    --------
    >>> from losscheck.program.structures import Structure
    >>> taken({"y_true": Structure(keys=("box",)), "y_pred": Structure(length=2)})
    "y_true as a dict with the key 'box' and y_pred as a tuple of 2 tensors"
    """
    return wording.listed((f"{name} as {_kind(s)}" for name, s in structures.items()), "and")


def _kind(structure: Structure) -> str:
    if structure.length:
        return f"a tuple of {structure.length} tensor{'s' if structure.length > 1 else ''}"
    if not structure.named or not structure.keys:
        return "a dict of tensors"
    keys = wording.listed((repr(key) for key in structure.keys), "and")
    return f"a dict with the key{'s' if len(structure.keys) > 1 else ''} {keys}"


def structured(suspect: Suspect, names: tuple[str, ...]) -> tuple[str, str, str]:
    """LC901 of a loss with arguments that are no tensors; facts: structures, function."""
    structures: Mapping[str, Structure] = suspect.facts["structures"]
    return (
        f"The loss takes {taken(structures)}.",
        f"It was not checked: {HANDED}. Write a function that takes one argument for each tensor, "
        "and check that.",
        _function(structures, names, str(suspect.facts.get("function") or "loss")),
    )


def _function(structures: Mapping[str, Structure], names: tuple[str, ...], loss: str) -> str:
    """Write a function with one argument for each tensor, which calls the loss."""
    parameters, arguments = [], []
    for name in names:
        pairs = dict(_tensors(name, structures[name])) if name in structures else {}
        parameters += [*pairs.values()] or [name]
        if not pairs:
            arguments.append(name)
        elif structures[name].length:
            held = ", ".join(pairs.values())
            arguments.append(f"({held})" if len(pairs) > 1 else f"({held},)")
        else:
            held = ", ".join(f"{json.dumps(key)}: {own}" for key, own in pairs.items())
            arguments.append(f"{{{held}}}")
    code = f"def of_tensors({', '.join(parameters)}):\n    return {loss}({', '.join(arguments)})\n"
    if not all(structure.named for structure in structures.values()):
        code += '# "name" stands for a key: write those of the data.\n'
    return (
        f"{code}# losscheck FILE.py:of_tensors --role NAME=y_pred  # NAME: each prediction in turn"
    )


def _tensors(name: str, structure: Structure) -> Iterator[tuple[str | int, str]]:
    """The key of each tensor, and the argument that holds it."""
    keys: Sequence[str | int] = structure.keys or range(structure.length)
    taken_names: set[str] = set()
    for place, key in enumerate(keys):
        own = f"{name}_{key}"
        if not own.isidentifier() or keyword.iskeyword(own) or own in taken_names:
            own = f"{name}_{place}"
        taken_names.add(own)
        yield key, own
