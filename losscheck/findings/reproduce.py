"""A Python program that shows a finding: it imports the loss, builds the case, and runs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from losscheck.findings.reproduce_training import AROUND, training
from losscheck.model import Array, Direction, Suspect
from losscheck.program.tracing.trace import Call
from losscheck.report.arrays import FULL_SIZE, exceptions, shape
from losscheck.rules import by_code
from losscheck.rules.base import Shown
from losscheck.targets.models import Placed
from losscheck.targets.written import Written

AVERAGED = "loss = functools.partial(loss._fn, **loss._fn_kwargs)"
# Step over the size of the prediction: the rounding of a gradient, 1e-16 or 6e-8 of it, over the
# step leaves ten digits in float64 and four in float32.
STEPS = {"float64": 1e-5, "float32": 1e-3}


def reproduce(
    suspect: Suspect,
    target: str,
    form: str,
    call: Call,
    placed: Placed | None = None,
    written: Written | None = None,
) -> str:
    """Write the program.

    Parameters
    ----------
    suspect
        The finding, with its case.
    target, form
        The loss as it was given, and what it is (`targets.Loss.form`).
    placed
        The model that it was found in.
    written
        How a program comes by it, where its target does not say.
    """
    # Keras' own __call__ takes the mean of what `call` returns; the finding is about `call`.
    method = ".call" if getattr(call.function, "__name__", "") == "call" else ""
    shown = by_code(suspect.code).shown_by
    if shown in AROUND:  # there Keras is handed the object itself
        method = ""
    if written is not None:
        imports, making = [*written.imports], [*written.lines]
        making += [f"loss = loss{method}"] if method else []
    elif placed is None:
        imports, making = _imports(target, form, method, call.base)
    else:
        imports, making = _of_output(placed, method, call.base)
    own = [] if "import tensorflow as tf" in imports else ["import tensorflow as tf"]
    if shown in AROUND:
        extra = [] if "import keras" in imports else ["import keras"]
        body = training(suspect, call, form == "loss-instance", _literal)
        return _text(_tidy([*imports, *extra, *own, "", *making, *body]))
    lines = [*imports, *own, "", *making, ""]
    if not suspect.inputs:
        return "\n".join([*lines, *_shapes(suspect, call.names, call.positional)])
    for name in call.names:
        lines.append(f"{name} = {_tensor(suspect.inputs[name], dtype(suspect))}")
    return _text([*lines, *_shown(suspect, call)])


def _shown(suspect: Suspect, call: Call) -> list[str]:
    """Lines that run the loss on its arguments and print what is to be seen."""
    order, positional, prediction = call.names, call.positional, call.prediction
    handed = [f"tf.cast({n}, tf.int32)" if n in call.integers else n for n in order]
    keywords = zip(order[positional:], handed[positional:], strict=True)
    arguments = [*handed[:positional], *(f"{name}={given}" for name, given in keywords)]
    arguments += [f"{name}={value!r}" for name, value in call.constants.items()]
    whole = f"loss({', '.join(arguments)})"
    shown = by_code(suspect.code).shown_by
    if shown is Shown.SECOND_DERIVATIVE:
        return second_order(suspect, prediction, whole, _literal)
    if shown is Shown.DIGITS:
        return _digits(suspect, order, prediction, whole)
    lines, weights = [], ""
    if suspect.facts.get("upstream") is not None:
        lines.append(f"upstream = tf.constant({_literal(suspect.facts['upstream'])})")
        weights = ", output_gradients=upstream"
    decorator = {
        "graph": "@tf.function\n" if call.autograph else "@tf.function(autograph=False)\n",
        "xla": "@tf.function(jit_compile=True)\n",
    }
    return [
        *lines,
        "",
        "",
        f"{decorator.get(suspect.mode, '')}def value_and_gradient():",
        "    with tf.GradientTape() as tape:",
        f"        tape.watch({prediction})",
        f"        value = {whole}",
        f"    return value, tape.gradient(value, {prediction}{weights})",
        "",
        "",
        "value, gradient = value_and_gradient()",
        'print("loss:", value.numpy())',
        'print("gradient:", None if gradient is None else gradient.numpy())',
    ]


def _of_output(placed: Placed, method: str, base: str) -> tuple[list[str], list[str]]:
    """Lines that import what is needed, and lines that make `loss` of a model's output."""
    imports, making = model_lines(placed.model, placed.form, base)
    imports.insert(-1, "import keras")
    made = f"keras.losses.get({placed.part.spelled})"
    if placed.part.through:  # as the model has it: what makes the output is known to the loss
        method = ".call" if placed.instance else ""
        output = f"keras.activations.{placed.part.through}(y_pred)"
        return imports, [*making, f"loss = lambda y_true, y_pred: {made}{method}(y_true, {output})"]
    return imports, [*making, f"loss = {made}{method}"]


def model_lines(target: str, form: str, base: str) -> tuple[list[str], list[str]]:
    """Lines that import what is needed, and lines that make `model` of its target."""
    made = form == "model-function" and not target.endswith(")")
    imports, making = _imports(f"{target}()" if made else target, form, "", base)
    making[-1] = "model" + making[-1].removeprefix("loss")
    return imports, making


def _digits(suspect: Suspect, order: Sequence[str], prediction: str, whole: str) -> list[str]:
    """Lines that run the loss in float32 and in float64, or beside the truth as a number."""
    given = ", ".join(order)
    decorator = "@tf.function(autograph=False)\n" if suspect.mode == "graph" else ""
    both = bool(suspect.facts.get("float64"))
    lines = [
        "",
        "",
        f"{decorator}def value_and_gradient({given}):",
        "    with tf.GradientTape() as tape:",
        f"        tape.watch({prediction})",
        f"        value = {whole}",
        f"    return value, tape.gradient(value, {prediction})",
        "",
        "",
        f"for dtype in ({'tf.float32, tf.float64' if both else 'tf.float32,'}):",
        f"    inputs = [tf.cast(x, dtype) for x in ({given},)]",
        "    value, gradient = value_and_gradient(*inputs)",
        '    print(f"{dtype.name} loss:", value.numpy())',
        '    print(f"{dtype.name} gradient:", None if gradient is None else gradient.numpy())',
    ]
    if not both and suspect.facts.get("exact") is not None:
        what = "loss" if suspect.direction is Direction.FORWARD else "gradient"
        lines.append(f'print("right {what}:", {_literal(suspect.facts["exact"])})')
    return lines


def _tidy(lines: Sequence[str]) -> list[str]:
    """Leave out imports that nothing uses, and add that of functools where it is used."""
    text = "\n".join(lines)
    kept = [line for line in lines if line != "import tensorflow as tf" or "tf." in text]
    return ["import functools", *kept] if "functools." in text else kept


def _text(lines: Sequence[str]) -> str:
    text = "\n".join(lines) + "\n"
    if AVERAGED in lines:
        text = f"import functools\n{text}"
    if "np." in text and "import numpy as np" not in text:
        before = "import tensorflow" if "import tensorflow" in text else "import keras"
        text = text.replace(before, f"import numpy as np\n{before}", 1)
    return text


def _shapes(suspect: Suspect, order: Sequence[str], positional: int) -> list[str]:
    """Lines that call the loss with arrays of the shapes that it fails on."""
    shapes = suspect.facts.get("shapes") or {}
    if not shapes:
        return ["# The loss itself shows it: call it as a model would."]
    arguments = []
    for i, name in enumerate(order):
        shape = tuple(1 if d is None else d for d in (shapes.get(name) or ()))
        text = f"tf.ones({shape!r}, tf.{suspect.dtype})"
        arguments.append(text if i < positional else f"{name}={text}")
    return [f"print(loss({', '.join(arguments)}))", ""]


def _imports(target: str, form: str, method: str, base: str) -> tuple[list[str], list[str]]:
    """Lines that import what is needed, and lines that make `loss` of a target."""
    where, colon, what = target.partition(":")
    if not colon:
        return ["import keras"], [f"loss = keras.losses.get({target!r})"]
    if where.endswith(".py"):
        return ["import importlib.util", ""], [
            f"spec = importlib.util.spec_from_file_location('losses', {where!r})",
            "module = importlib.util.module_from_spec(spec)",
            "spec.loader.exec_module(module)",
            *_making(f"module.{what}", form, method),
        ]
    making = _making(f"importlib.import_module({where!r}).{what}", form, method)
    if _in_source_folder(where, base):
        return ["import importlib", "import sys", ""], ["sys.path.insert(0, 'src')", *making]
    return ["import importlib", ""], making


def _making(named: str, form: str, method: str) -> list[str]:
    """Lines that make `loss` of what a target names."""
    if form not in ("loss-instance", "metric"):
        return [f"loss = {named}{method}"]
    lines = [f"loss = {named}{method}"]
    if not named.endswith(")"):  # a class is made without arguments
        lines = [f"made = {named}", f"loss = (made() if isinstance(made, type) else made){method}"]
    # What a metric averages; its own value goes through variables, which no gradient passes.
    return [*lines, AVERAGED] if form == "metric" else lines


def _in_source_folder(module: str, base: str) -> bool:
    return os.path.exists(os.path.join(base, "src", module.split(".")[0])) or os.path.exists(
        os.path.join(base, "src", f"{module}.py")
    )


def _tensor(array: Array, dtype: str) -> str:
    shape = np.shape(array)
    if 0 in shape:  # nested brackets do not tell how wide nothing is
        return f"tf.zeros({shape}, tf.{dtype})"
    return _sparse(np.asarray(array), dtype) or f"tf.constant({_literal(array)}, tf.{dtype})"


def _sparse(array: Array, dtype: str) -> str:
    """Write a large array that holds one number nearly throughout; "" of any other."""
    if array.size <= FULL_SIZE:
        return ""
    most, others = exceptions(array)
    if len(others) * (array.ndim + 1) > array.size // 2:  # an index is as long as some numbers
        return ""
    filled = f"tf.fill({shape(array.shape)}, tf.constant({_number(most)}, tf.{dtype}))"
    if not len(others):
        return filled
    places = [list(map(int, np.unravel_index(i, array.shape))) for i in others]
    numbers = f"tf.constant({_literal(array.reshape(-1)[others])}, tf.{dtype})"
    return f"tf.tensor_scatter_nd_update({filled}, {places}, {numbers})"


def _literal(array: Array) -> str:
    """Numbers that read back to the same float."""
    array = np.asarray(array)
    if array.ndim == 0:
        return _number(array[()])
    return f"[{', '.join(_literal(part) for part in array)}]"


def _number(x: Any) -> str:
    if np.isnan(x):
        return "np.nan"
    if np.isinf(x):
        return "np.inf" if x > 0 else "-np.inf"
    return str(np.float32(x)) if np.asarray(x).dtype != np.float64 else repr(float(x))


def dtype(suspect: Suspect) -> str:
    """The dtype that the numbers are best seen in, where the loss takes it."""
    return str(suspect.facts.get("dtype", suspect.dtype))


def second_order(
    suspect: Suspect, prediction: str, call: str, literal: Callable[[Array], str]
) -> list[str]:
    """Write the lines behind the inputs.

    Parameters
    ----------
    prediction
        The argument that is differentiated.
    call
        The text that calls the loss.
    literal
        Writes an array.
    """
    x = np.asarray(suspect.inputs[prediction], np.float64)
    direction = suspect.facts.get("direction")
    v = np.ones_like(x) if direction is None else np.asarray(direction, np.float64)
    chosen = dtype(suspect)
    step = STEPS.get(chosen, STEPS["float32"]) * max(1.0, float(np.abs(x).max(initial=0.0)))
    return [
        f"v = tf.constant({literal(v.astype(np.float32))}, tf.{chosen})",
        f"h = {step:.1e}",
        "",
        "",
        f"def gradient({prediction}):",
        "    with tf.GradientTape() as tape:",
        f"        tape.watch({prediction})",
        f"        value = {call}",
        f"    return tf.convert_to_tensor(tape.gradient(value, {prediction}))",
        "",
        "",
        "@tf.function(autograph=False)",
        "def differences():",
        f"    return (gradient({prediction} + h * v) - gradient({prediction} - h * v)) / (2.0 * h)",
        "",
        "",
        "@tf.function(autograph=False)",
        "def product():",
        "    with tf.GradientTape() as tape:",
        f"        tape.watch({prediction})",
        f"        slope = tf.reduce_sum(gradient({prediction}) * v)",
        f"    return tape.gradient(slope, {prediction})",
        "",
        "",
        'print("differences of the gradient along v:", differences().numpy())',
        "found = product()",
        'print("second derivative times v:", None if found is None else found.numpy())',
    ]
