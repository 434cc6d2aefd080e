"""What a compiled model is trained on, as a pure function of its weights, inputs and labels.

Keras reads weights from variables. Within a `keras.StatelessScope` it reads them from tensors, and
what it would write it hands out: so the weights become arguments, a loss that reads them by itself
has its second path to them, and the user's model is left as it is.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from losscheck.model import Array
from losscheck.program.keras.compiled import Compiled, called
from losscheck.program.keras.model_runs import Batch, Run, Weight
from losscheck.program.quiet import keras_module, tensorflow
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import Call, CallError, Traced, as_tensor, graph_of
from losscheck.program.tracing.wiring import SHAPE_OPS, Wiring, nodes_of

PARTS = 8  # losses whose gradients are told apart; each takes a backward pass of its own


class Objective:
    """The loss of a compiled model, traced with its gradient by every weight.

    Parameters
    ----------
    labels
        (rows, ...) the shape of the labels of each output; None stands for any number of rows.
    training
        Whether the model is called as in training.
    base
        Files are reported relative to this folder.

    Raises
    ------
    CallError
        Model or loss raised.
    OutputError
        The loss is no number.
    """

    def __init__(
        self,
        compiled: Compiled,
        labels: Sequence[tuple[int | None, ...]],
        *,
        training: bool,
        base: str,
    ) -> None:
        self._compiled = compiled
        model = compiled.model
        trainable, fixed = model.trainable_variables, model.non_trainable_variables
        self.weights = tuple(
            Weight(name=_name(model, v), argument=f"w{i}", value=np.array(v.numpy()))
            for i, v in enumerate(trainable)
        )
        self.state = tuple(np.array(v.numpy()) for v in fixed)
        self._state_names = tuple(f"s{i}" for i in range(len(self.state)))
        self.inputs = tuple(f"x{i}" for i in range(len(compiled.inputs)))
        self.labels = tuple(f"y{i}" for i in range(len(labels)))
        names = (*(w.argument for w in self.weights), *self._state_names)
        names = (*names, *self.inputs, *self.labels)
        rows = compiled.forward.rows
        tf = tensorflow()
        specs = [
            *(tf.TensorSpec(v.shape, v.dtype) for v in (*trainable, *fixed)),
            *(
                tf.TensorSpec((rows, *(t.shape if rows is None else t.at(rows))[1:]), t.dtype)
                for t in compiled.inputs
            ),
            *(tf.TensorSpec((rows, *shape[1:]), "float32") for shape in labels),
        ]
        compute = _Computation(compiled, len(trainable), len(fixed), labels, training)
        with _losses_of_its_own(compiled, labels):
            concrete, origins = graph_of(compute, specs, home="", base=base)
        outputs = [tensor.name for tensor in concrete.graph.outputs]
        self.value = outputs[0]
        self.gradients = compute.named(outputs, "gradients")
        self.shares = tuple(compute.named(outputs, f"share {k}") for k in range(compute.shared))
        self._parts = tuple(name or "" for name in compute.named(outputs, "parts"))
        self.outputs = compute.named(outputs, "predictions")
        self.any_rows = rows is None
        self._next = tuple(name or "" for name in compute.named(outputs, "state"))
        traced = Traced(
            graph=concrete.graph,
            placeholders=tuple(concrete.graph.inputs[: len(specs)]),
            captures=tuple(concrete.graph.captures),
            value=concrete.graph.outputs[0],
            gradient=None,
            gradient_error="",
            origins=origins,
            autograph=False,
        )
        self.call = Call(function=compute, names=names, positional=len(names), prediction=names[0])
        self.program = Program(traced, self.call)
        self._nodes = nodes_of(concrete.graph)

    def wiring(self, weight: int, gradient: str | None = None) -> Wiring:
        """The graph as that of the gradient by one weight, or of another tensor in its place."""
        arguments = dict(
            zip(
                self.program.names,
                (p.name for p in self.program.traced.placeholders),
                strict=True,
            )
        )
        name = self.weights[weight].argument
        end = gradient if gradient is not None else self.gradients[weight]
        return Wiring(self._nodes, arguments, name, self.value, end)

    @functools.cached_property
    def depending(self) -> frozenset[str]:
        """Names of the tensors that depend on any weight."""
        reached = {
            placeholder.name
            for placeholder in self.program.traced.placeholders[: len(self.weights)]
        }
        for node in self._nodes:
            if node.type not in SHAPE_OPS and not reached.isdisjoint(node.inputs):
                reached.update(node.outputs)
        return frozenset(reached)

    def feed(
        self, weights: Sequence[Array], batch: Batch, state: Sequence[Array] | None = None
    ) -> dict[str, Array]:
        """Every argument by name."""
        state = self.state if state is None else state
        return {
            **{w.argument: value for w, value in zip(self.weights, weights, strict=True)},
            **dict(zip(self._state_names, state, strict=True)),
            **batch.arrays,
        }

    def run(
        self, weights: Sequence[Array], batch: Batch, state: Sequence[Array] | None = None
    ) -> Run:
        """Loss and gradients of one batch in float32, as Keras computes them.

        Raises
        ------
        CallError
            The model cannot be run on it.
        """
        flat = [*self.gradients, *(name for share in self.shares for name in share)]
        wanted = [self.value, *(n for n in flat if n is not None), *self._parts, *self._next]
        try:
            found = self.program.once(wanted, self.feed(weights, batch, state))
        except Exception as error:  # an index out of a table, say
            raise CallError(error, None) from error
        each = iter(found[1:])
        arrays = [None if name is None else next(each) for name in flat]
        count = len(self.weights)
        return Run(
            value=float(found[0]),
            gradients=tuple(arrays[:count]),
            shares=tuple(
                tuple(arrays[count * (k + 1) : count * (k + 2)]) for k in range(len(self.shares))
            ),
            parts=tuple(float(next(each)) for _ in self._parts),
            state=tuple(each),
        )

    def double(self) -> Program:
        """The same graph in float64."""
        return self.program.in_float64(halves=True)


class _Computation:
    """What is traced: loss, gradients, each output's share in them, and the state afterwards."""

    def __init__(
        self,
        compiled: Compiled,
        weights: int,
        state: int,
        labels: Sequence[Any],
        training: bool,
    ) -> None:
        self._compiled = compiled
        self._counts = (weights, state, len(compiled.inputs), len(labels))
        self._training = training
        self.shared = 0
        self._added = False  # whether layers add losses, regularisers included
        self._places: dict[str, list[int | None]] = {}

    def named(self, outputs: Sequence[str], what: str) -> tuple[str | None, ...]:
        """The tensors of one kind, by name."""
        return tuple(None if place is None else outputs[place] for place in self._places[what])

    def __call__(self, *tensors: Any) -> list[Any]:
        tf = tensorflow()
        groups, rest = [], list(tensors)
        for count in self._counts:
            groups.append(rest[:count])
            rest = rest[count:]
        weights, state, x, y = groups
        value, predictions, after = self._loss(weights, state, x, y)
        results: list[Any] = [value]
        self._places = {}
        self._add(results, "gradients", tf.gradients(value, weights))
        self._add(results, "state", after)
        self._add(results, "predictions", predictions)
        parts = () if self._training else self._compiled.parts[:PARTS]
        self.shared = len(parts)
        if len(parts) == 1 and self._alone(parts[0].loss):
            self._places["share 0"], self._places["parts"] = self._places["gradients"], [0]
            return results
        values = []
        for k, part in enumerate(parts):
            output = predictions[part.output]
            part_value, share = _share(part.loss, y[part.output], output, weights)
            values.append(part_value)
            self._add(results, f"share {k}", share)
        self._add(results, "parts", values)
        return results

    def _alone(self, loss: Any) -> bool:
        """Say whether the gradient is that of one loss of Keras' own by way of its output."""
        model = self._compiled.model
        makes = loss if hasattr(loss, "__name__") else type(loss)
        own = type(model).compute_loss is keras_module().Model.compute_loss
        return own and not self._added and makes.__module__.startswith("keras.")

    def _add(self, results: list[Any], what: str, tensors: Sequence[Any]) -> None:
        places: list[int | None] = []
        for tensor in tensors:
            places.append(None if tensor is None else len(results))
            if tensor is not None:
                results.append(tensorflow().convert_to_tensor(tensor))
        self._places[what] = places

    def _loss(
        self, weights: Sequence[Any], state: Sequence[Any], x: Sequence[Any], y: Sequence[Any]
    ) -> tuple[Any, list[Any], list[Any]]:
        tf, keras = tensorflow(), keras_module()
        compiled, model = self._compiled, self._compiled.model
        fixed = model.non_trainable_variables
        mapping = [
            *zip(model.trainable_variables, weights, strict=True),
            *zip(fixed, state, strict=True),
        ]
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            inputs = keras.tree.pack_sequence_as(compiled.input_structure, list(x))
            labels = keras.tree.pack_sequence_as(compiled.output_structure, list(y))
            predictions = called(model, inputs, self._training)
            value = _lost(model, inputs, labels, predictions, self._training)
            self._added = bool(model.losses)
            after = [scope.get_current_value(variable) for variable in fixed]
        value = as_tensor(value)
        if value.shape.rank != 0:
            value = tf.reduce_sum(value)  # what a tape takes the gradient of
        return value, keras.tree.flatten(predictions), after


def _lost(model: Any, inputs: Any, labels: Any, predictions: Any, training: bool) -> Any:
    """What `fit` asks the model for, which in Keras 3.3 does not depend on training."""
    given = {"x": inputs, "y": labels, "y_pred": predictions, "sample_weight": None}
    if not hasattr(model, "_compute_loss"):
        return model.compute_loss(**given)
    return model._compute_loss(**given, training=training)


def _name(model: Any, variable: Any) -> str:
    """The path of a variable within its model."""
    return str(variable.path).removeprefix(f"{model.name}/")


def _share(loss: Any, labels: Any, output: Any, weights: Sequence[Any]) -> tuple[Any, list[Any]]:
    """One loss, and its gradients by way of the output that it is of.

    A cross entropy of what a softmax or a sigmoid returns takes the logits in front of it, so that
    its gradient does not pass the output itself.
    """
    tf = tensorflow()
    value = tf.reduce_mean(as_tensor(loss(labels, output)))
    flow = tf.gradients(value, [output]) if output.dtype.is_floating else [None]
    if flow[0] is None:
        return value, list(tf.gradients(value, weights))
    return value, list(tf.gradients(output, weights, grad_ys=flow))


@contextlib.contextmanager
def _losses_of_its_own(
    compiled: Compiled, labels: Sequence[tuple[int | None, ...]]
) -> Iterator[None]:
    """Let the model compute its loss with a copy of what `compile` made, and take nothing along.

    Keras settles the losses when they are first called, and notes which losses layers added.
    """
    model = compiled.model
    kept = model._compile_loss
    noted = [(layer, set(layer._loss_ids)) for layer in model._flatten_layers()]
    try:
        model._compile_loss = None if kept is None else _built(kept, compiled, labels)
        yield
    finally:
        model._compile_loss = kept
        for layer, ids in noted:
            layer._loss_ids.clear()
            layer._loss_ids.update(ids)


def _built(kept: Any, compiled: Compiled, labels: Sequence[tuple[int | None, ...]]) -> Any:
    """A copy of the losses that a model is compiled with, settled for these labels."""
    keras = keras_module()
    copy = type(kept)(kept._user_loss, kept._user_loss_weights, output_names=kept.output_names)

    def pack(shapes: Sequence[tuple[int | None, ...]]) -> Any:
        flat = [keras.KerasTensor((None, *shape[1:])) for shape in shapes]
        return keras.tree.pack_sequence_as(compiled.output_structure, flat)

    try:
        copy.build(pack(labels), pack([output.shape for output in compiled.outputs]))
    except Exception as error:  # losses and outputs that do not fit
        raise CallError(error, None) from error
    return copy
