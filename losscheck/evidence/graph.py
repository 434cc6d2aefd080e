"""Facts that are read off the graph itself: what it returns, and where its gradient ends."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import attrs

from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.excuses import factored, stops
from losscheck.model import Direction, Location
from losscheck.program.tracing.origin import Frame, locate
from losscheck.program.tracing.wiring import SHAPE_OPS, Node, Wiring


@attrs.frozen(kw_only=True, eq=False)
class GraphFacts:
    """What the graph of the main instance says."""

    gradient_missing: bool = False  # no gradient reaches the prediction
    gradient_error: str = ""
    # The operation on the way from the prediction to the loss that has no gradient.
    blocked_by: str = ""
    blocked_at: Location | None = None
    # Where parts that depend on the prediction are kept from the gradient on purpose.
    stop_gradients: tuple[Location | None, ...] = ()
    # Where matrices that depend on the prediction are factored by Cholesky's method.
    factors: tuple[Location | None, ...] = ()
    # Whether one of them is a variable that is read after the loss has assigned it.
    reread: bool = False
    # Shapes of what the loss returns and of the prediction; None where unknown.
    returns: tuple[int, ...] | None = None
    prediction_shape: tuple[int, ...] = ()
    label_shape: tuple[int, ...] = ()
    made_at: Location | None = None  # what makes the returned tensor


def graph_facts(evidence: Evidence) -> GraphFacts:
    """Read the graph of the main instance."""
    main = evidence.main
    program = main.program.graphed
    prediction = main.shapes[evidence.spec.prediction.name]
    label = evidence.spec.named("y_true")
    if program is None or main.wiring is None:
        return GraphFacts(
            prediction_shape=prediction, gradient_missing=not evidence.main_sweep.has_gradient
        )
    graph, origins = main.wiring, program.traced.origins
    block = blocking(graph) if program.traced.gradient is None else None
    made, value = maker(graph)
    shape = graph.shape(value)
    return GraphFacts(
        gradient_missing=program.traced.gradient is None,
        gradient_error=program.traced.gradient_error,
        blocked_by="" if block is None else block.type,
        blocked_at=None if block is None else origins.location(block.name),
        stop_gradients=tuple(origins.location(node.name) for node in stops(graph)),
        factors=tuple(origins.location(node.name) for node in factored(graph)),
        reread=any(node.name in program.traced.reread for node in stops(graph)),
        returns=None if shape is None or None in shape else tuple(d or 0 for d in shape),
        prediction_shape=prediction,
        label_shape=() if label is None else main.shapes[label.name],
        made_at=origins.location(made.name),
    )


def maker(graph: Wiring) -> tuple[Node, str]:
    """The operation that makes what the loss returns, and which of its tensors that is."""
    value = graph.value
    made = graph.producer(value)
    while made.type in ("Identity",) and made.inputs:
        value = made.inputs[0]
        made = graph.producer(value)
    return made, value


def blocking(graph: Wiring) -> Node | None:
    """Find the operation without a gradient at which the last path from the prediction ends."""
    found, reached = None, {graph.arguments[graph.prediction]}
    for node in graph.forward:
        if node.type in SHAPE_OPS or reached.isdisjoint(node.inputs):
            continue
        if node.differentiable:
            reached.update(node.outputs)
        else:
            found = node
    return found


def last_return(
    python: Callable[..., Any], file: str, base: str, *, opening: bool = False
) -> Location | None:
    """Locate the last `return` of a function, or its `def` where it has none or that is wanted."""
    try:
        lines, first = inspect.getsourcelines(python)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    offset = len(lines[0]) - len(lines[0].lstrip())
    last = max(returns, key=lambda node: node.lineno, default=None)
    where: ast.stmt = tree.body[0] if opening or last is None else last
    frame = Frame(
        file,
        first + where.lineno - 1,
        first + (where.end_lineno or where.lineno) - 1,
        where.col_offset + offset,
        (where.end_col_offset or 0) + offset,
    )
    return locate(frame, "", Direction.FORWARD, base)
