"""LC503: eager, graph and XLA give different numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.model import Direction, Severity, Suspect
from losscheck.rules.base import Pin, Rule
from losscheck.rules.crowd import Crowd
from losscheck.rules.nonfinite.nonfinite import backward, forward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.precision.disagreement import ModeSweep
    from losscheck.evidence.search.sweep import Sweep
    from losscheck.evidence.shape.calls import EagerCalls
    from losscheck.evidence.shape.reruns import Repeat
    from losscheck.model import Array
    from losscheck.rules.base import Arguments, Judgment, Words

_MODES = ("eager", "graph", "xla")


class ModeDisagreement(Rule):
    """Eager, graph and XLA execution give different results.

    What it does
    ------------
    Runs the same cases eagerly, as a graph and compiled by XLA, and compares values and
    gradients. It reports a case in which one mode alone gives NaN or Inf, or in which they
    differ beyond what the conditioning of the case and the precision rules explain. It is an
    error; on extreme input, where the truth itself is too large for the dtype, and where modes
    differ because a number inside is subnormal, it is a note.

    Why it matters
    --------------
    Keras 3 compiles with XLA by default on GPUs but not on machines with CPUs only. A loss that
    is sound on the laptop may be NaN on the cluster: XLA reorders and fuses, and some
    gradients, such as those of a square root in the branch of a tf.where that is not taken, are
    0 in one mode and NaN in the other.

    Example
    -------
    Finite as a graph, while XLA gives a NaN gradient for x <= 0:

        def loss(y_true, y_pred):
            x = y_pred - y_true
            return tf.where(x > 0.0, tf.sqrt(x), 0.0)

    Use instead
    -----------
    Leave no non-finite number in any branch:

        def loss(y_true, y_pred):
            x = y_pred - y_true
            safe = tf.where(x > 0.0, x, 1.0)
            return tf.where(x > 0.0, tf.sqrt(safe), 0.0)

    References
    ----------
    - OpenXLA documentation: XLA; Keras documentation: Model.compile, argument jit_compile.
    - tensorflow/tensorflow issues 38349 and 117286; keras-team/keras issue 23075.
    """

    code = "LC503"
    slug = "mode-disagreement"
    forms = {
        "nonfinite": Severity.ERROR,
        "value": Severity.ERROR,
        "gradient": Severity.ERROR,
    }
    nonfinite = frozenset({"nonfinite"})
    by_mode = True
    pinned = Pin.AGREES

    def judge(
        self,
        sweeps: Sequence[Sweep],
        modes: Sequence[ModeSweep],
        eager_calls: EagerCalls | None,
        repeats: Repeat,
    ) -> Judgment:
        """Name the cases in which the modes differ."""
        for sweep in sweeps:
            runs = [run for run in modes if run.graph is sweep]
            if runs:
                yield from _nonfinite(sweep, runs, forward, Direction.FORWARD)
                yield from _nonfinite(sweep, runs, backward, Direction.BACKWARD)
                if not repeats.differs.any():  # a random loss differs from itself
                    yield from _different(sweep, runs)
        if eager_calls is not None and not repeats.differs.any():
            yield from _eager(eager_calls)

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        # Its tables are large: `losscheck rules` does without.
        from losscheck.advice import nonfinite

        message, cause = _told(suspect)
        if suspect.form != "nonfinite" or not blame.op:
            return message, cause, _rounding_fix(blame)
        why, fix = nonfinite.cause_and_fix(suspect, blame)
        return message, f"{why} {cause}", fix

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what keeps the operation finite in every mode."""
        from losscheck.advice import nonfinite

        return nonfinite.changes(suspect, blame) if suspect.form == "nonfinite" else ()


def _nonfinite(
    sweep: Sweep, runs: Sequence[ModeSweep], wrong: Callable[[Sweep], Array], direction: Direction
) -> Iterator[Crowd]:
    """Name cases that are NaN or Inf in one mode alone, by that mode."""
    by_mode = {sweep.mode: wrong(sweep)} | {run.mode: wrong(run.other) for run in runs}
    count = np.sum(list(by_mode.values()), axis=0)
    lonely = (count == 1) | ((count > 1) & ~by_mode[sweep.mode])
    if direction is Direction.BACKWARD:  # what is so in the forward pass was named there
        finite = sweep.forward_finite.copy()
        for run in runs:
            finite &= run.other.forward_finite
        lonely &= finite
    for mode, bad in by_mode.items():
        if (lonely & bad).any():
            yield Crowd(
                code="LC503",
                form="nonfinite",
                population=sweep,
                members=np.flatnonzero(lonely & bad),
                direction=direction,
                mode=mode,
            )


def _different(sweep: Sweep, runs: Sequence[ModeSweep]) -> Iterator[Crowd]:
    """Name cases whose finite results differ beyond what their conditioning explains."""
    for run in runs:
        for form, apart in (("value", run.value_apart), ("gradient", run.gradient_apart)):
            if apart.any():
                yield Crowd(
                    code="LC503",
                    form=form,
                    population=sweep,
                    members=np.flatnonzero(apart),
                    direction=Direction.FORWARD if form == "value" else Direction.BACKWARD,
                    mode=run.mode,
                )


def _eager(calls: EagerCalls) -> Iterator[Crowd]:
    """Name cases that Python itself takes another way when it is not traced."""
    pairs = (
        ("value", calls.value_apart, Direction.FORWARD),
        ("gradient", calls.gradient_apart, Direction.BACKWARD),
    )
    for form, members, direction in pairs:
        if len(members):
            yield Crowd(
                code="LC503",
                form=form,
                population=calls.sweep,
                members=members,
                direction=direction,
                mode="eager",
            )


def _told(suspect: Suspect) -> tuple[str, str]:
    """LC503, message and cause; facts: `values`, or a value by mode."""
    facts = suspect.facts
    table = facts.get("values", facts)
    given = {m: table[m] for m in _MODES if isinstance(table, Mapping) and table.get(m) is not None}
    written, place = wording.beside(given)
    numbers = ", ".join(f"{mode} gives {value}" for mode, value in written.items()) + place
    what = "gradient" if suspect.form == "gradient" else "loss"
    what = str(facts.get("what", what))
    at = wording.at(suspect.inputs)
    if suspect.form == "nonfinite":
        message = f"The {what} is not finite in one mode alone{at}."
        cause = "XLA and the graph order and fuse the operations differently"
    else:
        message = f"The {what} differs between modes by more than rounding explains{at}."
        cause = "The formula loses digits, and each mode loses others"
    return message, f"{cause}: {numbers}." if numbers else f"{cause}."


def _rounding_fix(blame: Blame) -> str:
    """Say what to write where modes differ in digits."""
    x = blame.operands[0] if blame.operands else "x"
    return (
        f"{x} = tf.cast({x}, tf.float64)  # shows whether digits are lost here\n"
        "# Then rewrite the difference of nearly equal numbers: center first, or use expm1, log1p."
    )
