"""What is read off the text of a function: sizes that it cannot take, slopes cut off or wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from losscheck.advice import source
from losscheck.advice.base import Change

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame

# Why an op has no slope, and what to write in its place; 0.1 is the width of the soft step.
NO_SLOPE = {
    "ArgMax": (
        "argmax gives an index, which has no slope",
        "tf.nn.softmax({x}, axis=-1)  # the soft form",
    ),
    "ArgMin": ("argmin gives an index, which has no slope", "tf.nn.softmax(-{x}, axis=-1)"),
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
REDUCTIONS = ("mean", "sum", "max", "min", "prod", "logsumexp", "std", "variance", "any", "all")

Pair = tuple[str, str]  # an expression, and what is to stand there


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


def taking_any_size(function: str) -> Iterator[Change]:
    """Change what makes a function take some sizes alone: each kind of thing, then all of them.

    Parameters
    ----------
    function
        Its text.
    """
    tree = ast.parse(function)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    squeezes, batches, numbers, shapes, reshaped = (
        list(dict.fromkeys(found))
        for found in (
            _squeezes(tree),
            _batches(tree, parents, cast=False),
            _batches(tree, parents, cast=True),
            _shapes(tree, parents),
            _reshaped(tree),
        )
    )
    kinds = [kind for kind in (squeezes, batches, numbers, shapes, reshaped) if kind]
    whole = [*squeezes, *numbers, *shapes, *reshaped]
    for pairs in [*kinds, whole] if len(kinds) > 1 else kinds:
        yield Change("", "", throughout=tuple(pairs))


def of_the_last_axis(expression: str, *, batch: bool = False) -> Iterator[Change]:
    """Reduce the last axis in place of those that are named.

    Parameters
    ----------
    batch
        Only where the first axis is reduced, which is that of the batch.
    """
    node = source.expression(expression)
    if not isinstance(node, ast.Call) or _reduction(expression) not in REDUCTIONS:
        return
    for axis in (*(k for k in node.keywords if k.arg == "axis"), *node.args[1:2]):
        value = axis.value if isinstance(axis, ast.keyword) else axis
        if batch and not (isinstance(value, ast.Constant) and value.value == 0):
            continue
        last = ast.Constant(-1)
        if isinstance(axis, ast.keyword):
            axis.value = last
        else:
            node.args[1] = last
        yield Change(expression, ast.unparse(node))


def _reduction(expression: str) -> str:
    return source.head(expression).removeprefix("reduce_")


def _squeezes(tree: ast.AST) -> Iterator[Pair]:
    """Squeezes that name no axis: they drop the batch of a batch of one."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[x], keywords=[]) if source.head(ast.unparse(node)) == "squeeze":
                yield ast.unparse(node), f"{ast.unparse(node.func)}({ast.unparse(x)}, axis=-1)"


def _batches(tree: ast.AST, parents: dict[ast.AST, ast.AST], cast: bool) -> Iterator[Pair]:
    """The size of a batch as Python knows it, which is None in training."""
    for node in ast.walk(tree):
        x = ""
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=0)):
                x = _of_shape(value)
            case ast.Call(func=ast.Name(id="len"), args=[value]):
                x = ast.unparse(value)
        if not x:
            continue
        parent = parents.get(node)
        converted = isinstance(parent, ast.Call) and source.function(ast.unparse(parent)) in (
            "float",
            "int",
        )
        old = ast.unparse(parent if converted and parent is not None else node)
        new = f"tf.shape({x})[0]"
        yield old, f"tf.cast({new}, {source.grouped(x)}.dtype)" if cast else new


def _of_shape(node: ast.expr) -> str:
    """Give "x" of "x.shape", "x.get_shape().as_list()" or "int_shape(x)"."""
    match node:
        case ast.Attribute(value=value, attr="shape"):
            return ast.unparse(value)
        case ast.Call(func=ast.Attribute(value=value, attr="get_shape"), args=[]):
            return ast.unparse(value)
        case ast.Call(func=ast.Attribute(value=value, attr="as_list"), args=[]):
            return _of_shape(value)
        case ast.Call(func=ast.Attribute(attr="int_shape"), args=[value]):
            return ast.unparse(value)
    return ""


def _shapes(tree: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[Pair]:
    """Whole shapes as Python knows them, handed to a function or taken apart."""
    for node in ast.walk(tree):
        x = _of_shape(node) if isinstance(node, ast.expr) else ""
        match parents.get(node):
            case ast.Call(func=func) if x and func is not node:
                yield ast.unparse(node), f"tf.shape({x})"
            case ast.Assign(targets=[ast.Tuple()]) if x:
                yield ast.unparse(node), f"tf.unstack(tf.shape({x}))"


def _reshaped(tree: ast.AST) -> Iterator[Pair]:
    """Shapes to take whose first axis is a number, though the others say how long it is."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="reshape"),
                args=[_, ast.Tuple(elts=[ast.Constant(value=int(first)), *rest]) as shape]
                | [_, ast.List(elts=[ast.Constant(value=int(first)), *rest]) as shape],
            ) if first > 0 and not any(ast.unparse(each) == "-1" for each in rest):
                old = ast.unparse(node)
                shape.elts[0] = ast.UnaryOp(ast.USub(), ast.Constant(1))
                yield old, ast.unparse(node)
