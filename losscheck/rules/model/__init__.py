"""Rules about NaN and Inf in the loss of a compiled model, and in its gradient by weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.model import Direction, Range, Suspect
from losscheck.rules.base import Rule
from losscheck.rules.nonfinite.nonfinite import ForwardInf, ForwardNan, GradientInf, GradientNan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.keras.weights import Moment, WeightEvidence
    from losscheck.model import Array
    from losscheck.rules.base import Arguments, Judgment, Words


NAMED = 3  # weights that a sentence names; the others are counted

DIVERGED = 1e3  # weights beyond this, and beyond as many times their first size, have run away


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


def _unsure(suspect: Suspect) -> str:
    if suspect.certain:
        return ""
    moment = suspect.facts["moment"]
    if moment.steps:
        return " By then the weights have become very large: a smaller learning rate may be enough."
    drawn = wording.listed(sorted(set(moment.batch.domains.values())), "and")
    return f" This needs inputs and labels in {drawn}; other inputs give finite numbers."


class WeightRule(Rule):
    """A rule about weights: it goes by the code of one about losses, and weighs as much."""

    def __init_subclass__(cls, of: type[Rule] | None = None) -> None:
        super().__init_subclass__()
        if of is not None:
            for name in {"code", "slug", "forms", "essential", "nonfinite"} - vars(cls).keys():
                setattr(cls, name, getattr(of, name))


class _NonfiniteRule(WeightRule):
    """The same as of a loss, of the loss and the gradients of a model."""

    form: str

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is not finite, and since when."""
        names = suspect.facts["names"]
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


class WeightForwardNan(_ValueRule, of=ForwardNan):
    """The loss is NaN (LC201)."""

    form = "nan"


class WeightForwardInf(_ValueRule, of=ForwardInf):
    """The loss is infinite (LC202)."""

    form = "inf"


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


class WeightGradientNan(_GradientRule, of=GradientNan):
    """The gradient by a weight is NaN while the loss is finite (LC203)."""

    form = "nan"


class WeightGradientInf(_GradientRule, of=GradientInf):
    """The gradient by a weight is infinite while the loss is finite (LC204)."""

    form = "inf"


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
