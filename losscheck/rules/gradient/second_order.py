"""LC106: the second derivative, for those who ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.wording import worst_pair
from losscheck.model import Direction, Severity, Suspect
from losscheck.rules.base import UNDECIDED, Pin, Rule, Shown
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.second_order import SecondOrderCheck
    from losscheck.rules.base import Arguments, Judgment, Words
    from losscheck.settings.settings import Settings

# Ops that cut the way, in the words of the cause; `{where}` is the user's expression.
_CUTS = {
    "StopGradient": "tf.stop_gradient keeps {where} from being derived again",
    "PreventGradient": "TensorFlow refuses to derive the gradient of {where}",
    **dict.fromkeys(
        ("PyFunc", "PyFuncStateless", "EagerPyFunc"),
        "TensorFlow cannot see inside the Python or NumPy function of {where}",
    ),
}
# Ops whose slope, or the slope of that, is infinite at 0; elsewhere the advice would be a guess.
_ROOTS = {
    "Sqrt": "tf.sqrt(safe)",
    "Rsqrt": "tf.math.rsqrt(safe)",
    "Log": "tf.math.log(safe)",
    "Pow": "tf.pow(safe, {power})",
}


class SecondOrder(Rule):
    """The second derivative is missing, not finite, or not that of the loss.

    What it does
    ------------
    Runs with `--order 2` alone. Takes the gradient of gradient·v for a few vectors v of random
    signs, which is the Hessian times v, and compares it with differences of the gradient. They
    come from the ladder of float64 steps that checks gradients, with its own error estimate, and
    only where the gradient itself was verified.

    A second derivative of 0 is right where the loss is linear in the prediction, and so is None
    there. Where the gradient has a kink, as that of a Huber loss, any value between the two
    sides is right; where it jumps, as that of an absolute error, nothing is said.

    Why it matters
    --------------
    A first-order optimizer never asks for it. Gradient penalties, influence functions, MAML and
    Newton methods do: they silently work without the part that is missing, or raise, or turn
    NaN though loss and gradient are finite.

    Example
    -------
    A custom gradient that is right, but that cannot be derived once more:

        @tf.custom_gradient
        def half_square(x):
            def grad(upstream):
                return upstream * tf.stop_gradient(x)

            return 0.5 * tf.square(x), grad


        def loss(y_true, y_pred):
            return tf.reduce_mean(half_square(y_pred - y_true), axis=-1)

    Use instead
    -----------
    Write the gradient with ops that have a derivative themselves, or leave it to TensorFlow:

        def loss(y_true, y_pred):
            return tf.reduce_mean(0.5 * tf.square(y_pred - y_true), axis=-1)

    References
    ----------
    - TensorFlow guide: Advanced automatic differentiation, sections Higher-order gradients and
      Custom gradients.
    - TensorFlow API documentation: tf.custom_gradient, section on nested gradients.
    - B. A. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6(1), 1994.
    """

    code = "LC106"
    slug = "second-order"
    forms = {
        "missing": Severity.WARNING,
        "nonfinite": Severity.WARNING,
        "wrong": Severity.WARNING,
    }
    masked_by = ("LC102",)
    decisive = False  # value and gradient are what they are
    shown_by = Shown.SECOND_DERIVATIVE
    pinned = Pin.RUNS

    def left_out(self, settings: Settings) -> str:
        """Ask for the second derivative."""
        return "" if settings.order > 1 else "ask with --order 2"

    def judge(self, second_order: Sequence[SecondOrderCheck]) -> Judgment:
        """Name the cases whose second derivative is not that of the loss."""
        told: set[str] = set()  # what one sample shows is not told of a batch once more
        for check in second_order:
            facts = {
                "op": check.cut.op,
                "custom": check.cut.custom,
                "reason": check.error,
                "location": check.cut.location,
            }
            if check.error:
                yield Suspect(
                    code=self.code,
                    form="missing",
                    direction=Direction.BACKWARD,
                    location=check.cut.location,
                    facts=facts,
                )
                return
            wrong = check.wrong_along.any(axis=1)
            nonfinite = check.nonfinite_along.any(axis=1)
            form = "missing" if check.missing else "wrong"
            for name, found, known in ((form, wrong, facts), ("nonfinite", nonfinite, {})):
                if found.any() and name not in told:
                    told.add(name)
                    yield Crowd(
                        code=self.code,
                        form=name,
                        population=check,
                        members=np.flatnonzero(found),
                        direction=Direction.BACKWARD,
                        facts=known,
                    )

    def undecided(self, evidence: Mapping[str, Any]) -> str:
        """Say so where there was nothing to derive, or no direction was decided."""
        second = evidence["second_order"]
        if not second:
            return "no verified gradient to take differences of, or none that can be derived again"
        return "" if any(check.decided.any() for check in second) else UNDECIDED

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        at = wording.at(suspect.inputs)
        if suspect.form == "nonfinite":
            return _nonfinite(suspect, blame, at)
        reason = suspect.facts.get("reason", "")
        if reason:
            return (
                "TensorFlow raises instead of giving a second derivative.",
                f"{reason}{'' if reason.endswith('.') else '.'}",
                _fix(suspect, blame),
            )
        got, want = _pair(suspect)
        why = _why(suspect, blame)
        if suspect.form == "missing":
            numbers = f", and differences of the gradient give {want}" if want else ""
            return (
                f"The second derivative is missing{at}.",
                f"H·v, the gradient of gradient·v, is None{numbers}{why}.",
                _fix(suspect, blame),
            )
        numbers = "H·v, the gradient of gradient·v, is not what differences of the gradient give"
        if got:
            numbers = f"H·v is {got}, differences of the gradient give {want}"
        return (
            f"The second derivative is not that of the loss{at}.",
            f"{numbers}{why}. The gradient itself was verified.",
            _fix(suspect, blame),
        )


def _pair(suspect: Suspect) -> tuple[str, str]:
    """H·v as TensorFlow and as differences have it, where they differ most; None counts as 0."""
    product, numeric = suspect.facts.get("product"), suspect.facts.get("numeric")
    if product is None and numeric is not None:
        product = np.zeros_like(np.asarray(numeric, np.float64))
    return worst_pair(product, numeric)


def _why(suspect: Suspect, blame: Blame) -> str:
    op = suspect.facts.get("op", "")
    if op:
        where = blame.expression or "the gradient"
        if op == "StopGradient":
            where = blame.operands[0] if blame.operands else "the slope"
        other = f"TensorFlow has no derivative of {op}, which the gradient takes"
        return f": {_CUTS.get(op, other).format(where=where)}"
    if suspect.facts.get("custom"):
        return ": the gradient function of the tf.custom_gradient has another derivative"
    return ""


def _fix(suspect: Suspect, blame: Blame) -> str:
    op, custom = suspect.facts.get("op", ""), suspect.facts.get("custom")
    if op == "StopGradient":
        x = blame.operands[0] if blame.operands else "x"
        return (
            f"{x}  # without tf.stop_gradient\n"
            "# A gradient function is itself derived where a second derivative is taken."
        )
    if custom:
        return (
            "return upstream * slope  # the slope written with TensorFlow ops, of the operand\n"
            "# Or remove the custom gradient and let TensorFlow differentiate the formula."
        )
    return (
        f"{blame.expression or 'loss'}  # write this with other ops\n"
        "# If nothing takes second derivatives of this loss, leave --order 2 away."
    )


def _nonfinite(suspect: Suspect, blame: Blame, at: str) -> Words:
    where = f" of {blame.expression}" if blame.expression else ""
    cause = (
        f"The second derivative{where} is not finite, though loss and gradient are, and "
        "differences of the gradient settle on a finite number"
    )
    _, want = _pair(suspect)
    if want:
        cause += f", {want}"
    x = blame.operands[0] if blame.operands else "x"
    fix = f"{blame.expression or 'loss'}  # write this with ops that stay finite when derived twice"
    if blame.op in _ROOTS and blame.operands:
        safe = _ROOTS[blame.op].format(power=blame.operands[-1])
        fix = (
            f"safe = tf.where({source.summand(x)} > 0.0, {x}, 1.0)\n"
            f"tf.where({source.summand(x)} > 0.0, {safe}, 0.0)\n"
            "# Choosing the result afterwards does not help: make the operand safe first."
        )
    return f"The second derivative is NaN or infinite{at}.", f"{cause}.", fix
