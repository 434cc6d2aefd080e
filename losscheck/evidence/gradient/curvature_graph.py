"""What keeps a prediction from the second derivative, read off the graph of the slope."""

from __future__ import annotations

import attrs

from losscheck.evidence.gather import Instance
from losscheck.model import Location
from losscheck.program.tracing.wiring import PYTHON, Node, Wiring

# Written to cut a gradient, or out of TensorFlow's sight.
_CUTS = PYTHON | {"StopGradient", "PreventGradient"}


@attrs.frozen(kw_only=True)
class CutOff:
    """The operation without a derivative, the user's line of it, and whether the user wrote it.

    Without such an operation, the line is the last of the user's own backward code.
    """

    op: str = ""  # its TensorFlow type; "" where no operation is to blame
    location: Location | None = None
    custom: bool = False  # in the gradient function of a tf.custom_gradient


def cut_off(instance: Instance) -> CutOff:
    """Look for what the user wrote into the gradient, then for what TensorFlow cannot derive."""
    graph = instance.wiring
    if graph is None or instance.program.traced is None:
        return CutOff()
    origins = instance.program.traced.origins
    depends = graph.depends(graph.prediction)
    fed = [n for n in graph.forward if not depends.isdisjoint(n.inputs)]
    flat = [n for n in fed if n.floating and not n.differentiable]
    own = [n for n in _backward(graph) if origins.users_own(n.name)]
    cuts = [n for n in fed if n.type in _CUTS]
    for node in (*(n for n in cuts if n in own), *cuts):
        return CutOff(op=node.type, location=origins.location(node.name), custom=node in own)
    if own:
        return CutOff(location=origins.location(own[-1].name), custom=True)
    for node in flat:
        return CutOff(op=node.type, location=origins.location(node.name))
    return CutOff()


def _backward(graph: Wiring) -> list[Node]:
    ends = [graph.value] + ([graph.gradient] if graph.gradient else [])
    wanted = {node.name for end in ends for node in graph.ancestors(end) if node.backward}
    return [node for node in graph.nodes if node.name in wanted]
