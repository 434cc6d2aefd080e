"""Cases on which a kernel raises, as the inverse of a singular matrix does, apart from the others.

A result of theirs is NaN. Whoever counts NaN asks `running` first, and a finding is run alone.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from losscheck.model import Array, Inputs, Location
from losscheck.program.quiet import silence, tensorflow
from losscheck.program.tracing.origin import is_users, kernel
from losscheck.program.tracing.trace import CallError
from losscheck.settings.budget import spend

if TYPE_CHECKING:
    from losscheck.program.running.runnable import Runnable

Run = Callable[..., list[Array]]
ALIKE = (0.0, 1.0, -1.0, 1e9)  # predictions of which some tell whether a kernel raises


@attrs.frozen
class Refusal:
    """What a call of a loss raises on one case."""

    op: str  # the operation whose kernel raises; "" where Python does
    location: Location | None
    # Whether the user's own code refuses the case, by `raise`, `assert` or `tf.debugging`.
    meant: bool
    exception: str  # its type and message

    @classmethod
    def of(cls, error: CallError, home: str) -> Refusal:
        """Read what was raised; code below `home` is the user's."""
        raised, op = error.error, kernel(error.error)
        checked = isinstance(raised, tensorflow().errors.InvalidArgumentError) and not op
        meant = checked or op == "Assert" or _by_the_user(raised, home)
        return cls(op, error.location, meant, str(error))


def _by_the_user(error: BaseException, home: str) -> bool:
    """Whether a statement of the user's raises it, and nothing that was called."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or not is_users(last.tb_frame.f_code.co_filename, home):
        return False
    steps = dis.get_instructions(last.tb_frame.f_code)
    return any(i.offset == last.tb_lasti and i.opname == "RAISE_VARARGS" for i in steps)


def refused(error: BaseException) -> bool:
    """Whether it is what a kernel, or Python behind one, raises on numbers."""
    errors = tensorflow().errors
    return isinstance(error, errors.InvalidArgumentError | errors.UnknownError)


def one_by_one(
    run: Run,
    cases: Iterable[Sequence[Array]],
    raising: Callable[[], None],
    sound: Sequence[Array] | None = None,
) -> list[Array]:
    """The results of every case, stacked; NaN where it raises, which is told.

    Where all do, they are raised. A sound case is run as soon as one raises: where it does so, too,
    it is no matter of numbers.
    """
    rows: list[list[Array] | None] = []
    known: list[Array] | None = None
    last: Exception | None = None
    for case in cases:
        spend()
        try:
            rows.append(run(*case))
            known = rows[-1]
        except Exception as error:
            if not refused(error):
                raise
            if known is None and sound is not None:
                known = run(*sound)
            rows.append(None)
            last = error
    if last is not None:
        if known is None:
            raise last
        raising()
    full = [_nothing(known) if row is None and known is not None else row for row in rows]
    return [np.stack(column) for column in zip(*full, strict=True)]


def raised(single: Run, case: Sequence[Array]) -> bool:
    """Whether a kernel raises on one case."""
    spend()
    try:
        with silence():
            single(*case)
    except Exception as error:
        return refused(error)
    return False


def running(program: Runnable, inputs: Inputs) -> Array:
    """(N,) bool: the cases on which nothing raises; it may do so on all of them."""
    try:
        return program.runs(inputs, program.run(inputs))
    except Exception as error:
        if not (isinstance(error, CallError) or refused(error)):
            raise
        return np.zeros(len(next(iter(inputs.values()))), bool)


def _nothing(results: list[Array]) -> list[Array]:
    return [np.full_like(a, np.nan if a.dtype.kind in "fcV" else 0) for a in results]


def alike(some: Inputs, prediction: str) -> dict[str, Array]:
    """Cases whose predictions are all the same number: a matrix of them has no inverse."""
    inputs = {name: np.round(array[: len(ALIKE)]) for name, array in some.items()}
    shape = inputs[prediction].shape
    numbers = np.reshape(ALIKE, (-1, *(1,) * (len(shape) - 1)))
    return {**inputs, prediction: np.broadcast_to(numbers, shape)}
