"""A loss traced in another dtype, with the gradient of its float32 graph where both are the same.

To derive the gradient takes two thirds of a trace, and what TensorFlow derives depends on the
operations, not on their dtype. So the loss is traced without it; where it does in the new dtype,
operation by operation, what it does in float32, the float32 gradient is put behind it in that
dtype. A custom gradient may ask for the dtype itself, and is derived anew.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.tracing.graphdef import COMPLEX, FLOATS, Turn, rewrite_node, turned
from losscheck.program.tracing.trace import Call, Signature, Traced, trace

EXACT = 11  # bits of a constant that was meant as it is, as 0.5 is, and 0.1 in 24 bits is not
CLOSE = 1e-2  # of a number that a half type has rounded, once or twice


def retyped(single: Traced, call: Call, signature: Signature, dtype: str) -> Traced | None:
    """Trace a loss in another dtype by its float32 trace; None where it does something else there.

    Parameters
    ----------
    single
        The float32 trace for arguments of the same shapes.
    signature
        Of the arguments, in the new dtype.

    Raises
    ------
    CallError, OutputError
        As `trace` does.
    """
    definition = single.graph.as_graph_def()
    if single.gradient is None or single.autograph or not single.plain:
        return None
    traced = trace(call, signature, forward=True)
    forward = list(traced.graph.as_graph_def().node)
    *before, value = forward  # the last one is what the function returns
    turn = turned("float32", dtype)
    length = len(before)
    tail = list(definition.node[length:])
    if _node(single, single.value).input != value.input or not all(map(_exact, tail)):
        return None
    with np.errstate(over="ignore"):  # a constant may be infinite in a half type
        if not all(map(_same, before, definition.node[:length], [turn] * length)):
            return None
        for node in tail:
            rewrite_node(node, turn)
    whole = type(definition)(versions=definition.versions)
    whole.node.extend([*before, *tail])
    return _imported(whole, single, traced)


def _node(traced: Traced, tensor: Any) -> Any:
    return traced.graph.get_operation_by_name(tensor.name.split(":")[0]).node_def


def _same(new: Any, old: Any, turn: Turn) -> bool:
    """Whether two operations do the same, each in its dtype."""
    changed = type(old)()
    changed.CopyFrom(old)
    rewrite_node(changed, turn)
    return (
        (new.name, new.op) == (old.name, old.op)
        and new.input == old.input
        and new.attr.keys() == old.attr.keys()
        and all(_close(given, changed.attr[name]) for name, given in new.attr.items())
    )


def _close(new: Any, old: Any) -> bool:
    """Whether two attributes are the same, or numbers that are but for a rounding."""
    if new == old or "tensor" not in {new.WhichOneof("value"), old.WhichOneof("value")}:
        return bool(new == old)
    if new.tensor.dtype != old.tensor.dtype or new.tensor.dtype not in {
        *FLOATS.values(),
        *COMPLEX.values(),
    }:
        return False
    numbers, before = (_parts(each.tensor) for each in (new, old))
    return numbers.shape == before.shape and bool(
        np.allclose(numbers, before, rtol=CLOSE, atol=0.0, equal_nan=True)
    )


def _parts(tensor: Any) -> Array:
    """The numbers of a constant in float64, complex ones in a real and an imaginary part."""
    numbers = tensorflow().make_ndarray(tensor)
    if numbers.dtype.kind != "c":
        return np.asarray(numbers, float)
    return np.stack([numbers.real, numbers.imag]).astype(float)


def _exact(node: Any) -> bool:
    """Whether the float32 constant of a gradient is what was meant, so that it may be cast."""
    kinds = FLOATS["float32"], COMPLEX["float32"]
    if node.op != "Const" or node.attr["dtype"].type not in kinds:
        return True
    numbers = _parts(node.attr["value"].tensor)
    mantissa = np.frexp(numbers)[0] * 2.0**EXACT
    return bool(((mantissa == np.rint(mantissa)) | (numbers == np.rint(numbers))).all())


def _imported(definition: Any, single: Traced, traced: Traced) -> Traced | None:
    """The loss in the new dtype with the gradient of the float32 graph behind it, as a trace."""
    tf = tensorflow()
    graph = tf.Graph()
    try:
        with silence(), graph.as_default():
            tf.graph_util.import_graph_def(definition, name="")
    except ValueError:  # an operation of the gradient has no such type, though those before it do
        return None
    there = graph.get_tensor_by_name
    assert single.gradient is not None
    value, gradient = there(single.value.name), there(single.gradient.name)
    if (value.shape, gradient.shape) != (single.value.shape, single.gradient.shape):
        return None  # one that Python alone knows
    return attrs.evolve(
        single,
        graph=graph,
        placeholders=tuple(there(place.name) for place in traced.placeholders),
        captures=tuple((outer, there(inner.name)) for outer, inner in traced.captures),
        value=value,
        gradient=gradient,
    )
