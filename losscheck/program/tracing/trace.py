"""A loss and its gradient, traced once into a graph, as Keras traces it.

`tf.function(autograph=False)` is what Keras compiles a training step with. AutoGraph is tried only
where that fails, so that the user of such a loss (LC501) still gets every other finding.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from losscheck.model import Location
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.state import State
from losscheck.program.running.stateless import stateless
from losscheck.program.tracing.origin import Frame, Origins, of_exception, recording
from losscheck.program.tracing.unrolled import unrolling
from losscheck.settings.budget import spend


@attrs.frozen(kw_only=True, eq=False)
class Call:
    """How a loss is called: its function, tensors by name in call order, and constants by name."""

    function: Callable[..., Any]
    names: tuple[str, ...]  # the arguments that are tensors, in the order of the signature
    positional: int  # how many of them are handed over by position
    prediction: str  # the argument that the gradient is taken of
    constants: Mapping[str, Any] = attrs.field(factory=dict)
    home: str = ""  # folder of the loss's source
    base: str = "."  # files are reported relative to this folder
    autograph: bool = False  # it is a tf.function that asks for AutoGraph by itself
    integers: tuple[str, ...] = ()  # handed over as int32: the loss takes nothing else there
    handed: Any = None  # what Keras is handed in compile: the function, or the Loss itself
    weight: str = ""  # a parameter of weights that calls may leave out
    state: State = attrs.field(  # what it keeps from call to call
        default=attrs.Factory(lambda call: State(call.function), takes_self=True)
    )

    def __call__(self, tensors: Sequence[Any]) -> Any:
        """Run the loss on tensors in the order of `names`."""
        if self.integers:
            cast = tensorflow().cast
            pairs = zip(self.names, tensors, strict=True)
            tensors = [cast(t, "int32") if name in self.integers else t for name, t in pairs]
        positional = tensors[: self.positional]
        keywords = dict(zip(self.names[self.positional :], tensors[self.positional :], strict=True))
        return self.function(*positional, **keywords, **self.constants)


class CallError(Exception):
    """The loss raised while it was traced or run; what it raised, and the user's line.

    `operations` had been traced by then.
    """

    def __init__(
        self, error: BaseException, location: Location | None, operations: int = 0
    ) -> None:
        error = _worded(error)
        super().__init__(f"{type(error).__name__}: {error}")
        self.error = error
        self.location = location
        self.operations = operations

    @property
    def refused(self) -> bool:
        """Whether an operation was refused for the shapes of its operands, before any number.

        Its kernel refuses them as well, and some end the process in doing so: `tf.nn.conv2d` where
        there are no four axes.
        """
        return isinstance(self.error, OF_SIZES) and "{{node" in str(self.error)


def _worded(error: BaseException) -> BaseException:
    """The exception, or another in place of one whose text cannot be made."""
    try:
        str(error)
    except Exception as why:
        name = type(error).__name__
        return RuntimeError(f"{name}, whose text raises {type(why).__name__}")
    return error


def needs_autograph(error: CallError) -> bool:
    """Say whether AutoGraph may mend what was raised.

    Python that cannot decide on a tensor, count to it or take its length raises a TypeError.
    AutoGraph mends nothing else, and sizes that do not fit would only fail once more.
    """
    return isinstance(error.error, TypeError)


OF_SIZES = (ValueError, IndexError)
"""What Python and TensorFlow's functions raise, while tracing, for sizes that do not fit."""


class OutputError(Exception):
    """The loss returned something that is no tensor of numbers (LC404)."""

    def __init__(self, form: str, returned: str) -> None:
        super().__init__(returned)
        self.form = form
        self.returned = returned


@attrs.frozen(kw_only=True, eq=False)
class Traced:
    """A traced loss: its graph with the value, the gradient, and the origin of every operation."""

    graph: Any  # tf.Graph
    placeholders: tuple[Any, ...]  # one an argument, in the order of Call.names
    captures: tuple[tuple[Any, Any], ...]  # (tensor outside, placeholder inside)
    value: Any
    gradient: Any  # None where no gradient reaches the prediction
    gradient_error: str  # why not, where TensorFlow said so
    origins: Origins
    autograph: bool
    reread: frozenset[str] = frozenset()  # operations that read a variable behind its assignment
    rounds: frozenset[str] = frozenset()  # operations of loops that are traced round by round

    @property
    def plain(self) -> bool:
        """Whether TensorFlow alone derived the gradient, of no functions and variables."""
        definition = self.graph.as_graph_def()
        own = any("_gradient_op_type" in node.attr for node in definition.node)
        resources = any(outer.dtype == tensorflow().resource for outer, _ in self.captures)
        return not own and not resources and not definition.library.function


Signature = Mapping[str, tuple[tuple[int | None, ...] | None, str]]  # name -> shape, dtype


def trace(
    call: Call,
    signature: Signature,
    *,
    autograph: bool | None = None,
    forward: bool = False,
    once: bool = False,
) -> Traced:
    """Trace the loss and its gradient for arguments of these shapes and dtypes.

    The gradient takes two thirds of the time; `forward` leaves it out. With `once`, sizes that do
    not fit are not tried in another way.

    Raises
    ------
    CallError
        The loss raised.
    OutputError
        It returned no tensor of floating-point numbers.
    """
    if autograph is None and call.autograph:
        try:  # what AutoGraph need not convert keeps its own lines and columns
            return trace(call, signature, autograph=False, forward=forward, once=once)
        except CallError as error:
            if not needs_autograph(error):
                raise
    spend()
    tf = tensorflow()
    autograph = call.autograph if autograph is None else autograph
    failure: list[str] = []
    rounds: set[str] = set()

    def loss_and_gradient(*tensors: Any) -> tuple[Any, Any]:
        with unrolling() as inside:
            value = as_tensor(call(tensors))
        rounds.update(inside)
        prediction = tensors[call.names.index(call.prediction)]
        return value, None if forward else _gradient(value, prediction, failure)

    specs = [tf.TensorSpec(*signature[name]) for name in call.names]
    traced, origins = graph_of(
        loss_and_gradient, specs, home=call.home, base=call.base, autograph=autograph, once=once
    )
    # structured_outputs may be TensorSpecs; the graph's own outputs are the tensors.
    value, *gradient = (tensor.name for tensor in traced.graph.outputs)
    found = stateless(traced.graph, tuple(traced.graph.captures))
    call.state.note(found.assigned)
    there = found.graph.get_tensor_by_name
    return Traced(
        graph=found.graph,
        placeholders=tuple(there(place.name) for place in traced.graph.inputs[: len(specs)]),
        captures=found.captures,
        reread=found.reread,
        value=there(value),
        gradient=there(gradient[0]) if gradient else None,
        gradient_error=failure[0] if failure else "",
        origins=origins,
        autograph=autograph,
        rounds=frozenset(rounds),
    )


def graph_of(
    compute: Callable[..., Any],
    specs: Sequence[Any],
    *,
    home: str,
    base: str,
    autograph: bool = False,
    once: bool = False,
) -> tuple[Any, Origins]:
    """Trace any function of tensors, and note where each of its operations comes from.

    Returns
    -------
    concrete : tf.types.experimental.ConcreteFunction
        Its graph, with what it returns.
    origins : Origins
        From operations to lines; what called `compute` is no part of them.

    Raises
    ------
    CallError
        It raised.
    OutputError
        It said that it returns no tensor of floating-point numbers.
    """
    frames: dict[str, tuple[Frame, ...]] = {}

    def within(*tensors: Any) -> Any:  # a frame of this file, where the user's part of a stack ends
        return compute(*tensors)

    compiled = tensorflow().function(within, autograph=autograph)
    try:
        with silence(), recording(frames, home):
            traced = _inlined(compiled, specs, OF_SIZES if once else ())
    except OutputError:
        raise
    except Exception as error:
        raise CallError(error, of_exception(error, home, base), len(frames)) from error
    return traced, Origins(traced.graph, frames, home, os.path.abspath(base))


def _inlined(compiled: Any, specs: Sequence[Any], final: tuple[type[Exception], ...] = ()) -> Any:
    """Trace, the user's own tf.functions inlined where they can be, so that each op has a line."""
    tf = tensorflow()
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        return compiled.get_concrete_function(*specs)
    except OutputError:
        raise
    except final:
        raise
    except Exception:  # one that needs AutoGraph, say; what is wrong otherwise is wrong again
        tf.config.run_functions_eagerly(before)
        return compiled.get_concrete_function(*specs)
    finally:
        tf.config.run_functions_eagerly(before)


def _gradient(value: Any, prediction: Any, failure: list[str]) -> Any:
    tf = tensorflow()
    try:
        (gradient,) = tf.gradients(value, [prediction])
    except Exception as error:  # an op without a gradient, or a custom gradient that raises
        failure.append(f"{type(error).__name__}: {error}".split("\n")[0])
        return None
    return None if gradient is None else tf.convert_to_tensor(gradient)


def as_tensor(value: Any) -> Any:
    """Take what a loss returned for a tensor of numbers, or say what is wrong with it.

    Raises
    ------
    OutputError
        It is nothing, no tensor, or no number.
    """
    tf = tensorflow()
    if value is None:
        raise OutputError("none", "None")
    if isinstance(value, tf.Variable):
        value = tf.convert_to_tensor(value)
    if inspect.iscoroutine(value):
        value.close()  # nobody awaits it, which Python would warn of
        raise OutputError("async", "a coroutine")
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        raise OutputError("generator", "a generator")
    if not tf.is_tensor(value) or isinstance(value, tf.RaggedTensor | tf.SparseTensor):
        raise OutputError("not-a-tensor", f"{type(value).__name__} {value!r}"[:200])
    if value.dtype in (tf.bool, tf.string) or value.dtype.is_complex:
        raise OutputError("not-a-tensor", f"a tensor of {value.dtype.name}")
    return value
