"""Values of expressions, and their derivatives as TensorFlow computes them: backwards."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache

import numpy as np

from losscheck.model import Array
from losscheck.rewriting.arithmetic import Arithmetic, aligned, axes_of
from losscheck.rewriting.expressions import Expression, Leaf, Number, Operation, op, walk
from losscheck.rewriting.functions import FUNCTIONS, REDUCTIONS
from losscheck.rewriting.python import PLAIN, read

# The arithmetic's slopes take the gradient in, so that its factors are grouped as in TensorFlow.
G = Leaf("g")
_ARITHMETIC_SLOPES = {
    "add": ("g", "g"),
    "sub": ("g", "-g"),
    "mul": ("g * y", "g * x"),
    "div": ("g / y", "g * (-x / y / y)"),
    "neg": ("-g",),
}


class Values:
    """Values of expressions over the same leaves, each computed once.

    Parameters
    ----------
    leaves
        (N, *shape) for each leaf, by its text.
    """

    def __init__(self, leaves: Mapping[str, Array], arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self._leaves = leaves
        self._known: dict[Expression, Array] = {}

    def of(self, root: Expression) -> Array:
        """The value of an expression; `KeyError` where a leaf has no numbers."""
        if root in self._known:
            return self._known[root]
        with np.errstate(all="ignore"):
            for node in walk(root):
                if node not in self._known:
                    self._known[node] = self._compute(node)
        return self._known[root]

    def _compute(self, node: Expression) -> Array:
        match node:
            case Leaf(text=text):
                return self.arithmetic.leaf(self._leaves[text])
            case Number(value=value):
                return self.arithmetic.constant(value)
            case Operation(name=name, operands=operands, options=options):
                inner = [self._known[operand] for operand in operands]
                if name in REDUCTIONS:
                    return self.reduced(name, inner[0], dict(options))
                return self.call(name, *inner)
        raise TypeError(node)

    def call(self, name: str, *operands: Array) -> Array:
        """Apply a function to arrays."""
        inner = aligned(operands)
        if name == "where":
            return np.asarray(np.where(*inner))
        return self.arithmetic.call(name, inner)

    def reduced(self, name: str, x: Array, options: dict[str, object]) -> Array:
        """Reduce an array, as TensorFlow does it."""
        axes = axes_of(x, tuple(options.items()))
        keep = bool(options.get("keepdims"))
        if name == "reduce_sum":
            return self.arithmetic.total(x, axes, keepdims=keep)
        if name == "reduce_max":
            return np.asarray(np.max(x, axis=axes, keepdims=keep)) if axes else x
        if name == "reduce_mean":
            count = self.arithmetic.constant(Fraction(int(np.prod([x.shape[k] for k in axes]))))
            return self.call("div", self.arithmetic.total(x, axes, keepdims=keep), count)
        top = np.asarray(np.max(x, axis=axes, keepdims=True)) if axes else x
        moved = self.call("sub", x, top)
        exps = self.call("exp", moved)
        total = self.arithmetic.total(exps, axes, keepdims=True)
        if name == "softmax":
            return self.call("div", exps, total)
        if name == "log_softmax":
            return self.call("sub", moved, self.call("log", total))
        whole = self.call("add", self.call("log", total), top)
        return whole if keep else np.asarray(np.squeeze(whole, axis=axes))

    def gradient(self, root: Expression, by: frozenset[str] = frozenset()) -> dict[str, Array]:
        """The derivative of an expression by each leaf.

        Where it has several elements, that of a sum in which each has a weight of its own: the
        elements of a softmax add up to 1, whatever it is taken of.

        Parameters
        ----------
        by
            The texts of the leaves that count; all where none is named.

        Returns
        -------
        dict of str to (N, *shape)
            By the texts of leaves; leaves that are not differentiated are left out.
        """
        value = self.of(root)
        size = int(np.prod(value.shape[1:]))
        steps = (self.arithmetic.constant(1 + Fraction(5 * k % 8, 8)) for k in range(size))
        weights = np.array([step[()] for step in steps])
        start = np.broadcast_to(weights.reshape(value.shape[1:]), value.shape)
        waiting: dict[Expression, Array] = {root: start}
        found: dict[str, Array] = {}
        led = _led(root, by)
        with np.errstate(all="ignore"):
            for node in reversed(list(walk(root))):
                if node not in waiting:
                    continue
                g = waiting.pop(node)
                if isinstance(node, Leaf):
                    found[node.text] = g
                elif isinstance(node, Operation):
                    for operand, part in self._backward(node, g, led):
                        if operand not in led:
                            continue
                        part = self._shrunk(part, self.of(operand).shape)
                        before = waiting.get(operand)
                        waiting[operand] = (
                            part if before is None else self.call("add", before, part)
                        )
        return found

    def _backward(
        self, node: Operation, g: Array, led: frozenset[Expression]
    ) -> list[tuple[Expression, Array]]:
        inner = [self.of(operand) for operand in node.operands]
        if node.name == "where":
            none = self.arithmetic.constant(Fraction(0))
            condition = inner[0]
            return [
                (node.operands[1], self.call("where", condition, g, none)),
                (node.operands[2], self.call("where", condition, none, g)),
            ]
        if node.name in REDUCTIONS:
            return [(node.operands[0], self._reduced_back(node, inner[0], g))]
        local = {"g": g, "r": self.of(node), **dict(zip("xy", inner, strict=False))}
        slopes = Values(local, self.arithmetic)
        parts = []
        for operand, slope in zip(node.operands, _slopes(node.name), strict=False):
            if slope is not None and operand in led:
                parts.append((operand, slopes.of(slope)))
        return parts

    def _reduced_back(self, node: Operation, x: Array, g: Array) -> Array:
        r = self.of(node)
        axes = axes_of(x, node.options)
        if node.name.startswith("reduce") and not dict(node.options).get("keepdims"):
            g, r = (np.expand_dims(a, axes) if a.ndim != x.ndim else a for a in (g, r))
        one = self.arithmetic.constant(Fraction(1))
        count = self.arithmetic.constant(Fraction(int(np.prod([x.shape[k] for k in axes]))))
        match node.name:
            case "reduce_sum":
                return np.broadcast_to(g, x.shape)
            case "reduce_mean":
                return np.broadcast_to(self.call("div", g, count), x.shape)
            case "reduce_max":
                top = np.where(x == r, one, self.arithmetic.constant(Fraction(0)))
                ties = self.arithmetic.total(top, axes, keepdims=True)
                return self.call("mul", self.call("div", top, ties), g)
            case "reduce_logsumexp":
                return self.call("mul", g, self.call("exp", self.call("sub", x, r)))
            case "softmax":
                inner = self.arithmetic.total(self.call("mul", g, r), axes, keepdims=True)
                return self.call("mul", self.call("sub", g, inner), r)
        total = self.arithmetic.total(g, axes, keepdims=True)
        return self.call("sub", g, self.call("mul", self.call("exp", r), total))

    def _shrunk(self, part: Array, shape: tuple[int, ...]) -> Array:
        """Add up what broadcasting has spread."""
        if part.shape == shape or not shape:
            return part
        while part.ndim > len(shape):
            part = self.arithmetic.total(part, (1,), keepdims=False)
        spread = tuple(k for k in range(1, len(shape)) if shape[k] == 1 != part.shape[k])
        part = self.arithmetic.total(part, spread, keepdims=True) if spread else part
        return np.broadcast_to(part, shape)


def _led(root: Expression, by: frozenset[str]) -> frozenset[Expression]:
    """The subexpressions through which a derivative by the named leaves leads."""
    led: set[Expression] = set()
    for node in walk(root):
        wanted = isinstance(node, Leaf) and (not by or node.text in by)
        if wanted or any(arg in led for arg in node.args):
            led.add(node)
    return frozenset(led)


@cache
def _slopes(name: str) -> tuple[Expression | None, ...]:
    if name in _ARITHMETIC_SLOPES:
        return tuple(read(text) for text in _ARITHMETIC_SLOPES[name])
    slopes = FUNCTIONS[name].slopes if name in FUNCTIONS else ()
    return tuple(op("mul", G, read(text, PLAIN)) if text else None for text in slopes)
