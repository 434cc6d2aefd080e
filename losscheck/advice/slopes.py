"""What has no slope or a wrong one of the user's own, and what to write instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from losscheck.advice import source
from losscheck.advice.base import Change
from losscheck.advice.blamed import Blame

# Why an op has no slope, and what to write in its place; 0.1 is the width of the soft step.
NO_SLOPE = {
    "ArgMax": ("argmax gives an index", "tf.nn.softmax({x}, axis=-1)  # the soft form"),
    "ArgMin": ("argmin gives an index", "tf.nn.softmax(-{x}, axis=-1)"),
    "Round": ("round is constant between its steps", "{x}  # without the round"),
    "Rint": ("round is constant between its steps", "{x}  # without the round"),
    "Floor": ("floor is constant between its steps", "{x}  # without the floor"),
    "Ceil": ("ceil is constant between its steps", "{x}  # without the ceil"),
    "Sign": ("sign is constant on both sides of 0", "tf.tanh({x} / 0.1)"),
    "Cast": ("a cast to integer or bool has no slope", "tf.sigmoid(({x} - 0.5) / 0.1)"),
    "OneHot": ("one_hot takes indices, which have no slope", "tf.nn.softmax({x}, axis=-1)"),
    "StopGradient": ("tf.stop_gradient cuts the path", "{x}  # without tf.stop_gradient"),
    **dict.fromkeys(
        ("Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"),
        ("a comparison gives True or False, which has no slope", "tf.sigmoid(({x} - {y}) / 0.1)"),
    ),
    **dict.fromkeys(
        ("PyFunc", "EagerPyFunc", "PyFuncStateless"),
        ("TensorFlow cannot see inside a Python or NumPy function", ""),
    ),
}


FLAT = {
    **dict.fromkeys(("Minimum", "Maximum", "ClipByValue"), "a clip has slope 0 outside its bounds"),
    **dict.fromkeys(("Sigmoid", "Softmax", "Tanh"), "it is saturated, and its slope rounds to 0"),
    "Relu": "a relu has slope 0 below 0",
    "Sign": "sign has slope 0 on both sides of 0",
    "Round": "round has slope 0 between its steps",
}


SURROGATE = "# Write the quantity with TensorFlow ops that have a slope in the prediction."
EXACT = 1e-5  # of a factor: what differences leave open
DECIMALS = 4  # of a number that somebody wrote


def unclipped(expression: str) -> Iterator[Change]:
    """Leave out a clip, whose slope outside of its range is 0."""
    match source.expression(expression):
        case ast.Call(args=[x, *_]) if source.head(expression) in ("clip_by_value", "clip"):
            yield Change(expression, ast.unparse(x))
        case ast.Call(args=[x, y]) if source.head(expression) in ("maximum", "minimum"):
            texts = [ast.unparse(one) for one in (x, y)]
            if source.is_number(texts[0]) != source.is_number(texts[1]):
                yield Change(expression, next(t for t in texts if not source.is_number(t)))


def within_graph(expression: str) -> Iterator[Change]:
    """Leave out what cuts a gradient off: a stop, NumPy's function where TensorFlow has its own."""
    match source.expression(expression):
        case ast.Call(args=[x, *_]) if source.head(expression) == "stop_gradient":
            yield Change(expression, ast.unparse(x))
        case ast.Call(
            args=[ast.Attribute(attr=name), ast.List(elts=given) | ast.Tuple(elts=given), *_]
        ):
            texts = ", ".join(map(ast.unparse, given))
            for path in ("tf", "tf.math", "keras.ops"):
                yield Change(expression, f"{path}.{name}({texts})")


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
