"""Gradients that a user wrote: the factor from above left out, or a number that is wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from losscheck.advice import source
from losscheck.advice.blamed import Blame
from losscheck.advice.change import Change

EXACT = 1e-5  # of a factor: what differences leave open
DECIMALS = 4  # of a number that somebody wrote


def with_upstream(blame: Blame) -> Iterator[Change]:
    """Multiply what the gradient function returns by what it is given."""
    tree = ast.parse(blame.function).body if blame.function else []
    match tree:
        case [ast.FunctionDef(args=ast.arguments(args=[ast.arg(arg=upstream), *_])) as function]:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    returned = ast.unparse(node.value)
                    for axes in ("", "[..., None]"):
                        yield Change(returned, f"{upstream}{axes} * {source.grouped(returned)}")


def with_factor(blame: Blame, got: Any, right: Any) -> Iterator[Change]:
    """Give the slope that is written the factor that it lacks, in a number of it or before it."""
    factor = _factor(got, right)
    tree = source.expression(blame.expression)
    if factor is None or tree is None:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            was, node.value = node.value, _round(node.value * factor)
            yield Change(blame.expression, ast.unparse(tree))
            node.value = was
    yield Change(blame.expression, f"{_round(factor)} * {source.grouped(blame.expression)}")


def _factor(got: Any, right: Any) -> float | None:
    """The number that a whole gradient is off by; None where there is no such number."""
    if got is None or right is None:
        return None
    given, wanted = (np.asarray(each, np.float64).ravel() for each in (got, right))
    told = np.abs(given) > EXACT * np.abs(given).max(initial=0.0)
    factors = wanted[told] / given[told]
    if not len(factors) or np.ptp(factors) > EXACT * np.abs(factors).max():
        return None
    return float(np.median(factors))


def _round(number: float) -> float:
    return float(f"{number:.{DECIMALS}g}")
