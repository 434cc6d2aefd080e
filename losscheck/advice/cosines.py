"""A cosine by hand: a sum of products over two norms, each of which may be 0."""

from __future__ import annotations

import ast

from losscheck.advice import source
from losscheck.advice.base import Rewrite
from losscheck.advice.scene import Scene

NORMS = ("norm", "reduce_euclidean_norm")
BETWEEN = "\n"  # parts of what is found, which is one text


def _product(text: str) -> str:
    """Give the factors and the axis of "reduce_sum(a * b, axis=-1)"."""
    match source.expression(source.first_argument_of(text, "reduce_sum", "sum")):
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            axis = source.keywords_of(text, "axis", "keepdims")
            return BETWEEN.join([ast.unparse(left), ast.unparse(right), axis])
    return ""


def _norm(text: str) -> str:
    """Give the vector and the axis of its norm, or of the root of its squares."""
    if vector := source.first_argument_of(text, *NORMS):
        return vector + BETWEEN + source.keywords_of(text, "axis", "keepdims")
    total = source.first_argument_of(text, "sqrt")
    squares = source.first_argument_of(
        source.first_argument_of(total, "reduce_sum", "sum"), "square"
    )
    return squares and squares + BETWEEN + source.keywords_of(total, "axis", "keepdims")


def _cosine(s: Scene) -> dict[str, str]:
    """Find "reduce_sum(a * b, axis=-1) / (norm(a, axis=-1) * norm(b, axis=-1))"."""

    def norms(text: str) -> str:
        match source.expression(text):
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                found = [s.first(ast.unparse(each), _norm) for each in (left, right)]
                if all(found):
                    (one, axis), (two, other) = (each.split(BETWEEN) for each in found)
                    return BETWEEN.join([one, two, axis]) if axis == other else ""
        return ""

    above, below = s.first(s.x, _product), s.first(s.y, norms)
    if not above or sorted(above.split(BETWEEN)) != sorted(below.split(BETWEEN)):
        return {}
    one, two, over = above.split(BETWEEN)
    axis = source.keywords_of(f"f(x{over})", "axis")
    return {"z": one, "other": two, "over": over, "axis": axis} if axis else {}


def _normalized(epsilon: str) -> Rewrite:
    return Rewrite(
        when=_cosine,
        write=f"tf.reduce_sum(tf.math.l2_normalize({{z}}{{axis}}{epsilon}) * "
        f"tf.math.l2_normalize({{other}}{{axis}}{epsilon}){{over}})",
    )


# As TensorFlow bounds a norm, at 1e-6, and farther down, for vectors that are as short.
COSINES = (_normalized(""), _normalized(", epsilon=1e-24"))
