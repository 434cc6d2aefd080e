"""LC101: the gradient against the numeric derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losscheck.model import Direction, Severity
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.evidence.gradient.check import GradientCheck
    from losscheck.evidence.gradient.float32 import Float32Gradients
    from losscheck.evidence.gradient.upstream import UpstreamCheck
    from losscheck.evidence.graph import GraphFacts
    from losscheck.rules.base import Judgment


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
    needs = ("gradients", "sized", "float32", "upstream", "graph")
    masked_by = ("LC102",)

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
