"""What the model that a loss is compiled with says of its arguments, by its last operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from losscheck import domains
from losscheck.infer.known import Given
from losscheck.infer.layouts import Pair
from losscheck.program.tracing.wiring import Node, Wiring
from losscheck.settings.shapes import Shape
from losscheck.targets.models import Placed

ANY_NUMBER = frozenset({"real", "logits"})  # domains that a linear layer does not leave
# Hand their first input on, value by value; what reorders or picks keeps an elementwise domain.
SAME = frozenset(
    {"Identity", "IdentityN", "Cast", "StopGradient", "PreventGradient", "EnsureShape"}
)
PICKING = frozenset({"Reshape", "Squeeze", "ExpandDims", "Transpose", "StridedSlice", "GatherV2"})
DOMAINS = {
    "Sigmoid": ("probability", "a sigmoid"),
    "Tanh": ("[-1, 1]", "a tanh"),
    "Softplus": ("nonnegative", "a softplus"),
    "Exp": ("nonnegative", "an exp"),
    "Relu": ("nonnegative", "a relu"),
    "Relu6": ("[0, 6]", "a relu6"),
    "Abs": ("nonnegative", "an absolute value"),
    "Square": ("nonnegative", "a square"),
    "Sqrt": ("nonnegative", "a square root"),
}
LINEAR = frozenset({"MatMul", "BatchMatMulV2", "Einsum", "Conv2D", "Conv3D", "BiasAdd"})
SUMS = frozenset({"AddV2", "Add", "BiasAdd"})


def within(given: Given, placed: Placed, shape: Shape) -> Given:
    """Lay what the model says over what is known of the loss; what the user declares stays.

    Parameters
    ----------
    given
        What is declared and known of the loss.
    placed
        The output that it is compiled for.
    shape
        Of the prediction there.
    """
    shapes, found, origins = dict(given.shapes), dict(given.domains), dict(given.origins)
    prediction = given.prediction
    declared = origins.get(prediction, ("", ""))[0] == "declared"
    if not (declared and prediction in given.shapes):
        shapes[prediction] = shape
    if not (declared and prediction in given.domains):
        domain, why = _domain(given, placed, prediction)
        if domain:
            found[prediction], origins[prediction] = domain, ("known", why)
    for name in given.labels:
        if origins.get(name, ("", ""))[0] == "known":
            shapes[name] = label(shapes[prediction], found.get(name, ""))
    return attrs.evolve(given, shapes=shapes, domains=found, origins=origins)


def _domain(given: Given, placed: Placed, prediction: str) -> tuple[str, str]:
    if placed.part.through:
        return "logits", f"the loss takes what goes into the {placed.part.through} of the output"
    last = ending(placed.compiled.forward.wiring(placed.part.output))
    if last.domain:
        return domains.parse(last.domain).name, last.why
    suggested = given.domains.get(prediction, "")
    if last.unbounded and suggested and suggested not in ANY_NUMBER:
        return "logits", last.why
    return "", ""


def label(prediction: Shape, domain: str) -> Shape:
    """The shape of labels beside a prediction of this shape."""
    of_classes = domains.names_classes(domain) and prediction.rank > 1
    return Shape(prediction.dims[:-1]) if of_classes else prediction


def pairs(prediction: Shape) -> Sequence[Pair]:
    """Layouts of labels beside a prediction of this shape, the likeliest first."""
    return ((prediction, prediction), *index_pairs(prediction))


def index_pairs(prediction: Shape) -> Sequence[Pair]:
    """The same of labels that are class indices: one axis less, or a last axis of 1."""
    if prediction.rank < 2:
        return ()
    fewer, single = Shape(prediction.dims[:-1]), prediction.with_axis(-1, 1)
    return ((fewer, prediction), (single, prediction))


@attrs.frozen
class Ending:
    """The domain of an output, and why; "" where the graph does not say.

    `unbounded` says that it takes every number, so that a domain which the loss alone suggests must
    not narrow it.
    """

    domain: str = ""
    why: str = ""
    unbounded: bool = False


def ending(graph: Wiring) -> Ending:
    """Read the end of a model's graph.

    Parameters
    ----------
    graph
        Of one output, which is its value.
    """
    node, moved = _last(graph)
    if node.type in DOMAINS:
        domain, what = DOMAINS[node.type]
        return Ending(domain, f"the model's output ends in {what}")
    if node.type == "Softmax" and not moved:  # over the last axis, which the output still has
        return Ending("simplex", "the model's output ends in a softmax")
    if not moved and _normalised(graph, node):
        return Ending("unit_vector", "the model's output is divided by its length")
    if _linear(graph, node):
        return Ending("", "the model's output ends in a linear layer", unbounded=True)
    return Ending()


def _last(graph: Wiring) -> tuple[Node, bool]:
    """The operation that made the numbers of the output, and whether axes were moved since."""
    node, moved = graph.producer(graph.value), False
    while node.inputs and node.type in SAME | PICKING:
        moved |= node.type in PICKING
        node = graph.producer(node.inputs[0])
    return node, moved


def _linear(graph: Wiring, node: Node) -> bool:
    if node.type in SUMS:
        return any(_through(graph, tensor, LINEAR.__contains__) for tensor in node.inputs)
    return node.type in LINEAR


def _through(graph: Wiring, tensor: str, wanted: Callable[[str], bool]) -> bool:
    node = graph.producer(tensor)
    while node.inputs and node.type in SAME | PICKING:
        node = graph.producer(node.inputs[0])
    return wanted(node.type)


def _normalised(graph: Wiring, node: Node) -> bool:
    """Say whether it divides by the root of the sum of squares, or multiplies by 1 over it."""
    wanted = {"Mul": "Rsqrt", "RealDiv": "Sqrt", "DivNoNan": "Sqrt"}.get(node.type)
    if wanted is None:
        return False
    for tensor, other in (node.inputs, node.inputs[::-1]):
        root = graph.producer(other)
        if root.type in ("Maximum", "AddV2") and wanted == "Sqrt":  # a guard outside of the root
            root = graph.producer(root.inputs[0])
        if root.type == wanted and _sum_of_squares(graph, root.inputs[0], tensor):
            return True
    return False


def _sum_of_squares(graph: Wiring, tensor: str, of: str) -> bool:
    node = graph.producer(tensor)
    if node.type in ("Maximum", "AddV2"):  # what keeps the root from 0
        node = graph.producer(node.inputs[0])
    if node.type != "Sum":
        return False
    square = graph.producer(node.inputs[0])
    return square.type in ("Square", "Mul") and set(square.inputs) == {of}
