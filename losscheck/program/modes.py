"""One case, run as a user would run it: eagerly, in a tf.function, or compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Inputs
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.running.noted import noting
from losscheck.program.running.runnable import Outcome, Runnable
from losscheck.program.tracing.origin import of_exception
from losscheck.program.tracing.trace import Call, CallError, OutputError, as_tensor
from losscheck.settings.budget import spend

MODES = ("eager", "graph", "xla")
DRAWS = 4  # of small whole numbers, which are labels as well; a few of them are all different
Maker = Callable[[Sequence[int], int], Array]  # of a shape, for the argument at a place


@attrs.frozen(kw_only=True, eq=False)
class Single:
    """What one call gave."""

    value: Array
    gradient: Array | None  # None where no gradient reaches the prediction


class Runner:
    """Runs a loss for one case at a time, in each mode."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._functions: dict[str, Callable[..., Any]] = {}

    def run(self, inputs: Inputs, mode: str) -> Single:
        """Value and gradient of one case, the arrays handed over in the dtype that they have.

        Raises
        ------
        CallError
            The loss raised.
        OutputError
            It returned no tensor of numbers.
        """
        spend()
        tf = tensorflow()
        arrays = [np.asarray(inputs[name]) for name in self._call.names]
        tensors = [tf.constant(array) for array in arrays]
        try:
            with silence(), self._call.state.kept(), noting(self._call.names, arrays):
                value, gradient = self._function(mode)(*tensors)
        except OutputError:
            raise
        except Exception as error:
            location = of_exception(error, self._call.home, self._call.base)
            raise CallError(error, location) from error
        return Single(
            value=value.numpy(), gradient=None if gradient is None else np.asarray(gradient)
        )

    def _function(self, mode: str) -> Callable[..., Any]:
        tf = tensorflow()
        if mode not in self._functions:
            compiled = tf.function(
                self._taped, autograph=self._call.autograph, jit_compile=mode == "xla"
            )
            self._functions[mode] = self._taped if mode == "eager" else compiled
        return self._functions[mode]

    def _taped(self, *tensors: Any) -> tuple[Any, Any]:
        tf = tensorflow()
        prediction = tensors[self._call.names.index(self._call.prediction)]
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            value = as_tensor(self._call(tensors))
        gradient = tape.gradient(value, prediction)
        return value, None if gradient is None else tf.convert_to_tensor(gradient)


class EagerProgram(Runnable):
    """A loss that cannot be traced: every case is a call of its own, so callers hand over few."""

    traced = None
    eager = True

    def __init__(self, call: Call, dtype: str) -> None:
        self.names = call.names
        self.prediction = call.prediction
        self._runner = Runner(call)
        self._dtype = dtype
        self._reached = True

    @property
    def has_gradient(self) -> bool:
        """Whether a gradient reached the prediction in the last run."""
        return self._reached

    def run(self, inputs: Inputs, mode: str = "eager") -> Outcome:
        """Value and gradient of every case; NaN where the loss raises, as long as one runs."""
        singles = self._singles(inputs)
        known = next(single.value for single in singles if single is not None)
        self._reached = any(s is not None and s.gradient is not None for s in singles)
        predictions = np.asarray(inputs[self.prediction]).astype(self._dtype)
        gradients = [
            np.full_like(p, np.nan)
            if s is None
            else np.zeros_like(p)
            if s.gradient is None
            else s.gradient
            for p, s in zip(predictions, singles, strict=True)
        ]
        value = np.stack([np.full_like(known, np.nan) if s is None else s.value for s in singles])
        return Outcome(value=value, gradient=np.stack(gradients))

    def raises(self, case: Inputs) -> bool:
        """Whether the loss raises on one case."""
        try:
            self._runner.run(self._cast(case), "eager")
        except CallError:
            return True
        return False

    def totals(self, inputs: Inputs) -> Array:
        """(N,) the summed loss of every case."""
        return self.run(inputs).total

    def _singles(self, inputs: Inputs) -> list[Single | None]:
        found: list[Single | None] = []
        last: CallError | None = None
        for case in self._cases(inputs):
            try:
                found.append(self._runner.run(case, "eager"))
            except CallError as error:
                found.append(None)
                last = error
        if last is not None:
            if not any(single is not None for single in found):
                raise last
            self.refuses = True
        return found

    def _cases(self, inputs: Inputs) -> Sequence[dict[str, Array]]:
        n = len(next(iter(inputs.values())))
        cast = self._cast(inputs)
        return [{name: array[i] for name, array in cast.items()} for i in range(n)]

    def _cast(self, inputs: Inputs) -> dict[str, Array]:
        return {name: np.asarray(inputs[name]).astype(self._dtype) for name in self.names}


def tried(run: Callable[[Inputs], object], shapes: Mapping[str, Sequence[int]]) -> None:
    """Run one case: of ones, or of numbers whose matrices have inverses and roots, if those raise.

    Raises
    ------
    Exception
        What the ones raise, where the others do, too.
    """
    first: Exception | None = None
    makers: tuple[Maker, ...] = (
        lambda shape, _: np.ones(shape),
        _regular,
        *(_drawn(seed) for seed in range(DRAWS)),
        _spread,
        lambda shape, _: np.zeros(shape),
    )
    for make in makers:
        try:
            run({n: make(tuple(s), place)[None] for place, (n, s) in enumerate(shapes.items())})
        except Exception as error:  # it may be the numbers
            first = first or error
        else:
            return
    if first is not None:
        raise first from None


def _regular(shape: Sequence[int], _: int) -> Array:
    """Ones on the diagonal of the last two axes, and small numbers beside it."""
    numbers = np.full(shape, 0.125)
    if len(shape) > 1:
        numbers += 0.875 * np.eye(shape[-2], shape[-1])
    return numbers


def _drawn(seed: int) -> Maker:
    return lambda shape, _: np.random.default_rng(seed).integers(0, 3, shape).astype(float)


def _spread(shape: Sequence[int], place: int) -> Array:
    """Numbers between 0 and 1, others in each argument: shares, and what differs from another."""
    return np.random.default_rng(place).uniform(size=shape)
