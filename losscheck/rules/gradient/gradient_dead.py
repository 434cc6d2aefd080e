"""LC103: the gradient is 0 where there is something to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.advice.functions import FLAT, NO_SLOPE, SURROGATE
from losscheck.model import Direction, Kind, Severity, Suspect
from losscheck.rules.base import Doubt, Pin, Rule, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.dead import DeadGradients
    from losscheck.model import Array
    from losscheck.rules.base import Arguments, Judgment, Words

MOST = 0.5  # share of the ordinary cases (design.md, LC103)
PART = 0.01  # share from which a clip lies inside the ordinary range, and is no matter of rounding
_LOGITS = {
    "probability": "tf.nn.sigmoid_cross_entropy_with_logits(labels={label}, logits=logits)",
    "simplex": "tf.nn.softmax_cross_entropy_with_logits(labels={label}, logits=logits)",
}
ENDS = ("low", "high")
VANISHING = "# Otherwise nothing needs to change: the true gradient is nearly 0 there."


class GradientDead(Rule):
    """The gradient of a sample is exactly 0 while its loss is large.

    What it does
    ------------
    Finds samples whose whole gradient is 0 throughout a neighborhood of the prediction while
    their loss lies above the 25th percentile of the losses of ordinary points and another
    prediction beside the same labels has a lower one. A gradient that is 0 at one point only, such
    as the top of a hill, is not reported, and neither is a sample that a label leaves out or whose
    loss is bounded there from below. It is a note where the true gradient is too small for float32.

    Where samples depend on each other it looks at whole batches, too: at labels of one class only,
    or all equal, some losses are constant, which is a warning. How many of the ordinary cases are
    dead is then a matter of batches, for the statistics of a single sample are often constant.

    It is a warning at single points, typically a clip that saturates for a prediction that is
    confidently wrong. It is an error if the gradient is dead in over half of the ordinary
    cases, or over a whole part of the ordinary range, and 0 in more digits as well. Of boxes that
    nobody declared it stays a warning: how often they meet, only training says.

    Of a compiled model it looks at what each output's loss teaches the weights: nothing for any
    batch, at the start and near it, is an error. A single weight whose gradient stays 0 is a
    warning.

    Why it matters
    --------------
    The samples that the model gets most wrong are the ones it should learn most from. With a
    gradient of exactly 0 it learns nothing from them, and nothing tells: the loss is finite and
    large.

    Example
    -------
    The clip has slope 0 outside its range, so y_true = 1 with y_pred = 0 costs 16 and moves
    nothing:

        def loss(y_true, y_pred):
            p = tf.clip_by_value(y_pred, 1e-7, 1.0 - 1e-7)
            ce = y_true * tf.math.log(p) + (1.0 - y_true) * tf.math.log(1.0 - p)
            return -tf.reduce_mean(ce, axis=-1)

    Use instead
    -----------
    Let the model return logits. This form is finite for all of them and its slope is
    sigmoid(logits) - y_true:

        def loss(y_true, logits):
            ce = tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=logits)
            return tf.reduce_mean(ce, axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.clip_by_value, tf.nn.sigmoid_cross_entropy_with_logits.
    - tensorflow/addons issue 693; tensorflow/tensorflow issue 89110.
    """

    code = "LC103"
    slug = "gradient-dead"
    forms = {
        "vanishing": Severity.NOTE,
        "point": Severity.WARNING,
        "batch": Severity.WARNING,
        "region": Severity.ERROR,
        "most": Severity.ERROR,
    }
    masked_by = ("LC102",)
    trail = Trail.ZERO
    inherent_where_small = True
    pinned = Pin.SLOPE
    doubt = Doubt.FLAT

    def judge(self, dead: DeadGradients | None, dead_batches: DeadGradients | None) -> Judgment:
        """Name the samples and the batches whose gradient is 0 at a large loss."""
        if dead is None:
            return
        share = (dead_batches or dead).share
        form = "most" if share > MOST else "region" if share > PART else "point"
        if dead.dead.any():
            yield self._crowd(form, dead, dead.dead, share)
        elif dead_batches is not None and dead_batches.dead.any():
            yield self._crowd("batch", dead_batches, dead_batches.dead, share)
        for named, members in (("point", dead.rounded), ("vanishing", dead.vanishing)):
            if members.any():
                yield self._crowd(named, dead, members, share)

    def _crowd(self, form: str, dead: DeadGradients, members: Array, share: float) -> Crowd:
        return Crowd(
            code=self.code,
            form=form,
            population=dead,
            members=np.flatnonzero(members),
            direction=Direction.BACKWARD,
            facts={"share": share},
            mode=dead.sweep.mode,
            dtype=dead.sweep.dtype,
        )

    def alike(self, form: str, other: str) -> bool:
        """Most forms are shares of a whole population, which a single case is not."""
        return form == other or "vanishing" not in (form, other)

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        loss = f"is {wording.array(suspect.value)}" if suspect.value is not None else "is large"
        facts = suspect.facts
        extent = _extent(suspect, arguments)
        if suspect.form == "most" and "share" in facts:
            extent += f" This is so in {100 * float(facts['share']):.0f}% of the ordinary cases."
        what = "batch" if suspect.form == "batch" else "sample"
        why = FLAT.get(blame.op, "the slope on the way back is 0")
        where = f" at {blame.expression}" if blame.expression else ""
        if suspect.kind is Kind.INHERENT:
            return (
                f"The gradient is exactly 0 where the loss {loss}{wording.at(suspect.inputs)}.",
                f"The true one is not 0, but too small for {suspect.dtype}.",
                VANISHING,
            )
        return (
            f"The gradient is exactly 0 where the loss {loss}{wording.at(suspect.inputs)}.",
            f"Nothing is learned from such a {what}{where}: {why}.{extent}",
            _with_slope(blame, arguments),
        )

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what is clipped without the clip."""
        from losscheck.advice.functions import unclipped  # `losscheck rules` does without

        return tuple(unclipped(blame.expression))


def _extent(suspect: Suspect, arguments: Arguments) -> str:
    """Say how far the prediction moves without a gradient."""
    facts = suspect.facts
    if not {"low", "high"} <= set(facts):
        return ""
    name = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
    element = facts.get("element", ())
    what = f"{name}{list(element)}" if element else name
    low, high = (None if facts[end] is None else wording.number(facts[end]) for end in ENDS)
    if low is None and high is None:
        where = ""
    elif low is not None and low == high:
        return ""
    elif high is None:
        where = f" from {low} on"
    else:
        where = f" up to {high}" if low is None else f" from {low} to {high}"
    held = ", the others held" if element else ""
    return f" It is 0 for every {what}{where}{held}."


def _with_slope(blame: Blame, arguments: Arguments) -> str:
    label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
    domain = next((a.domain for a in arguments if a.role == "y_pred"), "")
    domain = {"Sigmoid": "probability", "Softmax": "simplex"}.get(blame.op, domain)
    if domain in _LOGITS:
        return (
            f"{_LOGITS[domain].format(label=label)}\n"
            "# Let the model return logits: no clip is needed, and a wrong answer always has a "
            "slope."
        )
    if blame.op == "Relu" and blame.operands:
        return f"tf.math.softplus({blame.operands[0]})  # in place of {blame.expression}"
    if blame.op in NO_SLOPE:
        x = blame.operands[0] if blame.operands else "x"
        return f"{NO_SLOPE[blame.op][1].format(x=x, y='0.5')}\n{SURROGATE}".strip()
    return sloped(arguments)


def sloped(arguments: Arguments) -> str:
    """Write a loss that keeps its slope far off, where one number is compared with another."""
    label, pred = (next((a for a in arguments if a.role == r), None) for r in ("y_true", "y_pred"))
    if label is None or pred is None or label.shape != pred.shape:
        return "# Take another form of the loss, one that grows more slowly and keeps its slope."
    return (
        f"tf.keras.losses.huber({label.name}, {pred.name})\n"
        "# Or another form that grows more slowly and keeps its slope."
    )
