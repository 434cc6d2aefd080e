"""A Python program that shows what is wrong with the weights of a compiled model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from losscheck.evidence.keras.weights import NUDGE, Moment
from losscheck.findings.reproduce import model_lines
from losscheck.model import Suspect
from losscheck.program.keras.compiled import Compiled
from losscheck.program.keras.model_runs import Batch
from losscheck.targets import Loss
from losscheck.targets.models import SEED


def reproduce(suspect: Suspect, loss: Loss, weights: Sequence[int], seed: int, base: str) -> str:
    """Write the program.

    Parameters
    ----------
    suspect
        The finding, with the moment that shows it.
    weights
        Those that it is about, by their place among the trainable variables.
    seed
        What weights were moved with.
    base
        The folder that targets are found from.
    """
    assert loss.compiled is not None
    moment: Moment = suspect.facts["moment"]
    imports, making = model_lines(loss.target, loss.form, base)
    lines = [
        *imports[:-1],
        "import random",
        "",
        "import numpy as np",
        "import tensorflow as tf",
        "",
        f"random.seed({SEED})  # the initial weights that losscheck saw",
        *making,
        f"x = {_packed(loss.compiled.input_structure, _texts(moment.batch, 'x'))}",
        f"y = {_packed(loss.compiled.output_structure, _texts(moment.batch, 'y'))}",
        *(f"for _ in range({moment.steps}):" for _ in range(bool(moment.steps))),
        *("    model.train_on_batch(x, y)" for _ in range(bool(moment.steps))),
        "",
        "",
        "def loss_and_gradients():",
        "    with tf.GradientTape() as tape:",
        f"        {_call(loss.compiled, moment.training)}",
        "        loss = model.compute_loss(x=x, y=y, y_pred=y_pred)",
        "    return float(loss), tape.gradient(loss, model.trainable_variables)",
        "",
        "",
    ]
    if "worst" in suspect.facts:
        lines += _difference(suspect.facts["worst"], seed)
    else:
        lines += _shown(weights)
    return "\n".join(lines) + "\n"


def _call(compiled: Compiled, training: bool) -> str:
    takes = getattr(compiled.model, "_call_has_training_arg", True)
    return f"y_pred = model(x, training={training})" if takes else "y_pred = model(x)"


def _shown(weights: Sequence[int]) -> list[str]:
    which = f"[{', '.join(map(str, weights))}]" if weights else "range(len(gradients))"
    return [
        "value, gradients = loss_and_gradients()",
        'print("loss:", value)',
        f"for i in {which}:",
        "    gradient = gradients[i]",
        "    if gradient is not None:",
        "        gradient = tf.convert_to_tensor(gradient).numpy()",
        '    print(model.trainable_variables[i].path, "gradient:", gradient)',
    ]


def _difference(weight: int, seed: int) -> list[str]:
    """Lines that hold the gradient against the loss at two points beside it."""
    return [
        f"rng = np.random.default_rng({seed})",
        "for variable in model.trainable_variables:  # a little off, where no relu stands at 0",
        "    start = variable.numpy()",
        "    size = np.sqrt(np.mean(start**2, dtype=np.float64)) or 1.0",
        f"    variable.assign(start + {NUDGE} * size * rng.uniform(-1, 1, start.shape))",
        "value, gradients = loss_and_gradients()",
        f"variable, gradient = model.trainable_variables[{weight}], gradients[{weight}]",
        "gradient = tf.convert_to_tensor(gradient).numpy()",
        "start, direction = variable.numpy(), np.where(gradient < 0, -1.0, 1.0)",
        f"step = {NUDGE} * (np.sqrt(np.mean(start**2)) or 1.0)",
        "variable.assign(start + step * direction)",
        "above, _ = loss_and_gradients()",
        "variable.assign(start - step * direction)",
        "below, _ = loss_and_gradients()",
        'print("gradient along the direction:", float(np.sum(gradient * direction)))',
        'print("difference quotient:", (above - below) / (2 * step))',
    ]


def _texts(batch: Batch, letter: str) -> list[str]:
    names = [name for name in batch.arrays if name[0] == letter]
    texts = (batch.spelled.get(n) or f"np.zeros({batch.arrays[n].shape})" for n in names)
    return [f"tf.constant({text})" for text in texts]


def _packed(structure: Any, texts: list[str]) -> str:
    """Write arrays in the structure that the model takes or gives."""
    left = iter(texts)

    def written(part: Any) -> str:
        if isinstance(part, Mapping):  # flattened in the order of their names
            entries = [f"{name!r}: {written(part[name])}" for name in sorted(part)]
            return f"{{{', '.join(entries)}}}"
        if isinstance(part, list | tuple):
            return f"[{', '.join(written(one) for one in part)}]"
        return next(left)

    return written(structure)
