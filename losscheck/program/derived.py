"""Programs made of a loss, to be checked as any other: weighted from outside, or derived once.

D(x) = sum(gradient(x) * v) has the gradient H·v, the second derivative times v. Whatever checks a
gradient against differences of the value therefore checks a second derivative against differences
of the gradient, without knowing so.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.modes import EagerProgram
from losscheck.program.programs import Programs, Sizes
from losscheck.program.quiet import tensorflow
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import Outcome, Runnable
from losscheck.program.tracing.graphdef import doubled, graph_def
from losscheck.program.tracing.trace import Call, as_tensor, trace

DIRECTION = "direction v"  # no identifier, so that no argument of a loss has this name


def weighted(call: Call, upstream: Array) -> Call:
    """Give the loss times fixed numbers of the shape of what it returns.

    Its gradient is the loss's own gradient with those numbers for the upstream gradient: what
    sample weights, loss weights and loss scaling make of a loss.
    """

    def function(*arguments: Any, **keywords: Any) -> Any:
        value = as_tensor(call.function(*arguments, **keywords))
        return tensorflow().constant(upstream, value.dtype) * value

    return attrs.evolve(call, function=function)


class WeightedProgram(Runnable):
    """The loss times fixed numbers: values of the program of the loss, gradients of its own.

    A loss's values need no second program: only the backward pass may differ.
    """

    def __init__(self, plain: Runnable, call: Call, upstream: Array) -> None:
        self.traced = plain.traced
        self.rewritten = plain.rewritten
        self.prediction = plain.prediction
        self.names = plain.names
        self._plain = plain
        self._call = call
        self._upstream = upstream

    def totals(self, inputs: Inputs) -> Array:
        """(N,) the summed loss, weighted."""
        graphed = self._plain.graphed
        if graphed is None:
            value = self._plain.run(inputs).value
        else:
            (value,) = graphed.fetch([graphed.traced.value.name], inputs)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray((value * self._upstream).reshape(len(value), -1).sum(axis=1), float)

    def run(self, inputs: Inputs, mode: str = "plain") -> Outcome:
        """Value and gradient of every case."""
        return self._own.run(inputs, mode)

    @functools.cached_property
    def _own(self) -> Runnable:
        return self.graph or EagerProgram(self._call, "float64")

    @functools.cached_property
    def graph(self) -> Program | None:
        """The weighted loss in a graph of its own, in as many digits; None where it has none."""
        plain = self._plain.graphed
        if plain is None:
            return None
        dtype = "float32" if plain.rewritten else "float64"
        signature = {name: (shape, dtype) for name, shape in plain.shapes.items()}
        traced = trace(self._call, signature)
        turned = None
        if plain.rewritten:
            turned = doubled(graph_def(traced.graph), traced.graph)
        return Program(traced, self._call, turned)


class WeightedPrograms(Programs):
    """The programs of a loss times fixed numbers; its float32 graph is that of the loss itself.

    Parameters
    ----------
    shapes, upstream
        Of its arguments, and the numbers, in the shape of what it returns there.
    """

    def __init__(self, plain: Programs, shapes: Sizes, upstream: Array) -> None:
        autograph = plain.call.autograph or plain.tracing(shapes).how == "autograph"
        call = attrs.evolve(weighted(plain.call, upstream), autograph=autograph)
        super().__init__(call)
        self._plain = plain
        self._upstream = upstream

    def at(self, shapes: Sizes, dtype: str = "float32") -> Runnable:
        """The loss itself, for the lines of its operations."""
        return self._plain.at(shapes, dtype)

    def _double(self, shapes: Sizes) -> Any:
        return WeightedProgram(self._plain.double(shapes), self.call, self._upstream)

    def double_graph(self, shapes: Sizes) -> Program | None:
        """A graph of the weighted loss."""
        weighted: Any = self.double(shapes)
        graph: Program | None = weighted.graph
        return graph


class SameGraphPrograms(Programs):
    """The programs of a loss, with the float32 graph in more digits in place of a float64 trace."""

    def __init__(self, plain: Programs) -> None:
        super().__init__(plain.call)
        self._plain = plain

    def at(self, shapes: Sizes, dtype: str = "float32") -> Runnable:
        """The loss itself."""
        return self._plain.at(shapes, dtype)

    def _retraced(self, shapes: Sizes) -> None:
        return None


def slope(call: Call) -> Call:
    """Give the slope of a loss along a direction as a call with one more tensor.

    Parameters
    ----------
    call
        The loss; its gradient must reach the prediction.

    Returns
    -------
    Call
        Takes the tensors of `call` and, last, the direction in the shape of the prediction.
    """
    index = call.names.index(call.prediction)

    def along(*tensors: Any) -> Any:
        *given, direction = tensors
        gradient = _gradient(call, given, index)
        return tensorflow().reduce_sum(gradient * direction)

    names = (*call.names, DIRECTION)
    return Call(
        function=along,
        names=names,
        positional=len(names),
        prediction=call.prediction,
        home=call.home,
        base=call.base,
        autograph=call.autograph,
    )


def _gradient(call: Call, tensors: Sequence[Any], index: int) -> Any:
    tf = tensorflow()
    prediction = tensors[index]
    if tf.executing_eagerly():
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            value = as_tensor(call(tensors))
        gradient = tape.gradient(value, prediction)
    else:  # unlike a tape's, its operations name those that they belong to
        (gradient,) = tf.gradients(as_tensor(call(tensors)), [prediction])
    return tf.zeros_like(prediction) if gradient is None else tf.convert_to_tensor(gradient)
