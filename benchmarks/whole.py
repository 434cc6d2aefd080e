"""The time of a whole verdict: losscheck beside `tf.test.compute_gradient`, and a million elements.

The two alternate, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np

from benchmarks.timed_losses import LARGE, MILLION, SMALL, TimedLoss
from benchmarks.verdict import Check, Whole
from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import Call

REPEATS: Final = {SMALL: 5, LARGE: 3, MILLION: 3}
"""Rounds of which the median counts: compute_gradient takes seconds a round at 4,096 elements."""

PASSES: Final = 7
"""Forward and backward passes in every round, between the verdicts: their median over all rounds is
the unit of the million elements, and has to see the same machine as they do."""

Tell = Callable[[str], None]


@attrs.frozen(kw_only=True, eq=False)
class Timing:
    """One loss at one size.

    Attributes
    ----------
    compute_gradient
        Median seconds; None at a size where it is not run.
    one_pass
        Median seconds of one warm forward and backward pass in float64.
    verdicts
        losscheck's, warm, one a round; empty where it has no such entry.
    extras
        Seconds of what losscheck does beside, once.
    """

    loss: TimedLoss
    shape: tuple[int, ...]
    compute_gradient: float | None
    one_pass: float
    verdicts: tuple[Whole, ...]
    extras: Mapping[str, float]

    @property
    def verdict(self) -> Whole | None:
        """The round in the middle."""
        by_time = sorted(self.verdicts, key=lambda verdict: verdict.wall)
        return by_time[len(by_time) // 2] if by_time else None

    @property
    def faster(self) -> float | None:
        """How many times faster than compute_gradient."""
        if self.verdict is None or self.compute_gradient is None:
            return None
        return self.compute_gradient / self.verdict.wall


def time_losses(
    losses: Sequence[TimedLoss],
    shapes: Sequence[tuple[int, ...]],
    check: Check | None,
    tell: Tell,
) -> list[Timing]:
    """Time every loss at every size beside compute_gradient."""
    timings = []
    for shape in shapes:
        for loss in losses:
            tell(f"{loss.name} at {shape}")
            timings.append(time_loss(loss, shape, check, against=True))
    return timings


def time_million(losses: Sequence[TimedLoss], check: Check | None, tell: Tell) -> list[Timing]:
    """Time every loss at a million elements, where compute_gradient would take an hour."""
    timings = []
    for loss in losses:
        tell(f"{loss.name} at {MILLION}")
        timings.append(time_loss(loss, MILLION, check, against=False))
    return timings


def time_loss(
    loss: TimedLoss, shape: tuple[int, ...], check: Check | None, *, against: bool
) -> Timing:
    """Time one loss at one size."""
    inputs = loss.inputs(shape)
    other = compute_gradient(loss, inputs) if against else None
    call = Call(
        function=loss.function, names=("y_true", "y_pred"), positional=2, prediction="y_pred"
    )
    programs = Programs(call)
    if other is not None:
        other(1)  # traces
    beside: Mapping[str, float] = {}
    if check is not None:  # and traces
        beside = check(programs, inputs, with_extras=True).extras
    theirs: list[float] = []
    verdicts: list[Whole] = []
    passes: list[float] = []
    one_pass = pass_of(loss, inputs)
    one_pass()  # traces
    for _ in range(REPEATS.get(shape, 1)):
        passes += [_seconds(one_pass) for _ in range(PASSES)]
        if check is not None:
            verdicts.append(check(programs, inputs))
        if other is not None:
            theirs.append(_seconds(lambda: other(None)))
    return Timing(
        loss=loss,
        shape=shape,
        compute_gradient=float(np.median(theirs)) if theirs else None,
        one_pass=float(np.median(passes)),
        verdicts=tuple(verdicts),
        extras=beside,
    )


def compute_gradient(loss: TimedLoss, inputs: dict[str, Any]) -> Callable[[int | None], Any]:
    """Give run(rows): TensorFlow's check of the loss in float64, of all rows where rows is None.

    The loss is summed to a scalar: of a vector it would make a Jacobian, at a multiple of the cost.
    """
    import tensorflow as tf

    @tf.function(autograph=False)
    def scalar(y_true: Any, y_pred: Any) -> Any:
        return tf.reduce_sum(loss.function(y_true, y_pred))

    def run(rows: int | None) -> Any:
        y_true, y_pred = (tf.constant(inputs[name][:rows]) for name in ("y_true", "y_pred"))
        return tf.test.compute_gradient(lambda x: scalar(y_true, x), [y_pred])

    return run


def pass_of(loss: TimedLoss, inputs: dict[str, Any]) -> Callable[[], None]:
    """Give one forward and backward pass in float64."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def both(y_true: Any, y_pred: Any) -> Any:
        value = loss.function(y_true, y_pred)
        return value, tf.gradients(value, y_pred)[0]

    y_true, y_pred = (tf.constant(inputs[name]) for name in ("y_true", "y_pred"))

    def run() -> None:
        value, gradient = both(y_true, y_pred)
        value.numpy(), gradient.numpy()  # until the last of it is there

    return run


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
