"""The numbers that pieces of the user's source stand for in some cases."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from losscheck.model import Array, Inputs

# What gives the numbers that it is given.
SAME = frozenset({"cast", "convert_to_tensor", "identity"})


def numbers_of(text: str, inputs: Inputs, known: Mapping[str, Any]) -> Array | None:
    """Give the numbers of an argument, a part of one, or a constant.

    Parameters
    ----------
    text
        An expression.
    inputs
        (N, *shape) for each argument of the loss.
    known
        Other values that names have at its place.

    Returns
    -------
    Array or None
        (N, *shape) float32; None where the text is something else.

    Examples
    --------
    >>> pairs = {"y_pred": np.float32([[1, 2], [3, 4]])}
    >>> numbers_of("y_pred[..., 0]", pairs, {})
    array([1., 3.], dtype=float32)
    """
    found = _numbers(ast.parse(text, mode="eval").body, inputs, known)
    if found is None or found.dtype == bool:
        return found
    with np.errstate(over="ignore"):
        return found.astype(np.float32)


def _numbers(node: ast.expr, inputs: Inputs, known: Mapping[str, Any]) -> Array | None:
    count = len(next(iter(inputs.values())))
    match node:
        case ast.Name(id=name) if name in inputs:
            return inputs[name]
        case ast.Name(id=name):
            value = known.get(name)
            return np.full(count, value) if isinstance(value, int | float) else None
        case ast.Subscript(value=value, slice=index):
            found = _numbers(value, inputs, known)
            place = _index(index)
            if found is None or place is None:
                return None
            try:
                return np.asarray(found[(slice(None), *place)])
            except IndexError:
                return None
        case ast.Call(func=ast.Attribute(attr=attr), args=[value, *_]) if attr in SAME:
            return _numbers(value, inputs, known)
    return None


def _index(node: ast.expr) -> tuple[Any, ...] | None:
    """Read an index of constants."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = []
    for part in parts:
        if isinstance(part, ast.Slice):
            ends = [_whole(end) for end in (part.lower, part.upper, part.step)]
            if any(end is Ellipsis for end in ends):
                return None
            found.append(slice(*ends))
            continue
        one = _whole(part)
        if one is None and not (isinstance(part, ast.Constant) and part.value is None):
            return None
        found.append(one)
    return tuple(found)


def _whole(node: ast.expr | None) -> Any:
    """Read a whole number or an ellipsis; None where it is neither."""
    try:
        value = None if node is None else ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, int) or value is Ellipsis else None
