"""What a compiled Keras model says of itself: its inputs, its outputs, and the loss of each."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from losscheck.model import UsageError
from losscheck.program.keras.model_parts import BATCH, Forward, Part, Tensor, parts_of
from losscheck.program.quiet import keras_module, tensorflow
from losscheck.program.tracing.trace import CallError, graph_of
from losscheck.program.tracing.wiring import nodes_of


@attrs.frozen(kw_only=True, eq=False)
class Compiled:
    """A compiled model."""

    model: Any  # the model; nothing here changes its state
    # In the order in which Keras flattens them.
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    # The losses that it is compiled with, an output each; none where it only has `add_loss`.
    parts: tuple[Part, ...]
    input_structure: Any
    output_structure: Any
    forward: Forward  # the graph of its outputs, from its inputs and with its weights held

    @property
    def own_step(self) -> bool:
        """Whether the model has a training step of its own, which is not followed."""
        return type(self.model).train_step is not keras_module().Model.train_step

    def part(self, label: str | int) -> Part | None:
        """The loss with this label."""
        return next((part for part in self.parts if part.label == label), None)


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
    parts = parts_of(model, outputs, structured, forward)
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
