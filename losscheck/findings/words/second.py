"""Words for a second derivative that is missing, not finite or wrong (LC106)."""

from __future__ import annotations

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.blamed import Blame
from losscheck.findings.words.gradient import worst_pair
from losscheck.model import Suspect

Words = tuple[str, str, str]  # message, cause, fix

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


def words(suspect: Suspect, blame: Blame) -> Words:
    """LC106; facts: direction, product, numeric, and op, custom, reason of what cuts the way."""
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
