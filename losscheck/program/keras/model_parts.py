"""The losses that a model is compiled with, each with the output that it is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from losscheck.program.keras.model_tensors import BATCH, Forward, Tensor
from losscheck.program.quiet import keras_module, tensorflow


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
    model
        The model.
    outputs, structured
        Its outputs, flat and as it returns them.
    forward
        Their graph.
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
