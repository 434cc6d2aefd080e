"""Words for a gradient that is not the derivative (LC101)."""

from __future__ import annotations

from typing import Any

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.blamed import Blame
from losscheck.model import Direction, Suspect

Words = tuple[str, str, str]  # message, cause, fix


def mismatch(suspect: Suspect, blame: Blame) -> Words:
    """LC101."""
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
            f"tf.where({source.summand(x)} >= 0.0, upper, lower)  # the slope of one side at the "
            f"tie\n# In place of {blame.expression or 'the op with the tie'}.",
        )
    if suspect.form == "upstream":
        return _upstream(suspect, got, want)
    if suspect.form == "stop-gradient":
        part = blame.operands[0] if blame.operands else "a part that depends on the prediction"
        if suspect.facts.get("reread"):
            return (
                f"The gradient takes what a variable was assigned for constant{at}.",
                f"{numbers}. With the variable held still it is right: no gradient goes through "
                "one.",
                "# Go on with the tensor that is assigned, not with the variable.\n# If the cut is "
                "meant, ignore LC101 for this loss and give the reason.",
            )
        return (
            f"The gradient takes {part} for constant{at}: a tf.stop_gradient cuts it off.",
            f"{numbers}. With {part} held still it is right: the cut alone makes the difference.",
            f"{x}  # without tf.stop_gradient\n# If the cut is meant, ignore LC101 for this loss "
            "and give the reason.",
        )
    if suspect.form == "symmetric":
        return _symmetric(blame, at, numbers)
    cause, fix = reason(blame)
    if suspect.facts.get("single"):
        cause = f" In float64 it is: the loss does something else in float32.{cause}"
    return f"The gradient is not the derivative of the loss{at}.", f"{numbers}.{cause}", fix


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
    if blame.op in ("IdentityN", "") or _handwritten(blame):
        return " It comes from a tf.custom_gradient." if blame.op else "", (
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


def worst_pair(got: Any, want: Any) -> tuple[str, str]:
    """Pick the coordinate in which two gradients differ most."""
    if got is None or want is None:
        return "", ""
    a, b = np.ravel(np.asarray(got, dtype=float)), np.ravel(np.asarray(want, dtype=float))
    if a.shape != b.shape or a.size == 0:
        return wording.array(got), wording.array(want)
    gap = np.abs(a - b)
    index = int(np.argmax(np.where(np.isnan(gap), -1.0, gap)))
    return wording.number(a[index]), wording.number(b[index])
