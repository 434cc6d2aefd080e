"""Loops of a known number of rounds, traced as what they do, with the rows that they keep.

A loop is one operation of a graph: nobody sees inside which of its lines a NaN began, TensorFlow
runs blocks of it slowly, and XLA's compiler fails on some. Most loops of a loss (`tf.map_fn` over
a batch, `tf.scan` over steps, `for i in tf.range(n)`) have as many rounds as a shape says, and a
graph that repeats their body computes the same. Loops whose end depends on numbers stay loops.

TensorFlow keeps the rows of a TensorArray in a list, one tensor without numbers, through which
nobody follows a value. Where every index is known, a row that is read is handed on by itself, and
the list goes unused; a loop that stayed one finds it as TensorFlow made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np

from losscheck.program.quiet import tensorflow

MOST_ROUNDS = 32
MOST_OPERATIONS = 1_500  # of all rounds of a loop, which have to be traced, vectorized and compiled
Rows = tuple[Any, ...]  # a tensor a row, or None where nothing was written


@contextmanager
def unrolling() -> Iterator[set[str]]:
    """Trace loops round by round as long as this lasts; gives the names of what is in rounds."""
    tensorflow()
    from tensorflow.python.ops import while_loop

    loop = while_loop.while_loop
    inside: set[str] = set()

    def unrolled(cond: Any, body: Any, loop_vars: Any, *others: Any, **options: Any) -> Any:
        if not tensorflow().executing_eagerly():
            graph = tensorflow().compat.v1.get_default_graph()
            before = len(graph.get_operations())
            if (end := _end(cond, body, loop_vars, options)) is not None:
                inside.update(op.name for op in graph.get_operations()[before:])
                return end
        return loop(cond, body, loop_vars, *others, **options)

    with mock.patch.object(while_loop, "while_loop", unrolled), rows_handed_on():
        yield inside


def _end(
    cond: Callable[..., Any], body: Callable[..., Any], start: Any, options: dict[str, Any]
) -> Any:
    """What the variables of a loop are at its end; None where the number of rounds is not known."""
    tf = tensorflow()
    most = options.get("maximum_iterations")
    most = MOST_ROUNDS + 1 if most is None else known(most)
    graph = tf.compat.v1.get_default_graph()
    before = len(graph.get_operations())
    values = _converted(start)
    for done in range(MOST_ROUNDS + 1):
        goes_on = known(cond(*values)) if most is not None and done < most else most
        if goes_on is None or len(graph.get_operations()) - before > MOST_OPERATIONS:
            return None
        if not goes_on or done == most:
            flat = tf.nest.flatten(values)
            return (
                flat[0] if len(flat) == 1 and not options.get("return_same_structure") else values
            )
        result = body(*values)
        held, values = values, _converted(result if isinstance(result, list | tuple) else (result,))
        if not (_alike(held, values) or options.get("shape_invariants")):
            return None  # the loop itself says what is wrong
    return None


def _alike(held: Any, values: Any) -> bool:
    """Whether a round leaves each variable its dtype and shape, which a loop asks for."""
    tf = tensorflow()
    flat = [tf.nest.flatten(each) for each in (held, values)]
    if len(flat[0]) != len(flat[1]):
        return False
    pairs = ((a, b) for a, b in zip(*flat, strict=True) if not isinstance(a, tf.TensorArray))
    return all((a.dtype, a.shape) == (b.dtype, b.shape) for a, b in pairs)


def _converted(values: Any) -> Any:
    """Numbers and arrays as tensors; a TensorArray as it is."""
    tf = tensorflow()

    def convert(value: Any) -> Any:
        return value if isinstance(value, tf.TensorArray) else tf.convert_to_tensor(value)

    return tf.nest.map_structure(convert, values, expand_composites=True)


def known(value: Any) -> Any:
    """A number or a condition that the graph tells before it runs; None where it does not."""
    if not tensorflow().is_tensor(value):
        return value
    from tensorflow.python.framework import smart_cond

    return smart_cond.smart_constant_value(value)


@contextmanager
def rows_handed_on() -> Iterator[None]:
    """Hand the rows of TensorArrays on as long as this lasts."""
    tensorflow()
    from tensorflow.python.ops import list_ops

    with ExitStack() as stack:
        for name, follow in _Lists().followed.items():
            made = getattr(list_ops, name)
            stack.enter_context(mock.patch.object(list_ops, name, _with(made, follow)))
        yield


def _with(made: Callable[..., Any], follow: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **options: follow(made, *args, **options)


class _Lists:
    """The lists of one graph, and the rows of each as far as they are known."""

    def __init__(self) -> None:
        self._rows: dict[Any, Rows] = {}
        self.followed: dict[str, Callable[..., Any]] = {
            "tensor_list_reserve": self._reserve,
            "tensor_list_from_tensor": self._of_tensor,
            "tensor_list_set_item": self._written,
            "tensor_list_get_item": self._read,
            "tensor_list_stack": self._whole("stack"),
            "tensor_list_concat": self._whole("concat"),
            "tensor_list_gather": self._picked,
        }

    def _note(self, flow: Any, rows: Rows) -> Any:
        self._rows[flow.ref()] = rows
        return flow

    def _of(self, flow: Any) -> Rows | None:
        """Rows of a list of the graph that is being traced."""
        tf = tensorflow()
        if flow.graph is not tf.compat.v1.get_default_graph():
            return None
        return self._rows.get(flow.ref())

    def _reserve(self, made: Any, element_shape: Any, num_elements: Any, **options: Any) -> Any:
        flow = made(element_shape=element_shape, num_elements=num_elements, **options)
        count = known(num_elements)
        return flow if count is None else self._note(flow, (None,) * int(count))

    def _of_tensor(self, made: Any, tensor: Any, element_shape: Any, **options: Any) -> Any:
        flow = made(tensor=tensor, element_shape=element_shape, **options)
        if tensor.shape.rank is None or tensor.shape[0] is None:
            return flow
        return self._note(flow, tuple(tensorflow().unstack(tensor)))

    def _written(self, made: Any, input_handle: Any, index: Any, item: Any, **options: Any) -> Any:
        flow = made(input_handle=input_handle, index=index, item=item, **options)
        rows, place = self._of(input_handle), known(index)
        grows = bool(options.get("resize_if_index_out_of_bounds"))
        if rows is None or place is None or not 0 <= place < len(rows) + grows:
            return flow
        return self._note(flow, (*rows[: int(place)], item, *rows[int(place) + 1 :]))

    def _read(
        self, made: Any, input_handle: Any, index: Any, element_dtype: Any, **options: Any
    ) -> Any:
        rows, place = self._of(input_handle), known(index)
        inside = rows is not None and place is not None and 0 <= place < len(rows)
        row = rows[int(place)] if rows is not None and inside else None
        if _fit((row,), element_dtype):
            return row
        return made(input_handle, index, element_dtype=element_dtype, **options)

    def _whole(self, join: str) -> Callable[..., Any]:
        def joined(made: Any, input_handle: Any, element_dtype: Any, **options: Any) -> Any:
            rows = self._of(input_handle)
            if rows and _fit(rows, element_dtype):
                return getattr(tensorflow(), join)(rows, axis=0)
            return made(input_handle, element_dtype=element_dtype, **options)

        return joined

    def _picked(
        self, made: Any, input_handle: Any, indices: Any, element_dtype: Any, **options: Any
    ) -> Any:
        rows, places = self._of(input_handle), tensorflow().get_static_value(indices)
        if rows and places is not None:
            chosen = [rows[i] if 0 <= i < len(rows) else None for i in np.ravel(places)]
            if chosen and _fit(chosen, element_dtype):
                return tensorflow().stack(chosen)
        return made(input_handle, indices, element_dtype=element_dtype, **options)


def _fit(rows: Sequence[Any], dtype: Any) -> bool:
    """Whether all were written, and with the dtype that a list refuses others of as it runs."""
    return all(row is not None and row.dtype == dtype for row in rows)
