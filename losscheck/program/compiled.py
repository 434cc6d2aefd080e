"""What a compiled Keras model says of itself: its inputs, its outputs, and the loss of each."""

from __future__ import annotations

import contextlib
import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from losscheck.model import UsageError
from losscheck.program.origin import Origins
from losscheck.program.quiet import keras_module, tensorflow
from losscheck.program.trace import CallError, graph_of
from losscheck.program.wiring import Node, Wiring, nodes_of

BATCH = 8  # rows where a model does not take an unknown number of them
FREE = ("T", "U", "V", "W")  # letters of the free axes of an output behind the batch
MANY = 64  # elements of an output above which its sizes are left free for the loss's own checks
FREE_SIZE = 6  # of a free axis of an input: longer than the kernels of most convolutions
FREE_PIXELS = 32  # the same of pictures, which are halved several times


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
class Part:
    """A loss that a model is compiled with, and the output that it is a loss of."""

    label: str | int  # what stands in the brackets of its target
    output: int  # among the outputs
    loss: Any
    spelled: str  # how Python code gets at it, from `model`
    through: str = ""  # the activation in front of which it takes the logits: softmax, sigmoid


@attrs.frozen(kw_only=True, eq=False)
class Compiled:
    """A compiled model.

    Attributes
    ----------
    model
        The model; nothing here changes its state.
    inputs, outputs
        In the order in which Keras flattens them.
    parts
        The losses that it is compiled with, an output each; none where it only has `add_loss`.
    forward
        The graph of its outputs, from its inputs and with its weights held.
    """

    model: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parts: tuple[Part, ...]
    input_structure: Any
    output_structure: Any
    forward: Forward

    @property
    def own_step(self) -> bool:
        """Whether the model has a training step of its own, which is not followed."""
        return type(self.model).train_step is not keras_module().Model.train_step

    def part(self, label: str | int) -> Part | None:
        """The loss with this label."""
        return next((part for part in self.parts if part.label == label), None)


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


def read(model: Any, target: str, *, base: str) -> Compiled:
    """Read a compiled model.

    Raises
    ------
    UsageError
        It is not compiled, or the shapes of its inputs are not known.
    """
    if not getattr(model, "compiled", False) or model.compiled is False:
        raise UsageError(
            f"{target} is a model that is not compiled, so it has no losses. Compile it first, "
            'model.compile(optimizer="adam", loss=...), or name the loss itself'
        )
    model, shapes = _built(model, target)
    specs = keras_module().tree.flatten(shapes)
    inputs = tuple(
        Tensor(name=_input_name(spec, i), shape=tuple(spec.shape), dtype=str(spec.dtype))
        for i, spec in enumerate(specs)
    )
    structured, forward, outputs = _forward(model, inputs, shapes, target, base)
    parts = tuple(_settled(part, forward, outputs) for part in _parts(model, outputs, structured))
    return Compiled(
        model=model,
        inputs=inputs,
        outputs=outputs,
        parts=parts,
        input_structure=shapes,
        output_structure=structured,
        forward=forward,
    )


def called(model: Any, x: Any, training: bool) -> Any:
    """Call a model as Keras' own steps do."""
    takes = getattr(model, "_call_has_training_arg", True)
    return model(x, training=training) if takes else model(x)


def _built(model: Any, target: str) -> tuple[Any, Any]:
    """The model, and the structure of its inputs as Keras tensors."""
    keras = keras_module()
    structure = getattr(model, "_inputs_struct", None)
    if structure is None and isinstance(model, keras.Sequential):
        if not model.built:
            model = _with_input(model, target)
        structure = model.inputs[0] if len(model.inputs or ()) == 1 else model.inputs
    if structure is not None:
        return model, structure
    config = model.get_build_config() or {} if model.built else {}
    shapes = config.get("input_shape")
    if not shapes:
        raise UsageError(
            f"{target} is a model whose input shapes are not known: it was never built. Call it "
            "once on data, call model.build((None, ...)) with the shape of its input, or begin "
            "it with keras.Input"
        )
    return model, _tensors(shapes)


def _tensors(shapes: Any) -> Any:
    """Keras tensors of shapes that stand alone, in a list or in a mapping."""
    if isinstance(shapes, Mapping):
        return {name: _tensors(shape) for name, shape in shapes.items()}
    if shapes and isinstance(shapes[0], Sequence | Mapping):
        return [_tensors(shape) for shape in shapes]
    return keras_module().KerasTensor((None, *shapes[1:]))


# Tried one after the other as the input of a Sequential that names none: what dense, recurrent,
# convolutional and embedding layers take.
SHAPES = ((None, 4), (None, 8, 4), (None, 16, 16, 3), (None, 8, 8, 8, 1))


def _with_input(model: Any, target: str) -> Any:
    """A copy of a Sequential without an input, with the first one that it takes."""
    keras = keras_module()
    for shape in SHAPES:
        try:
            copy = keras.Sequential.from_config(model.get_config())
            copy.build(shape)
        except Exception:  # another rank than its first layer takes, and each layer says otherwise
            continue
        config = model.optimizer.get_config() if model.optimizer is not None else {}
        optimizer = type(model.optimizer).from_config(config) if config else None
        weights = getattr(model._compile_loss, "_user_loss_weights", None)
        copy.compile(optimizer=optimizer, loss=model.loss, loss_weights=weights)
        return copy
    raise UsageError(
        f"{target} is a Sequential model without an input, and it takes none of the usual shapes. "
        "Begin it with keras.Input(shape)"
    )


def _input_name(spec: Any, index: int) -> str:
    history = getattr(spec, "_keras_history", None)
    operation = history.operation if history is not None else None
    if operation is None or _automatic(operation):
        return "x" if index == 0 else f"x{index}"
    return str(operation.name)


def _forward(
    model: Any, inputs: Sequence[Tensor], structure: Any, target: str, base: str
) -> tuple[Any, Forward, tuple[Tensor, ...]]:
    tf, keras = tensorflow(), keras_module()

    def forward(*x: Any) -> Any:
        with keras.StatelessScope():
            packed = keras.tree.pack_sequence_as(structure, list(x))
            return keras.tree.map_structure(tf.convert_to_tensor, called(model, packed, False))

    errors = []
    for rows in (None, BATCH):
        specs = _specs(inputs, rows)
        try:
            traced, origins = graph_of(forward, specs, home="", base=base)
            break
        except CallError as error:
            errors.append(error)
    else:
        raise UsageError(f"{target}: calling the model raised {errors[-1]}"[:500])
    flat = [traced.graph.outputs[i] for i in range(len(traced.graph.outputs))]
    names = _output_names(model, traced.structured_outputs, len(flat))
    sizes: list[tuple[int | None, ...]] = [() for _ in flat]
    if any(None in _dims(tensor)[1:] for tensor in flat):
        with contextlib.suppress(CallError):  # what does not run at usual sizes says so later
            fixed, _ = graph_of(forward, _specs(inputs, BATCH), home="", base=base)
            sizes = [_dims(tensor)[1:] for tensor in fixed.graph.outputs]
    outputs = tuple(
        Tensor(name=name, shape=(None, *_dims(tensor)[1:]), dtype=tensor.dtype.name, sizes=size)
        for name, tensor, size in zip(names, flat, sizes, strict=True)
    )
    return (
        traced.structured_outputs,
        Forward(
            nodes=nodes_of(traced.graph),
            inputs=tuple(t.name for t in traced.graph.inputs[: len(specs)]),
            outputs=tuple(t.name for t in flat),
            origins=origins,
            rows=rows,
        ),
        outputs,
    )


def _specs(inputs: Sequence[Tensor], rows: int | None) -> list[Any]:
    """The inputs as they are traced: of any number of rows, or at fixed sizes."""
    spec = tensorflow().TensorSpec
    if rows is None:
        return [spec((None, *tensor.shape[1:]), tensor.dtype) for tensor in inputs]
    return [spec(tensor.at(rows), tensor.dtype) for tensor in inputs]


def _dims(tensor: Any) -> tuple[int | None, ...]:
    return (None,) if tensor.shape.rank is None else tuple(tensor.shape)


def _output_names(model: Any, structured: Any, count: int) -> list[str]:
    """The names of the outputs; "" where the user gave none."""
    if isinstance(structured, Mapping):
        return sorted(structured)  # as Keras and TensorFlow flatten a mapping
    tensors = keras_module().tree.flatten(getattr(model, "outputs", None) or [])
    if len(tensors) != count:
        return [""] * count
    operations = [tensor._keras_history.operation for tensor in tensors]
    return ["" if _automatic(operation) else str(operation.name) for operation in operations]


def _automatic(operation: Any) -> bool:
    """Say whether Keras made up the name: that of the class with a number, which others count."""
    return re.fullmatch(rf"{_snake(type(operation).__name__)}(_\d+)?", operation.name) is not None


@functools.cache
def _snake(name: str) -> str:
    """A class name as Keras turns it into the name of a layer."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _parts(model: Any, outputs: Sequence[Tensor], structured: Any) -> tuple[Part, ...]:
    """The losses that the model is compiled with; what is nested deeper is left out."""
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
    return tuple(
        Part(label=label, output=output, loss=_resolved(one, outputs[output]), spelled=spelled)
        for label, output, one, spelled in found
        if one is not None and not isinstance(one, Mapping | list | tuple)
    )


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
