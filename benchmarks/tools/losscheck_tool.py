"""losscheck's ladder and verdict, on the traced TensorFlow program in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.family import Array, Family
from benchmarks.spaces import tensorflow_space
from benchmarks.tools.base import Answer, Outcome, batch_of, of_points, timed
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.quotients import Derivatives
from losscheck.numerics.verdict import RETRACED_FLOOR, Agreement, compare
from losscheck.program.programs import Programs, along
from losscheck.program.tracing.trace import Call

MEANING = {
    Agreement.VERIFIED: Outcome.RIGHT,
    Agreement.MISMATCH: Outcome.WRONG,
    Agreement.OUTSIDE: Outcome.WRONG,
    Agreement.INCONCLUSIVE: Outcome.UNDECIDED,
}


class LossCheck:
    """`losscheck.numerics.ladder.derivatives` and `losscheck.numerics.verdict.compare`."""

    name = "losscheck"
    criterion = (
        "its own verdict: beyond ten times its error estimate plus 1e-9 of the gradient's size; "
        "undecided where ten times the estimate exceeds 1e-3 of that size"
    )

    def answer(self, family: Family, gradients: Sequence[Array]) -> Answer:
        """Judge all points of the family in one call, as the checker does."""
        found = _runner(family)()
        run = _runner(batch := batch_of(family))
        run()
        outcomes = []
        for gradient in gradients:
            judged = compare(gradient.ravel(), found, RETRACED_FLOOR, family.scale).outcome
            codes = np.select([judged == code for code in MEANING], list(MEANING.values()))
            outcomes.append(of_points(codes.reshape(gradient.shape)))
        return Answer(
            outcome=np.array(outcomes, np.int8),
            seconds=timed(run) / batch.points.size,
            value=found.value.reshape(family.points.shape),
            error=found.error.reshape(family.points.shape),
        )


def _runner(family: Family) -> Callable[[], Derivatives]:
    space, (count, width) = tensorflow_space(), family.points.shape
    call = Call(
        function=lambda x: family.value(space, x),
        names=("y_pred",),
        positional=1,
        prediction="y_pred",
    )
    program = Programs(call).at({"y_pred": (width,)}, "float64")
    evaluate = along(program, {"y_pred": family.points})
    case, coordinate = np.divmod(np.arange(count * width), width)
    size = np.abs(family.points).max(axis=1)[case]
    return lambda: derivatives(
        evaluate,
        case,
        coordinate,
        family.points.ravel(),
        family.lower,
        family.upper,
        magnitude=size,
    )
