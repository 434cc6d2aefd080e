"""Rules about the weights of a compiled model: what they share, their words, NaN and Inf."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.advice.functions import FLAT, NO_SLOPE, SURROGATE
from losscheck.model import Direction, Range, Severity, Suspect
from losscheck.rules.base import Rule
from losscheck.rules.gradient.gradient_mismatch import reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.keras.weights import Moment, WeightEvidence
    from losscheck.model import Array
    from losscheck.rules.base import Judgment, Words


NAMED = 3  # weights that a sentence names; the others are counted

_SLOPED = {
    "Relu": "tf.nn.leaky_relu({x})  # keeps a slope below 0\n"
    "# Or start where it is above 0: a smaller, or no, negative bias.",
    **dict.fromkeys(
        ("Sigmoid", "Softmax", "Tanh"),
        "# Let the layer in front start smaller, or hand on its result as logits to a loss with\n"
        "# from_logits=True.",
    ),
    **dict.fromkeys(
        ("Minimum", "Maximum", "ClipByValue"),
        "{x}  # without the clip\n# Or clip where no prediction of the model lies at the start.",
    ),
}
_WIDER = "# Write this with an operation that has a slope where the model starts."
DIVERGED = 1e3  # weights beyond this, and beyond as many times their first size, have run away


class WeightRule(Rule):
    """A rule about weights: its words name them, and the output that it is about."""

    def told(self, suspect: Suspect, blame: Blame, names: str, output: str) -> Words:
        """Say what is wrong, why, and what to write instead.

        Parameters
        ----------
        suspect
            What this rule says of the weights.
        names
            Of the weights, as a sentence lists them.
        output
            The target of the loss whose output it is about; "" where it is about none.
        """
        raise NotImplementedError


def listed(names: Sequence[str]) -> str:
    """Name the first weights and count the others."""
    shown = list(names[:NAMED])
    more = len(names) - len(shown)
    return wording.listed([*shown, *([f"{more} more"] if more else [])], "and")


def _when(suspect: Suspect) -> str:
    moment = suspect.facts["moment"]
    mode = ", called as in training," if moment.training else ""
    if not moment.steps:
        return f"{mode} at the start"
    return f"{mode} after {moment.steps} step{'s' if moment.steps > 1 else ''} of training"


def nonfinite_words(suspect: Suspect, blame: Blame, names: str, output: str) -> Words:
    """Say what is not finite, and since when."""
    bad = "NaN" if suspect.form == "nan" else "infinite"
    # Its tables are large: `losscheck rules` does without.
    from losscheck.advice import nonfinite

    cause, fix = nonfinite.cause_and_fix(suspect, blame)
    cause = f"{blame.vanished} {cause}".strip() + _unsure(suspect)
    if suspect.direction is Direction.FORWARD:
        return f"The loss of the model is {bad}{_when(suspect)}.", cause, fix
    value = wording.number(suspect.value)
    when = _when(suspect)
    return f"The gradient by {names} is {bad}{when}, while the loss is {value}.", cause, fix


def _unsure(suspect: Suspect) -> str:
    if suspect.certain:
        return ""
    moment = suspect.facts["moment"]
    if moment.steps:
        return " By then the weights have become very large: a smaller learning rate may be enough."
    drawn = wording.listed(sorted(set(moment.batch.domains.values())), "and")
    return f" This needs inputs and labels in {drawn}; other inputs give finite numbers."


def missing_words(suspect: Suspect, blame: Blame, names: str, output: str) -> Words:
    """Say what keeps a gradient from weights."""
    if suspect.facts.get("unused"):
        return (
            f"The loss does not depend on {names}: training never changes "
            f"{'it' if ' ' not in names else 'them'}.",
            "No path leads from there to what the model is trained on.",
            "layer.trainable = False  # says so\n"
            "# Or give the output that it leads to a loss, or take the layer out.",
        )
    why, write = NO_SLOPE.get(blame.op, ("no op on the way has a slope", ""))
    where = f" in {blame.expression}" if blame.expression else ""
    x, y = (*blame.operands, "x", "0.5")[:2] if blame.operands else ("x", "0.5")
    fix = f"{write.format(x=x, y=y)}\n{SURROGATE}" if write else SURROGATE
    reached = f"No gradient reaches {names}: it is None."
    if suspect.form == "none":
        reached = "No gradient reaches any weight of the model: all are None."
    elif suspect.form == "output":
        reached = f"No gradient of {output} reaches any weight of the model."
    return reached, f"The last path to the loss is cut{where}: {why}.", fix


def dead_words(suspect: Suspect, blame: Blame, names: str, output: str) -> Words:
    """Say why the gradient by weights is 0."""
    if suspect.form == "stuck":
        return (
            f"The gradient by {names} is exactly 0, and stays 0 as the model is trained.",
            "It starts where weights that multiply each other are all 0, so that none of them "
            "moves another; a little off it the gradient is there.",
            'kernel_initializer="glorot_uniform"  # for one of the layers that start at 0',
        )
    what = f"The gradient by {names} is exactly 0"
    if suspect.form == "output":
        what = f"All that the model learns from {output} is exactly 0"
    elif suspect.form == "most":
        what = "The gradient by every weight of the model is exactly 0"
    why = FLAT.get(blame.op, "the slope on the way back is 0")
    where = f" at {blame.expression}" if blame.expression else ""
    x = blame.operands[0] if blame.operands else "x"
    guessed = ""
    if not suspect.certain:
        guessed = (
            " But the loss takes no notice of the labels that it was given: declare their shape "
            "and domain with @losscheck.spec if they are others."
        )
    return (
        f"{what} for every batch, at the start and near it, while the loss is "
        f"{wording.number(suspect.value)}.",
        f"The backward pass ends{where}: {why}.{guessed}",
        _SLOPED.get(blame.op, _WIDER).format(x=x),
    )


def mismatch_words(suspect: Suspect, blame: Blame, names: str, output: str) -> Words:
    """Say how far a gradient is from the derivative."""
    worst = suspect.facts["worst_name"]
    got, want = wording.number(suspect.gradient), wording.number(suspect.expected_gradient)
    numbers = f"Along a direction in {worst} the gradient is {got}, the derivative {want}"
    if suspect.form == "stop-gradient":
        return (
            f"The gradient by {names} takes a part for constant: tf.stop_gradient cuts it off.",
            f"{numbers}. With what goes through tf.stop_gradient held still it is right.",
            "# Take the tf.stop_gradient out.\n"
            "# If it is meant so, ignore LC101 for this model and give the reason.",
        )
    cause, fix = reason(blame)
    fix += "\n# If it is meant so, ignore LC101 for this model and give the reason."
    wrong = f"The gradient by {names} is not the derivative of the loss."
    return wrong, f"{numbers}.{cause}", fix


class _NonfiniteRule(WeightRule):
    form: str

    def told(self, suspect: Suspect, blame: Blame, names: str, output: str) -> Words:
        """Say what is wrong, why, and what to write instead."""
        return nonfinite_words(suspect, blame, names, output)

    def _shows(self, numbers: Array | float) -> bool:
        """Whether there is a NaN, or an infinity and no NaN, which comes first."""
        nan = bool(np.isnan(numbers).any())
        return nan if self.form == "nan" else not nan and bool(np.isinf(numbers).any())


class _ValueRule(_NonfiniteRule):
    """The loss is not finite at the start or after a few steps of training."""

    def judge(self, weights: WeightEvidence) -> Judgment:
        """Name the first moments at which the loss is not finite."""
        found = [m for m in _stages(weights) if self._shows(m.run.value)]
        if found:
            yield Suspect(
                code=self.code,
                form=self.form,
                facts={"weights": (), "moment": found[0]},
                range=Range.ORDINARY if found[0].steps == 0 else Range.WORKING,
                value=found[0].run.value,
                count=len(found),
                certain=_certain(weights, found),
            )


class WeightForwardNan(_ValueRule):
    """The loss is NaN (LC201)."""

    code = "LC201"
    slug = "forward-nan"
    forms = {"nan": Severity.ERROR}
    form = "nan"
    nonfinite = frozenset(forms)


class WeightForwardInf(_ValueRule):
    """The loss is infinite (LC202)."""

    code = "LC202"
    slug = "forward-inf"
    forms = {"inf": Severity.ERROR}
    form = "inf"
    nonfinite = frozenset(forms)


class _GradientRule(_NonfiniteRule):
    """The gradient by a weight is not finite while the loss is."""

    def judge(self, weights: WeightEvidence) -> Judgment:
        """Name the weights, at the first moment that shows each."""
        first: dict[int, list[Moment]] = {}
        for moment in _stages(weights):
            if not np.isfinite(moment.run.value):
                continue
            for i, gradient in enumerate(moment.run.gradients):
                if gradient is not None and self._shows(gradient):
                    first.setdefault(i, []).append(moment)
        together: dict[int, list[int]] = {}
        for i, moments in first.items():
            together.setdefault(id(moments[0]), []).append(i)
        for members in together.values():
            moments = first[members[0]]
            yield Suspect(
                code=self.code,
                form=self.form,
                facts={"weights": tuple(members), "moment": moments[0]},
                range=Range.ORDINARY if moments[0].steps == 0 else Range.WORKING,
                direction=Direction.BACKWARD,
                value=moments[0].run.value,
                count=len(moments),
                certain=_certain(weights, moments),
            )


class WeightGradientNan(_GradientRule):
    """The gradient by a weight is NaN while the loss is finite (LC203)."""

    code = "LC203"
    slug = "gradient-nan"
    forms = {"nan": Severity.ERROR}
    form = "nan"
    nonfinite = frozenset(forms)


class WeightGradientInf(_GradientRule):
    """The gradient by a weight is infinite while the loss is finite (LC204)."""

    code = "LC204"
    slug = "gradient-inf"
    forms = {"inf": Severity.ERROR}
    form = "inf"
    nonfinite = frozenset(forms)


def _stages(weights: WeightEvidence) -> Iterator[Moment]:
    """The moments in order: the start, alone and in training, and what comes after steps."""
    yield from weights.start
    yield from weights.trained
    yield from weights.after


def _certain(weights: WeightEvidence, moments: Sequence[Moment]) -> bool:
    """Say whether it is a fact: in each plausible domain of the inputs, with weights near by."""
    if moments[0].steps:
        first = max((float(np.abs(w).max(initial=0.0)) for w in weights.initial), default=0.0)
        now = max(float(np.abs(w).max(initial=0.0)) for w in moments[0].weights)
        return now <= DIVERGED * max(1.0, first)
    if moments[0].training:
        return True
    shown = {tuple(m.batch.domains.values()) for m in moments if not m.steps and not m.training}
    return shown == {tuple(batch.domains.values()) for batch in weights.batches}
