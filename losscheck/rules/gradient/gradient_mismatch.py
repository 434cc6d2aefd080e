"""LC101: the gradient against the numeric derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.wording import worst_pair
from losscheck.model import Direction, Severity, Suspect
from losscheck.rules.base import UNDECIDED, Doubt, Pin, Rule, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.check import GradientCheck
    from losscheck.evidence.gradient.elsewhere import UpstreamCheck
    from losscheck.evidence.gradient.float32 import Float32Gradients
    from losscheck.evidence.graph import GraphFacts
    from losscheck.rules.base import Arguments, Judgment, Words


class GradientMismatch(Rule):
    """The gradient is not the derivative of the loss.

    What it does
    ------------
    Compares the gradient that TensorFlow returns with a numeric derivative taken from a ladder
    of float64 steps. The ladder carries its own error estimate, rounding of the loss included;
    the verdict compares against that estimate and not against a fixed tolerance, and where ten
    times the estimate exceeds 1e-3 of the gradient's scale the point counts as undecided.

    At a kink any value between the two one-sided derivatives is right. A gradient that is wrong
    only at an isolated tie of a kinked op, and right on both sides of it, is a warning. So is one
    that a tf.stop_gradient makes differ, if it is right with what is cut off held still: that may
    be meant. And so is that of a Cholesky factor of a matrix that need not be symmetric: the factor
    is made of the lower triangle, and the gradient is shared by both. The numbers of
    tf.test.compute_gradient on the same case stand beside the finding.

    A prediction too large for a ladder of each element is checked by the terms of the loss, many
    elements at a time, or along random directions, and bisected down to the element that is wrong.

    Of a compiled model the gradient by its weights is held against differences along random
    directions in them, near where they start, and where it is wrong each weight by itself.

    In float32 no difference is trusted. Where the float32 gradient is off from the verified one by
    more than conditioning explains, the float32 graph is run in more digits and judged by
    differences of its own value: a wrong formula stays wrong, lost digits come back.

    The loss times fixed numbers far from 1 is differentiated as well: a custom gradient around a
    whole loss may ignore the upstream gradient, which is 1 until weights or loss scaling come in.

    Why it matters
    --------------
    A wrong gradient does not stop training, it trains something else: the optimizer goes to a
    point that minimizes no loss anybody wrote down. The usual sources are a factor lost in a
    tf.custom_gradient and a tf.stop_gradient on a path that should carry gradient.

    Example
    -------
    A custom gradient with the wrong factor. The slope of log(1 + exp(x)) is e / (1 + e):

        @tf.custom_gradient
        def log1pexp(x):
            e = tf.exp(x)

            def grad(upstream):
                return upstream / (1.0 + e)

            return tf.math.log1p(e), grad


        def loss(y_true, y_pred):
            return tf.reduce_mean(log1pexp(y_pred) - y_true * y_pred, axis=-1)

    Use instead
    -----------
    Leave the gradient to TensorFlow where a stable op exists:

        def loss(y_true, y_pred):
            return tf.reduce_mean(tf.math.softplus(y_pred) - y_true * y_pred, axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.custom_gradient, tf.stop_gradient,
      tf.test.compute_gradient.
    - C. J. F. Ridders, Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering
      Software 4(2), 1982: extrapolated differences with an error estimate.
    - W. Lee, H. Yu, X. Rival, H. Yang, On Correctness of Automatic Differentiation for
      Non-Differentiable Functions, NeurIPS 2020.
    """

    code = "LC101"
    slug = "gradient-mismatch"
    forms = {
        "mismatch": Severity.ERROR,
        "upstream": Severity.ERROR,
        "tie": Severity.WARNING,
        "stop-gradient": Severity.WARNING,  # written by hand, it may be on purpose
        "symmetric": Severity.WARNING,  # the matrices may be symmetric whenever it is called
    }
    masked_by = ("LC102",)
    essential = True
    trail = Trail.KNOWN
    by_derivative = True
    pinned = Pin.NUMBER
    doubt = Doubt.GRADIENT

    def judge(
        self,
        gradients: Sequence[GradientCheck],
        sized: Sequence[GradientCheck],
        float32: Sequence[Float32Gradients],
        upstream: UpstreamCheck | None,
        graph: GraphFacts,
    ) -> Judgment:
        """Name the samples whose gradient leaves the error bound."""
        cut, factor = (
            next((place for place in places if place is not None), None)
            for places in (graph.stop_gradients, graph.factors)
        )
        for check in (*gradients, *sized):
            real = check.wrong & ~check.tie
            wrong = (real & ~check.frozen & ~check.mirrored).any(axis=1)
            frozen = (real & check.frozen).any(axis=1) & ~wrong
            mirrored = (real & check.mirrored).any(axis=1) & ~wrong & ~frozen
            ties = (check.wrong & check.tie).any(axis=1) & ~wrong & ~frozen & ~mirrored
            forms: tuple[tuple[str, Any, dict[str, Any]], ...] = (
                ("mismatch", wrong, {}),
                ("stop-gradient", frozen, {"location": cut, "reread": graph.reread}),
                ("symmetric", mirrored, {"location": factor}),
                ("tie", ties, {}),
            )
            for form, found, facts in forms:
                if found.any():
                    yield Crowd(
                        code=self.code,
                        form=form,
                        population=check,
                        members=np.flatnonzero(found),
                        direction=Direction.BACKWARD,
                        facts=facts,
                    )
        for part in float32:
            if part.wrong.any():
                yield Crowd(
                    code=self.code,
                    form="mismatch",
                    population=part,
                    members=np.flatnonzero(part.wrong),
                    direction=Direction.BACKWARD,
                    facts={"single": True},
                )
        if upstream is not None and upstream.wrong.any():
            wrong = upstream.wrong.any(axis=1)
            yield Crowd(
                code=self.code,
                form="upstream",
                population=upstream,
                members=np.flatnonzero(wrong),
                direction=Direction.BACKWARD,
                facts={
                    "upstream": upstream.upstream,
                    "ignored": bool(upstream.ignored[upstream.wrong].all()),
                },
            )

    def undecided(self, evidence: Mapping[str, Any]) -> str:
        """Say so where no point was decided of a loss that has a gradient."""
        decided = any(check.decided.any() for check in evidence["gradients"])
        missing = getattr(evidence["graph"], "gradient_missing", False)
        return "" if decided or missing else UNDECIDED

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        got, want = worst_pair(suspect.gradient, suspect.expected_gradient)
        numbers = "The gradient is not the numeric derivative"
        if got:
            numbers = f"The gradient is {got}, the numeric derivative is {want}"
        at = wording.at(suspect.inputs)
        x = blame.operands[0] if blame.operands else "x"
        if suspect.form == "tie":
            return (
                f"The gradient at a tie lies outside both one-sided slopes{at}.",
                f"{numbers}. It is right on both sides; only at the tie itself does the op take "
                "another slope.",
                f"tf.where({source.summand(x)} >= 0.0, upper, lower)  # the slope of one side at "
                f"the tie\n# In place of {blame.expression or 'the op with the tie'}.",
            )
        if suspect.form == "upstream":
            return _upstream(suspect, got, want)
        if suspect.form == "stop-gradient":
            part = blame.operands[0] if blame.operands else "a part that depends on the prediction"
            if suspect.facts.get("reread"):
                return (
                    f"The gradient takes what a variable was assigned for constant{at}.",
                    f"{numbers}. With the variable held still it is right: no gradient goes "
                    "through one.",
                    "# Go on with the tensor that is assigned, not with the variable.\n"
                    "# If the cut is meant, ignore LC101 for this loss and give the reason.",
                )
            return (
                f"The gradient takes {part} for constant{at}: a tf.stop_gradient cuts it off.",
                f"{numbers}. With {part} held still it is right: the cut alone makes the "
                "difference.",
                f"{x}  # without tf.stop_gradient\n"
                "# If the cut is meant, ignore LC101 for this loss and give the reason.",
            )
        if suspect.form == "symmetric":
            return _symmetric(blame, at, numbers)
        cause, fix = reason(blame)
        if suspect.facts.get("single"):
            cause = f" In float64 it is: the loss does something else in float32.{cause}"
        return f"The gradient is not the derivative of the loss{at}.", f"{numbers}.{cause}", fix

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give a custom gradient another factor, or the one from above that it leaves out."""
        from losscheck.advice import functions  # `losscheck rules` does without

        if suspect.form == "upstream":
            return tuple(functions.with_upstream(blame))
        if suspect.form == "mismatch" and _handwritten(blame):
            pair = suspect.gradient, suspect.expected_gradient
            return tuple(functions.with_factor(blame, *pair))
        return ()


def _symmetric(blame: Blame, at: str, numbers: str) -> Words:
    """Say for which matrices the gradient of a Cholesky factor is right."""
    matrix = blame.operands[0] if blame.operands else "matrix"
    return (
        f"The gradient is right for symmetric matrices alone{at}.",
        f"{numbers}. A Cholesky factor is made of the lower triangle of a matrix, and its gradient "
        "is shared evenly by both triangles: it is right as long as the matrix stays symmetric, "
        "and nothing in the loss makes it so.",
        f"0.5 * ({matrix} + tf.linalg.matrix_transpose({matrix}))  # in place of {matrix}",
    )


def _upstream(suspect: Suspect, got: str, want: str) -> Words:
    """Say that the gradient is right until something weighs the loss."""
    weights = wording.array(suspect.facts["upstream"]) if "upstream" in suspect.facts else "weights"
    numbers = f"With an upstream gradient of {weights}"
    numbers += f" it is {got} where {want} is right" if got else " it is wrong"
    why = "ignores the upstream gradient"
    if not suspect.facts.get("ignored", True):
        why = "does not multiply by the upstream gradient"
    return (
        f"The gradient is wrong once the loss is weighted or scaled{wording.at(suspect.inputs)}.",
        f"The custom gradient {why}, which is 1 until sample weights, loss weights or loss "
        f"scaling come in. {numbers}.",
        "return upstream * slope  # for each element of what the function returned, its upstream",
    )


def reason(blame: Blame) -> tuple[str, str]:
    """Say where a wrong gradient comes from, and what to write there."""
    if blame.op == "Xlogy":
        x, y = blame.operands if len(blame.operands) == 2 else ("x", "y")
        return (
            " tf.math.xlogy gives its first operand a slope of 0 at 0, where log(y) is right.",
            f"{source.grouped(x)} * tf.math.log(tf.maximum({y}, 1e-7))",
        )
    if not blame.op and not _handwritten(blame):
        return "", (
            "# No operation could be singled out: take the gradient of each term by itself, at "
            "this input."
        )
    if blame.op == "IdentityN" or _handwritten(blame):
        return " It comes from a tf.custom_gradient.", (
            "return upstream * slope  # the slope of the forward formula, at the same operand\n"
            "# Or remove the custom gradient and let TensorFlow differentiate the formula."
        )
    return (
        f" The slope that TensorFlow has for {blame.op} is not that of the formula there.",
        f"{blame.expression or 'x'}  # write this with other ops",
    )


def _handwritten(blame: Blame) -> bool:
    """Whether the line itself computes on the way back, which only a custom gradient's does."""
    return blame.location is not None and blame.location.direction == Direction.BACKWARD
