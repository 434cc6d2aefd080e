"""What differs between two snapshots: losses, verdicts, findings, outcomes of checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Tree = Mapping[str, Any]
LISTS = {"findings": "id", "checks": "code", "ignored": "id", "arguments": "name"}
SHOWN = 90  # characters of either side of a difference


def differences(old: Mapping[str, Tree], new: Mapping[str, Tree]) -> list[str]:
    """Name what differs, a line each.

    Parameters
    ----------
    old, new
        Losses by name, each as its part of the JSON report.

    Returns
    -------
    list of str
        Such as "loss: findings LC203-1f2e3d4c: count: 3 -> 4"; empty where nothing differs.
    """
    lines = []
    for name in sorted({*old, *new}):
        if name not in new:
            lines.append(f"{name}: is gone")
        elif name not in old:
            lines.append(f"{name}: is new")
        else:
            lines += [f"{name}: {line}" for line in _of_loss(old[name], new[name])]
    return lines


def _of_loss(old: Tree, new: Tree) -> Iterator[str]:
    for field in sorted({*old, *new}):
        if field in LISTS:
            yield from _of_list(field, old.get(field, ()), new.get(field, ()))
        elif old.get(field) != new.get(field):
            yield f"{field}: {_short(old.get(field))} -> {_short(new.get(field))}"


def _of_list(field: str, old: Any, new: Any) -> Iterator[str]:
    """Compare things with a name of their own; the order in which they stand counts too."""
    key = LISTS[field]
    before, after = ({each[key]: each for each in side} for side in (old, new))
    for name in before:
        if name not in after:
            yield f"{field} {name}: is gone: {_short(before[name].get('message', ''))}"
    for name, found in after.items():
        if name not in before:
            yield f"{field} {name}: is new: {_short(found.get('message', ''))}"
            continue
        for part in sorted({*before[name], *found}):
            if before[name].get(part) != found.get(part):
                sides = f"{_short(before[name].get(part))} -> {_short(found.get(part))}"
                yield f"{field} {name}: {part}: {sides}"
    shared = [
        [name for name in side if name in before and name in after] for side in (before, after)
    ]
    if shared[0] != shared[1]:
        yield f"{field}: stand in another order"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
