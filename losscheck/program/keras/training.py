"""The training harness: a small model compiled, fitted and evaluated with the loss.

The learning rate is 0, so that the outputs of the model stay what they are and what Keras reports
can be told beforehand: the loss of each batch, called directly on the model's own outputs and
reduced as Keras reduces, averaged over the batches by their sizes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Direction, Location
from losscheck.program.keras.keras_loss import KerasLoss, reduced
from losscheck.program.keras.small_model import Head, build, outputs
from losscheck.program.quiet import keras_module, tensorflow, undisturbed
from losscheck.program.tracing.origin import Frame, is_users, locate, of_exception
from losscheck.program.tracing.trace import Call, CallError, OutputError
from losscheck.settings.budget import spend

# TensorFlow writes the user's lines into the message of an error at run time.
_LINE = re.compile(r'File "([^"]+)", line (\d+), in ')


@attrs.frozen(kw_only=True, eq=False)
class Task:
    """What a small model is trained on."""

    # Of one prediction, and what brings it into its domain.
    shape: tuple[int, ...]
    head: Head
    x: Array  # (N, ...) what the model is given
    labels: Array  # (N, ...) float32
    # Whether users also hand such labels over as integers, and as bools.
    integral: bool
    boolean: bool
    weights: Array  # (N,) one a sample
    # (N,) the class of each sample, and the weight of each class; None where labels are no classes.
    classes: Array | None
    class_weight: dict[int, float] | None
    batch: int  # rows of a batch; the last one is smaller where N is no multiple of it

    @property
    def parts(self) -> list[slice]:
        """The batches of an epoch."""
        return [slice(i, i + self.batch) for i in range(0, len(self.x), self.batch)]


@attrs.frozen(kw_only=True, eq=False)
class Trial:
    """One way in which Keras ran the loss."""

    how: str  # evaluate, fit, jit, eager, mixed or mirrored
    error: CallError | None = None
    # What Keras reports, and what direct calls give; None where there is nothing to compare.
    reported: float | None = None
    direct: float | None = None
    # The mean size of what the loss returns, weighted: cancellation must not look like an error.
    scale: float = 0.0
    labels: str = "float32"

    @property
    def compared(self) -> bool:
        """Whether there are two finite numbers."""
        pair = (self.reported, self.direct)
        return all(number is not None and np.isfinite(number) for number in pair)

    @property
    def apart(self) -> float:
        """Their difference, over the size of the loss."""
        if not self.compared:
            return 0.0
        assert self.reported is not None
        assert self.direct is not None
        largest = max(self.scale, abs(self.reported), abs(self.direct), 1e-30)
        return abs(self.reported - self.direct) / largest


class Trainer:
    """Trains a small model with a loss, one way after the other."""

    def __init__(self, call: Call, task: Task) -> None:
        self._call = call
        self._loss = KerasLoss(call)
        self._task = task

    def outputs(self) -> Array:
        """What the model gives at first."""
        with undisturbed():
            return outputs(self._model("float32"), self._task.x)

    def trials(self, hows: Iterable[str]) -> Iterator[Trial]:
        """Run the loss in these ways, until one of them raises."""
        with undisturbed():
            model = self._model("float32")
        for how in hows:
            spend()
            with undisturbed(), self._call.state.kept():
                trial = _RUN[how](self, model)
            yield trial
            if trial.error is not None:
                return

    def control(self, how: str) -> str:
        """Run a loss that is certainly sound in the same way; what it raised, else ""."""
        tf = tensorflow()

        def control(y_true: Any, y_pred: Any) -> Any:
            flat = tf.reshape(y_pred, (tf.shape(y_pred)[0], -1))
            return tf.reduce_mean(flat, axis=-1)

        task = attrs.evolve(self._task, labels=np.zeros(len(self._task.x), np.float32))
        plain = Call(
            function=control,
            names=("y_true", "y_pred"),
            positional=2,
            prediction="y_pred",
            handed=control,
        )
        tried = Trainer(plain, task).trials(dict.fromkeys(("evaluate", how)))
        return next((str(trial.error) for trial in tried if trial.error is not None), "")

    def evaluate(self, model: Any) -> Trial:
        """Evaluate in a graph, the batch size unknown and the last batch smaller."""
        task = self._task

        def run() -> float:
            self._compile(model)
            reported = model.evaluate(task.x, task.labels, batch_size=task.batch, verbose=0)
            return _number(reported)

        return self._trial("evaluate", run, model, task.labels, None, task.parts)

    def fit(self, model: Any) -> Trial:
        """Fit one epoch with sample weights, labels as whole numbers where they are such."""
        task = self._task
        labels = task.labels.astype(np.int32) if task.integral else task.labels
        weights = self._weights(model)

        def run() -> float:
            history = model.fit(
                task.x,
                labels,
                sample_weight=weights,
                batch_size=task.batch,
                shuffle=False,
                verbose=0,
            )
            return _number(history.history["loss"][-1])

        return self._trial("fit", run, model, labels, weights, task.parts)

    def jit(self, model: Any) -> Trial:
        """Train on a batch, compiled by XLA, with the weights of classes where there are such."""
        task = self._task
        first = task.parts[0]
        given, weights = None, None
        if task.classes is not None and task.class_weight is not None and self._rank(model) < 2:
            given = task.class_weight
            weights = np.asarray([given[int(c)] for c in task.classes[first]], np.float32)

        def run() -> float:
            self._compile(model, jit_compile=True)
            x, y = task.x[first], task.labels[first]
            return _number(model.train_on_batch(x, y, class_weight=given))

        return self._trial("jit", run, model, task.labels, weights, [first])

    def eager(self, model: Any) -> Trial:
        """Train on a batch eagerly, labels as bools where they are yes or no."""
        task = self._task
        first = task.parts[0]
        labels = task.labels.astype(bool) if task.boolean else task.labels

        def run() -> float:
            self._compile(model, run_eagerly=True)
            return _number(model.train_on_batch(task.x[first], labels[first]))

        return self._trial("eager", run, model, labels, None, [first])

    def mixed(self, _: Any) -> Trial:
        """Train on a batch in mixed_float16, the loss scaled by the optimiser."""
        task = self._task
        first = task.parts[0]
        model = self._model("mixed_float16")

        def run() -> float:
            self._compile(model, scaled=True)
            return _number(model.train_on_batch(task.x[first], task.labels[first]))

        return self._trial("mixed", run, model, task.labels, None, [first])

    def mirrored(self, _: Any) -> Trial:
        """Evaluate on two devices, half of every batch on each."""
        tf = tensorflow()
        task = self._task
        devices = [f"CPU:{i}" for i in range(2)]
        strategy = tf.distribute.MirroredStrategy(devices)
        with strategy.scope():
            model = self._model("float32")

        def run() -> float:
            with strategy.scope():
                self._compile(model)
                whole = len(task.x) // task.batch * task.batch
                return _number(
                    model.evaluate(
                        task.x[:whole], task.labels[:whole], batch_size=task.batch, verbose=0
                    )
                )

        half = [slice(i, i + task.batch // 2) for i in range(0, len(task.x), task.batch // 2)]
        whole = len(task.x) // task.batch * 2
        return self._trial("mirrored", run, model, task.labels, None, half[:whole])

    def _model(self, dtype: str) -> Any:
        return build(self._task.shape, self._task.head, dtype)

    def _compile(self, model: Any, *, scaled: bool = False, **how: Any) -> None:
        optimizers = keras_module().optimizers
        optimizer = optimizers.SGD(0.0, name="sgd")
        if scaled:
            optimizer = optimizers.LossScaleOptimizer(optimizer, name="scaled")
        model.compile(optimizer, loss=self._loss.handed, **{"jit_compile": False, **how})

    def _weights(self, model: Any) -> Array:
        """Give weights the rank of what the loss returns: Keras does not line up their axes."""
        return self._task.weights.reshape((-1, *(1,) * (self._rank(model) - 1)))

    def _rank(self, model: Any) -> int:
        """Count the axes of what the loss returns; 1 where it does not return."""
        if self._loss.calls_itself:
            return 1
        first = self._task.parts[0]
        p = outputs(model, self._task.x[first])
        try:
            return max(1, self._loss.returned(self._task.labels[first], p).ndim)
        except Exception:  # the trial will tell
            return 1

    def _trial(
        self,
        how: str,
        run: Callable[[], float],
        model: Any,
        labels: Array,
        weights: Array | None,
        parts: Sequence[slice],
    ) -> Trial:
        """Run one way, and call the loss directly on the same batches."""
        predicted = [outputs(model, self._task.x[rows]) for rows in parts]
        trial = Trial(how=how, labels=str(labels.dtype))
        try:
            trial = attrs.evolve(trial, reported=run())
        except Exception as error:
            return attrs.evolve(trial, error=CallError(error, self._blamed(error)))
        if self._call.state.assigns:  # from batch to batch it is another loss
            return trial
        for graph in (False, True):  # a difference between eager and graph is not Keras' doing
            trial = self._compared(trial, labels, predicted, weights, parts, graph=graph)
            if trial.apart < ROUNDING:
                break
        return trial

    def _compared(
        self,
        trial: Trial,
        labels: Array,
        predicted: Sequence[Array],
        weights: Array | None,
        parts: Sequence[slice],
        *,
        graph: bool,
    ) -> Trial:
        direct, scale, rows = 0.0, 0.0, 0
        for part, p in zip(parts, predicted, strict=True):
            own = None if weights is None else weights[part]
            try:
                if self._loss.calls_itself:
                    values = self._loss.by_itself(labels[part], p, own)
                    value = float(np.mean(values, dtype=np.float64))
                else:
                    values = self._loss.returned(labels[part], p, graph=graph)
                    value = reduced(values, own, self._loss.reduction)
            except (Exception, OutputError):  # other rules call it directly, and say so
                return trial
            direct += value * len(p)
            scale = max(scale, float(np.abs(np.asarray(values, np.float64)).mean()))
            rows += len(p)
        return attrs.evolve(trial, direct=direct / rows, scale=scale)

    def _blamed(self, error: BaseException) -> Location | None:
        call = self._call
        found = of_exception(error, call.home, call.base)
        told = [Frame(file, int(line)) for file, line in _LINE.findall(str(error))]
        ours = [place for place, frame in enumerate(told) if frame.file == __file__]
        lines = [  # what called losscheck stands before us in the stack of an operation
            frame
            for frame in told[max(ours, default=-1) + 1 :]
            if is_users(frame.file, call.home) and frame.file.endswith(".py")
        ]
        if found is None and lines and call.home and lines[-1].file.startswith(call.home):
            return locate(lines[-1], "", Direction.FORWARD, call.base)
        return found


ROUNDING = 1e-3
"""Relative to the size of the loss: float32 sums in another order, and what XLA makes of a cosine
(1,487 ulps, 1e-4), stay well below; another reduction or a frozen number does not."""

_RUN: dict[str, Callable[[Trainer, Any], Trial]] = {
    "evaluate": Trainer.evaluate,
    "fit": Trainer.fit,
    "jit": Trainer.jit,
    "eager": Trainer.eager,
    "mixed": Trainer.mixed,
    "mirrored": Trainer.mirrored,
}


def devices() -> int:
    """How many logical CPU devices there are for two replicas."""
    return len(tensorflow().config.list_logical_devices("CPU"))


def _number(reported: Any) -> float:
    """Read a loss off what Keras gives: a number, or a list that begins with it."""
    return float(np.asarray(reported, np.float64).reshape(-1)[0])
