"""The inputs and outputs of a model, with the graph between them and the loss of each output."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from losscheck.program.quiet import keras_module, tensorflow
from losscheck.program.tracing.origin import Origins
from losscheck.program.tracing.wiring import Node, Wiring

BATCH = 8  # rows where a model does not take an unknown number of them
FREE = ("T", "U", "V", "W")  # letters of the free axes of an output behind the batch
MANY = 64  # elements of an output above which its sizes are left free for the loss's own checks
FREE_SIZE = 6  # of a free axis of an input: longer than the kernels of most convolutions
FREE_PIXELS = 32  # the same of pictures, which are halved several times


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """A loss that a model is compiled with, and the output that it is a loss of."""

    label: str | int  # what stands in the brackets of its target
    output: int  # among the outputs
    loss: Any
    spelled: str  # how Python code gets at it, from `model`
    through: str = ""  # the activation in front of which it takes the logits: softmax, sigmoid


def parts_of(
    model: Any, outputs: Sequence[Tensor], structured: Any, forward: Forward
) -> tuple[Part, ...]:
    """The losses that a model is compiled with; what is nested deeper is left out.

    Parameters
    ----------
    outputs, structured
        Its outputs, flat and as it returns them.
    """
    loss, count = model.loss, len(outputs)
    names = [tensor.name for tensor in outputs]
    known = list(getattr(model, "output_names", None) or names)
    found: list[tuple[str | int, int, Any, str]] = []
    if isinstance(loss, Mapping):
        places = names if isinstance(structured, Mapping) else known
        for name, one in loss.items():
            if name in places:
                found.append((name, places.index(name), one, f"model.loss[{name!r}]"))
    elif isinstance(loss, list | tuple):
        for i, one in enumerate(loss):
            output = i if len(loss) == count else 0
            label = names[i] if len(loss) == count else ""
            found.append((label or i, output, one, f"model.loss[{i}]"))
    elif loss is not None:
        found = [(names[i] or i, i, loss, "model.loss") for i in range(count)]
    parts = (
        Part(label=label, output=output, loss=_resolved(one, outputs[output]), spelled=spelled)
        for label, output, one, spelled in found
        if one is not None and not isinstance(one, Mapping | list | tuple)
    )
    return tuple(_settled(part, forward, outputs) for part in parts)


def _resolved(loss: Any, output: Tensor) -> Any:
    if str(loss).lower() in ("crossentropy", "ce"):  # Keras chooses by the shapes
        binary = output.shape[-1] == 1
        loss = "binary_crossentropy" if binary else "categorical_crossentropy"
    return keras_module().losses.get(loss)


ACTIVATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}  # that Keras' losses look behind


def _settled(part: Part, forward: Forward, outputs: Sequence[Tensor]) -> Part:
    """Find out whether a loss takes what stands in front of the output's last activation.

    Keras' cross entropies do, where a softmax or a sigmoid made the tensor that they are given: so
    what the output rounds away is not lost to them, and the output itself has no gradient.
    """
    graph = forward.wiring(part.output)
    node = graph.producer(graph.value)
    while node.type == "Identity":
        node = graph.producer(node.inputs[0])
    name, output = ACTIVATIONS.get(node.type, ""), outputs[part.output]
    if not name:
        return part
    shape = output.at(BATCH)
    for labels in (shape, shape[:-1]):
        try:
            if _looks_behind(part.loss, name, shape, labels):
                return attrs.evolve(part, through=name)
        except Exception:  # labels of another shape, or a loss that raises: its own check says so
            continue
    return part


def _looks_behind(
    loss: Any, activation: str, shape: tuple[int, ...], labels: tuple[int, ...]
) -> bool:
    tf = tensorflow()
    with tf.Graph().as_default():
        logits = tf.compat.v1.placeholder("float32", shape)
        output = activated(activation, logits)
        value = loss(tf.compat.v1.placeholder("float32", labels), output)
        by_output, by_logits = (tf.gradients(value, [t])[0] for t in (output, logits))
    return by_output is None and by_logits is not None


def activated(activation: str, logits: Any) -> Any:
    """The output of one of `ACTIVATIONS`, as a layer gives it."""
    return getattr(keras_module().activations, activation)(logits)


@attrs.frozen(kw_only=True, eq=False)
class Tensor:
    """An input or output of a model."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    sizes: tuple[
        int | None, ...
    ] = ()  # of the axes behind the batch, where `shape` leaves them free

    @property
    def written(self) -> str:
        """The shape as users write it, with letters for free axes."""
        return _written(self.shape[1:])

    @property
    def loosened(self) -> str:
        """The same, with letters for the axes of an output of many elements too."""
        if math.prod(size or 1 for size in self.shape[1:]) <= MANY:
            return self.written
        last = self.shape[-1] if (self.shape[-1] or 0) <= MANY else None
        return _written((*(None for _ in self.shape[1:-1]), last))

    def at(self, rows: int) -> tuple[int, ...]:
        """The shape of a batch of so many rows."""
        usual = FREE_SIZE if len(self.shape) < 4 else FREE_PIXELS
        known = (*self.sizes, *(None for _ in self.shape))
        return (rows, *(a or b or usual for a, b in zip(self.shape[1:], known, strict=False)))


def _written(dims: Sequence[int | None]) -> str:
    free = iter(FREE)
    inner = [str(next(free) if size is None else size) for size in dims]
    return f"(B, {', '.join(inner)})" if inner else "(B,)"


@attrs.frozen(kw_only=True, eq=False)
class Forward:
    """The graph of a model's outputs."""

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]  # tensor names
    outputs: tuple[str, ...]
    origins: Origins
    rows: int | None  # that it takes; None: any number

    def wiring(self, output: int) -> Wiring:
        """The graph as one of a single output."""
        named = {f"x{i}": tensor for i, tensor in enumerate(self.inputs)}
        return Wiring(self.nodes, named, "x0", self.outputs[output], None)
