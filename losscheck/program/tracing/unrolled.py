"""Loops of a known number of rounds, traced as what they do, round by round.

A loop is one operation of a graph: nobody sees inside which of its lines a NaN began, TensorFlow
runs blocks of it slowly, and XLA's compiler fails on some. Most loops of a loss (`tf.map_fn` over
a batch, `tf.scan` over steps, `for i in tf.range(n)`) have as many rounds as a shape says, and a
graph that repeats their body computes the same. Loops whose end depends on numbers stay loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from losscheck.program.quiet import tensorflow
from losscheck.program.tracing.rows import known, rows_handed_on

MOST_ROUNDS = 32
MOST_OPERATIONS = 1_500  # of all rounds of a loop, which have to be traced, vectorized and compiled


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
