"""LC402: shapes that the loss must take and does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Pin, Rule
from losscheck.rules.shape import called, of_shape, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.calls import CallOutcome
    from losscheck.evidence.shape.layouts import LayoutRun
    from losscheck.program.programs import Sizes
    from losscheck.program.tracing.trace import CallError
    from losscheck.rules.base import Arguments, Judgment, Words


class ShapeRejected(Rule):
    """The loss fails on a shape that it must take.

    What it does
    ------------
    Calls and traces the loss with a batch of one, of two and of seven, with an unknown batch
    size, with every rank and size that its declared shapes allow, and with weights per sample,
    and reports what raises. All these are errors; a failure under a fully unknown rank, which
    Keras seldom hands over, is a note.

    Why it matters
    --------------
    The last batch of an epoch is often smaller, and Keras traces the loss with an unknown batch
    size. A loss that only takes the shapes it was tried on fails in the middle of training or
    at fit.

    Example
    -------
    The static batch size is None while Keras traces, and None cannot be a divisor:

        def loss(y_true, y_pred):
            return tf.reduce_sum(tf.square(y_true - y_pred)) / y_pred.shape[0]

    Use instead
    -----------
    Ask the tensor and not its static shape, or let a reduction count:

        def loss(y_true, y_pred):
            batch = tf.cast(tf.shape(y_pred)[0], y_pred.dtype)
            return tf.reduce_sum(tf.square(y_true - y_pred)) / batch

    References
    ----------
    - TensorFlow guide: Introduction to Tensors, section About shapes; tf.function, section
      Input signatures.
    - keras-team/keras issue 10408.
    """

    code = "LC402"
    slug = "shape-rejected"
    forms = {
        "batch-of-one": Severity.ERROR,
        "batch-size": Severity.ERROR,
        "unknown-batch": Severity.ERROR,
        "size": Severity.ERROR,
        "declared-rank": Severity.ERROR,
        "weights": Severity.ERROR,
        "unknown-rank": Severity.NOTE,
    }
    pinned = Pin.RUNS

    def judge(self, layouts: Sequence[LayoutRun], call: CallOutcome) -> Judgment:
        """Name the shapes on which the loss fails."""
        if call.error is not None and call.other_shapes is not None:
            yield self._suspect(
                "declared-rank",
                call.error,
                call.shapes,
                {"runs": call.other_shapes},
                certain=call.laid_out,
            )
        for run in layouts:
            if run.error is not None and run.declared:
                form = "declared-rank" if run.form == "as-is" else run.form
                facts: dict[str, object] = {
                    "argument": run.changed,
                    "shape": run.shapes.get(run.changed),
                    "size": run.size,
                }
                yield self._suspect(form, run.error, run.shapes, facts, run.certain)

    def _suspect(
        self,
        form: str,
        error: CallError,
        shapes: Sizes,
        facts: dict[str, object],
        certain: bool = True,
    ) -> Suspect:
        return Suspect(
            code=self.code,
            form=form,
            facts={**facts, "shapes": dict(shapes), "exception": str(error)},
            location=error.location,
            certain=certain,
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        name = str(facts.get("argument", "") or called(arguments, "y_pred"))
        exception = wording.sentence(facts.get("exception", "")) or "an exception"
        batch = facts.get("batch", 1)
        size = facts.get("size")
        mine = of_shape(written(facts, "shape"))
        what = {
            "batch-of-one": f"a batch of {batch}",
            "batch-size": f"a batch of {size}",
            "unknown-batch": "an unknown batch size (None)",
            "size": f"{name} with a size of {size}" if size is not None else f"{name}{mine}",
            "declared-rank": f"the rank it is declared to take: {name}{mine}"
            if suspect.certain
            else f"a rank that it may take: {name}{mine}",
            "weights": f"weights per sample: {name}{mine}",
            "unknown-rank": "inputs of unknown rank",
        }.get(suspect.form, f"{name}{mine}")
        cause = f"It raises: {exception}."
        if not suspect.certain:
            cause += " Nobody declared the shapes, and no layout was found that fits; declare them."
        from losscheck.advice import refusals
        from losscheck.advice.functions import of_the_last_axis

        last = next(of_the_last_axis(blame.expression), None)
        fix = _taking(suspect.form, name)
        if suspect.form == "declared-rank" and last is not None:
            fix = f"{last.new}  # counts from the last axis, for any rank"

        if blame.op in refusals.ADVICE:  # it is the numbers that such a shape leaves
            why, fix = refusals.cause_and_fix(suspect, blame)
            cause += f" {why}"
        return f"The loss fails on {what}.", cause, fix

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what takes sizes as the tensor knows them, and names the axes."""
        # `losscheck rules` does without
        from losscheck.advice.functions import of_the_last_axis, taking_any_size

        last = of_the_last_axis(blame.expression) if suspect.form == "declared-rank" else ()
        return (*last, *(taking_any_size(blame.function) if blame.function else ()))


def _taking(form: str, name: str) -> str:
    return {
        "batch-of-one": "x = tf.squeeze(x, axis=-1)  # names its axis: a bare tf.squeeze drops the "
        "batch of one",
        "batch-size": f"batch = tf.shape({name})[0]  # in place of a number: batches differ",
        "unknown-batch": f"batch = tf.shape({name})[0]  # the tensor knows, {name}.shape[0] is "
        "None",
        "size": f"tf.ones_like({name})  # in place of a constant of one width\n"
        '# Or declare the size that the loss is made for, such as shape = "(B, 3)".',
        "declared-rank": f"tf.reduce_mean({name}, axis=-1)  # counts from the last axis, for any "
        "rank",
        "weights": f"{name} = tf.reshape({name}, (-1, 1))",
        "unknown-rank": f"rank = tf.rank({name})  # the tensor knows, {name}.shape.rank is None",
    }.get(form, f"{name} = tf.convert_to_tensor({name})")
