"""LC205: NaN or Inf is tested for and replaced."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.base import Change
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Doubt, Pin, Rule, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.precision.finite_tests import FiniteTest, NonfiniteInput
    from losscheck.model import Finding
    from losscheck.rules.base import Arguments, Judgment, Words


class NanHidden(Rule):
    """The loss tests for NaN or Inf and puts a finite number in its place.

    What it does
    ------------
    Looks for a test of finiteness (tf.math.is_nan, is_inf, is_finite) in the traced loss and
    runs cases in which it fires. It is an error if the term of a finite prediction overflowed
    and was replaced: the loss of the worst prediction becomes the best. It is a warning if only
    NaN and Inf predictions are replaced. Masking NaN labels is fine, and so is what
    tf.reduce_logsumexp does inside.

    Why it matters
    --------------
    The loss looks finite while the model diverges: what should stop training is reported as a
    loss of 0. The gradient is not repaired by it; it stays NaN, because tf.where multiplies the
    NaN slope of the branch not taken by 0.

    Example
    -------
    With y_pred = 3e38 the square overflows and the loss is 0, a perfect score:

        def loss(y_true, y_pred):
            error = tf.square(y_true - y_pred)
            error = tf.where(tf.math.is_finite(error), error, tf.zeros_like(error))
            return tf.reduce_mean(error, axis=-1)

    Use instead
    -----------
    Keep the number from overflowing, and let real NaN be seen:

        def loss(y_true, y_pred):
            error = tf.clip_by_value(y_true - y_pred, -1e9, 1e9)
            return tf.reduce_mean(tf.square(error), axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.where, tf.math.is_finite, tf.debugging.check_numerics.
    - Keras documentation: keras.callbacks.TerminateOnNaN.
    """

    code = "LC205"
    slug = "nan-hidden"
    forms = {
        "overflow": Severity.ERROR,
        "nonfinite-input": Severity.WARNING,
    }
    trail = Trail.KNOWN
    doubt = Doubt.CASES
    pinned = Pin.OWN

    def judge(
        self, finite_tests: Sequence[FiniteTest], nonfinite_inputs: Sequence[NonfiniteInput]
    ) -> Judgment:
        """Name the cases in which a non-finite value was replaced."""
        hidden = False
        for test in finite_tests:
            if test.replaced.any():
                hidden = True
                yield Crowd(
                    code=self.code,
                    form="overflow",
                    population=test,
                    members=np.flatnonzero(test.replaced),
                    facts={"location": test.location},
                )
        swallowed = [run for run in nonfinite_inputs if run.replaced]
        if swallowed and not hidden:
            run = swallowed[0]
            yield Suspect(
                code=self.code,
                form="nonfinite-input",
                inputs=run.inputs,
                value=run.value,
                gradient=run.gradient,
                location=finite_tests[0].location,
                expected_text="NaN or Inf, so that the run stops where it went wrong",
            )

    def asserts(self, finding: Finding, prediction: str) -> tuple[str, ...]:
        """Ask that NaN is refused or seen, and that no smaller prediction has a larger loss."""
        given = ", ".join(finding.inputs)
        run = f'value, _ = run("{finding.mode}", {given})'
        if not all(np.isfinite(np.asarray(array)).all() for array in finding.inputs.values()):
            return (
                "try:",
                f"    {run}",
                "except (ValueError, tf.errors.InvalidArgumentError):",
                "    return  # to refuse them is right as well",
                "assert not np.isfinite(value).all()",
            )
        nearer = ", ".join(f"{n} / by" if n == prediction else n for n in finding.inputs)
        return (
            run,
            "if np.isfinite(value).all():  # to overflow in plain sight is right as well",
            "    for by in (2.0, 16.0, 1e3, 1e6):",
            f'        nearer, _ = run("{finding.mode}", {nearer})',
            "        assert np.sum(value) >= np.sum(nearer)",
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        value = wording.array(suspect.value) if suspect.value is not None else "finite"
        at = wording.at(suspect.inputs)
        pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
        if suspect.form == "overflow":
            return (
                f"The loss hides an overflow: it is {value}{at}.",
                "A finite prediction makes a term too large for "
                f"{suspect.dtype}, and the test for NaN and Inf puts another number in its place: "
                "the worst prediction gets a good score.",
                f"{pred} = tf.clip_by_value({pred}, -1e9, 1e9)  # before the term, and no "
                "replacement after it",
            )
        return (
            f"The loss replaces NaN and Inf predictions: it is {value}{at}.",
            "A model that has diverged looks healthy. The gradient is not repaired by it: tf.where "
            "multiplies the slope of the branch not taken by 0, and 0 * NaN is NaN.",
            f"tf.debugging.check_numerics({pred}, '{pred}')  # in place of the replacement\n"
            "# In training, keras.callbacks.TerminateOnNaN stops the run.",
        )

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what is tested as it is, without a replacement."""
        return tuple(_unreplaced(blame.function)) if suspect.form == "overflow" else ()


def _unreplaced(function: str) -> Iterator[Change]:
    """Take "x" for "where(is_finite(x), x, other)", and for "where(is_nan(x), other, x)"."""
    for choice in source.calls_in(function, "where"):
        match source.expression(choice):
            case ast.Call(args=[ast.Call(args=[tested]) as test, *values]) if len(values) == 2:
                name, text = source.head(ast.unparse(test)), ast.unparse(tested)
                kept = values[name != "is_finite"]
                if name.startswith("is_") and ast.unparse(kept) == text:
                    yield Change("", "", throughout=((choice, text),))
