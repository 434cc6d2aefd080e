"""What makes a loss of one batch size, rank or width: a bare squeeze, sizes as Python numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from losscheck.advice import source
from losscheck.advice.base import Change

REDUCTIONS = ("mean", "sum", "max", "min", "prod", "logsumexp", "std", "variance", "any", "all")

Pair = tuple[str, str]  # an expression, and what is to stand there


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


def keeping_the_batch(expression: str) -> Iterator[Change]:
    """Reduce the last axis where the first one is reduced."""
    node = source.expression(expression)
    if not isinstance(node, ast.Call) or _reduction(expression) not in REDUCTIONS:
        return
    for axis in (*(k for k in node.keywords if k.arg == "axis"), *node.args[1:2]):
        value = axis.value if isinstance(axis, ast.keyword) else axis
        if isinstance(value, ast.Constant) and value.value == 0:
            value.value = -1
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
