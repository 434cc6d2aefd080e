"""Programs that show what Keras does around a loss (its config, weights, training)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from losscheck.model import Array, Suspect
from losscheck.program.keras.small_model import inputs_of, layers
from losscheck.program.tracing.trace import Call
from losscheck.rules import by_code
from losscheck.rules.base import Shown

Literal = Callable[[Array], str]


def training(suspect: Suspect, call: Call, is_loss: bool, literal: Literal) -> list[str]:
    """Write the lines that follow those which make `loss`, the object that Keras is handed."""
    write = AROUND[by_code(suspect.code).shown_by]
    constants = ", ".join(f"{name}={value!r}" for name, value in call.constants.items())
    bound = [f"loss = functools.partial(loss, {constants})"] if constants and not is_loss else []
    return [*bound, *write(suspect, call, is_loss, literal)]


def _array(name: str, array: Array, literal: Literal) -> str:
    dtype = str(np.asarray(array).dtype)
    if dtype == "bool":
        return f"{name} = np.array({np.asarray(array).tolist()!r})"
    if dtype.startswith("int"):
        return f"{name} = np.array({np.asarray(array).tolist()!r}, np.{dtype})"
    return f"{name} = np.array({literal(np.asarray(array, np.float32))}, np.float32)"


def _model(task: Any, dtype: str = "float32") -> list[str]:
    stack = [f"keras.Input({inputs_of(task.shape)!r})"]
    stack += [text for _, text in layers(task.shape, task.head, dtype)]
    return ["model = keras.Sequential([", *(f"    {text}," for text in stack), "])"]


def _survival(suspect: Suspect, call: Call, is_loss: bool, literal: Literal) -> list[str]:
    facts = suspect.facts
    made = ", ".join(f"{name}={value!r}" for name, value in facts.get("made", {}).items())
    lines = [f"loss = type(loss)({made})"] if made else []
    lines += [_array(name, array, literal) for name, array in suspect.inputs.items()]
    y_true, y_pred = call.names[:2]
    if facts.get("how") == "file":
        lines += [
            *_model(facts["task"]),
            "model.compile('sgd', loss=loss)",
            "model.save('model.keras')",
            "again = keras.saving.load_model(",
            "    'model.keras', custom_objects={type(loss).__name__: type(loss)}",
            ").loss",
        ]
    else:
        lines.append("again = type(loss).from_config(loss.get_config())")
    return [
        *lines,
        f'print("before:", float(loss({y_true}, {y_pred})))',
        f'print("after:", float(again({y_true}, {y_pred})))',
    ]


def _weights(suspect: Suspect, call: Call, is_loss: bool, literal: Literal) -> list[str]:
    facts = suspect.facts
    weight = str(facts.get("argument") or "sample_weight")
    names = [name for name in call.names if name != weight]
    lines = [
        f"{name} = tf.constant({literal(np.asarray(suspect.inputs[name], np.float32))})"
        for name in names
    ]
    lines.append(f"weights = np.array({literal(np.asarray(facts['weights']))}, np.float32)")
    if facts["how"] == "keras":
        return [*lines, *_by_keras(call, is_loss)]
    given = ", ".join(call.names[: call.positional])
    rest = [f"{name}={name}" for name in (*call.names[call.positional :],)]
    if weight not in call.names:
        rest.append(f"{weight}={weight}")
    handed = ", ".join([part for part in (given, *rest) if part])
    shape = tuple(facts.get("weight_shape", ()))
    into = ", ".join(["-1", *["1"] * len(shape)])
    whole = ", ".join(["len(w)", *map(str, shape)])
    spread = f"np.broadcast_to(w.reshape(({into})), ({whole}))"
    return [
        *lines,
        "",
        "",
        f"def weighted(w, {', '.join(names)}):",
        f"    {weight} = tf.constant({spread if shape else 'w'})",
        f"    return float(np.mean(loss({handed})))",
        "",
        "",
        "rows = [",
        f"    weighted(np.ones(1, np.float32), {', '.join(f'{n}[i : i + 1]' for n in names)})",
        "    for i in range(len(weights))",
        "]",
        f'print("loss:", weighted(weights, {", ".join(names)}))',
        *_SUMS,
    ]


_SUMS = (
    'print("sum:", np.sum(weights * rows))',
    'print("sum_over_batch_size:", np.mean(weights * rows))',
    'print("mean_with_sample_weight:", np.sum(weights * rows) / np.sum(weights))',
)


def _by_keras(call: Call, is_loss: bool) -> list[str]:
    y_true, y_pred = call.names[:2]
    lines = []
    if not is_loss:
        lines = [
            "",
            "",
            "class AsKeras(keras.losses.Loss):",
            "    def call(self, y_true, y_pred):",
            "        return loss(y_true, y_pred)",
            "",
            "",
        ]
    return [
        *lines,
        f"weigh = {'loss' if is_loss else 'AsKeras()'}",
        f"rows = [float(weigh({y_true}[i : i + 1], {y_pred}[i : i + 1])) "
        "for i in range(len(weights))]",
        'print("sum_over_batch_size:", np.mean(weights * rows))',
        f'print("Keras:", float(weigh({y_true}, {y_pred}, sample_weight=weights)))',
    ]


def _trial(suspect: Suspect, call: Call, is_loss: bool, literal: Literal) -> list[str]:
    facts, task = suspect.facts, suspect.facts["task"]
    how = str(facts["how"])
    labels = task.labels.astype(facts["labels"]) if facts["labels"] != "float32" else task.labels
    dtype = "mixed_float16" if how == "mixed" else "float32"
    lines = [
        _array("x", task.x, literal),
        _array("y", labels, literal),
        *_model(task, dtype),
        *_run(how, task, literal),
    ]
    if suspect.form == "differs":
        lines += _direct(how, task, is_loss)
    return lines


def _run(how: str, task: Any, literal: Literal) -> list[str]:
    optimizer = "keras.optimizers.SGD(0.0)"
    if how == "mixed":
        optimizer = f"keras.optimizers.LossScaleOptimizer({optimizer})"
    option = {"eager": "run_eagerly=True", "jit": "jit_compile=True"}.get(how, "jit_compile=False")
    compiled = f"model.compile({optimizer}, loss=loss, {option})"
    if how == "mirrored":
        return [
            "# Before anything else runs:",
            "# cpu = tf.config.list_physical_devices('CPU')[0]",
            "# two = [tf.config.LogicalDeviceConfiguration()] * 2",
            "# tf.config.set_logical_device_configuration(cpu, two)",
            "with tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1']).scope():",
            f"    {compiled}",
            f'print("reported:", model.evaluate(x, y, batch_size={task.batch}, verbose=0))',
        ]
    if how == "evaluate":
        call = f"model.evaluate(x, y, batch_size={task.batch}, verbose=0)"
        return [compiled, f'print("reported:", {call})']
    if how == "fit":
        return [
            _array("weights", task.weights, literal),
            compiled,
            "history = model.fit(",
            f"    x, y, sample_weight=weights, batch_size={task.batch}, shuffle=False, verbose=0",
            ")",
            'print("reported:", history.history["loss"][0])',
        ]
    batch = f"x[:{task.batch}], y[:{task.batch}]"
    return [compiled, f'print("reported:", float(model.train_on_batch({batch})))']


def _direct(how: str, task: Any, is_loss: bool) -> Sequence[str]:
    whole = how in ("evaluate", "fit", "mirrored")
    last = "len(x)" if whole else str(task.batch)
    weights = f", weights[i : i + {task.batch}]" if how == "fit" and is_loss else ""
    times = f" * weights[i : i + {task.batch}]" if how == "fit" and not is_loss else ""
    return [
        "direct = 0.0",
        f"for i in range(0, {last}, {task.batch}):",
        f"    labels = tf.constant(y[i : i + {task.batch}]" + (")" if is_loss else ", tf.float32)"),
        f"    predictions = model(x[i : i + {task.batch}])",
        f"    values = np.asarray(loss(labels, predictions{weights})){times}",
        "    direct += len(predictions) * float(np.mean(values))",
        f'print("direct:", direct / {last})',
    ]


AROUND = {Shown.SAVING: _survival, Shown.WEIGHTS: _weights, Shown.TRAINING: _trial}
"""What Keras does around the loss, and who writes the program that shows it."""
