"""What the rules say of the weights of a compiled model: the same codes, judged down to them.

These stand beside the rules of a loss: a model's report asks the question of each code of every
trainable weight, from where the model starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.advice.functions import FLAT, NO_SLOPE, SURROGATE
from losscheck.model import Direction, Range, Severity, Suspect
from losscheck.rules.base import Trail
from losscheck.rules.gradient.gradient_dead import GradientDead
from losscheck.rules.gradient.gradient_mismatch import GradientMismatch, reason
from losscheck.rules.gradient.gradient_missing import GradientMissing
from losscheck.rules.model import (
    WeightForwardInf,
    WeightForwardNan,
    WeightGradientInf,
    WeightGradientNan,
    WeightRule,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.keras.weights import Moment, WeightEvidence
    from losscheck.model import Array
    from losscheck.program.tracing.wiring import Node, Wiring
    from losscheck.rules.base import Arguments, Judgment, Words


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


_GUESSED = (
    " But the loss takes no notice of the labels that it was given: declare their shape and domain "
    "with @losscheck.spec if they are others."
)


class WeightMismatch(WeightRule, of=GradientMismatch):
    """The gradient by a weight is not the derivative (LC101)."""

    forms = {
        "mismatch": Severity.ERROR,
        "stop-gradient": Severity.WARNING,  # written by hand, it may be on purpose
    }
    masked_by = ("LC201", "LC202", "LC203", "LC204")
    by_derivative = True

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say how far a gradient is from the derivative."""
        names = suspect.facts["names"]
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

    def judge(self, weights: WeightEvidence) -> Judgment:
        """Name the weights whose gradient differences contradict."""
        for stopped in (False, True):
            wrong = [w for w in weights.slopes.wrong if w.stopped is stopped]
            if not wrong:
                continue
            worst = max(wrong, key=lambda w: abs(w.slope - w.derivative))
            yield Suspect(
                code=self.code,
                form="stop-gradient" if stopped else "mismatch",
                facts={
                    "weights": tuple(w.weight for w in wrong),
                    "moment": weights.near[0],
                    "worst": worst.weight,
                    "worst_name": weights.objective.weights[worst.weight].name,
                },
                range=Range.ORDINARY,
                direction=Direction.BACKWARD,
                gradient=worst.slope,
                expected_gradient=worst.derivative,
                expected_text="the derivative along a direction in this weight",
            )


class WeightMissing(WeightRule, of=GradientMissing):
    """No gradient reaches a weight (LC102)."""

    forms = {
        "none": Severity.ERROR,
        "weight": Severity.ERROR,
        "output": Severity.ERROR,
        # Some that nothing reaches may be meant so, and Keras says so too.
        "weight-stopped": Severity.WARNING,
        "unused": Severity.WARNING,
    }
    trail = Trail.KNOWN

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what keeps a gradient from weights."""
        names = suspect.facts["names"]
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
            reached = f"No gradient of {suspect.facts['output']} reaches any weight of the model."
        return reached, f"The last path to the loss is cut{where}: {why}.", fix

    def judge(self, weights: WeightEvidence) -> Judgment:
        """Name the weights that no gradient reaches, by what keeps it from them."""
        whole = weights.objective
        missing = [
            i
            for i, pair in enumerate(zip(whole.gradients, weights.training.gradients, strict=True))
            if pair == (None, None)
        ]
        groups: dict[tuple[str, str], list[int]] = {}
        for i in missing:
            block = blocking(whole.wiring(i))
            name = "" if block is None else block.name
            stopped = block is not None and block.type == "StopGradient"
            form = "unused" if block is None else "weight-stopped" if stopped else "weight"
            groups.setdefault((form, name), []).append(i)
        none = len(missing) == len(whole.gradients)
        for (form, name), members in groups.items():
            yield Suspect(
                code=self.code,
                form="none" if none else form,
                facts={
                    "weights": tuple(members),
                    "moment": weights.start[0],
                    "blocked": name,
                    "unused": form == "unused",
                },
                range=Range.ORDINARY,
                direction=Direction.BACKWARD,
            )
        if not none:
            yield from self._outputs(weights)

    def _outputs(self, weights: WeightEvidence) -> Iterator[Suspect]:
        for k, share in enumerate(weights.objective.shares):
            if any(name is not None for name in share) or not moves(weights, k):
                continue
            block = next(
                (
                    found
                    for i in range(len(share))
                    if (found := blocking(weights.objective.wiring(i))) is not None
                ),
                None,
            )
            yield Suspect(
                code=self.code,
                form="output",
                facts={
                    "weights": (),
                    "part": k,
                    "moment": weights.start[0],
                    "blocked": "" if block is None else block.name,
                },
                range=Range.ORDINARY,
                direction=Direction.BACKWARD,
            )


class WeightDead(WeightRule, of=GradientDead):
    """The gradient by a weight, or all that comes by way of an output, is exactly 0 (LC103)."""

    forms = {
        "most": Severity.ERROR,
        "output": Severity.ERROR,
        "weight": Severity.WARNING,
        "stuck": Severity.WARNING,
    }
    trail = Trail.ZERO
    masked_by = ("LC201", "LC202", "LC203", "LC204")

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say why the gradient by weights is 0."""
        names = suspect.facts["names"]
        if suspect.form == "stuck":
            return (
                f"The gradient by {names} is exactly 0, and stays 0 as the model is trained.",
                "It starts where weights that multiply each other are all 0, so that none of them "
                "moves another; a little off it the gradient is there.",
                'kernel_initializer="glorot_uniform"  # for one of the layers that start at 0',
            )
        what = f"The gradient by {names} is exactly 0"
        if suspect.form == "output":
            what = f"All that the model learns from {suspect.facts['output']} is exactly 0"
        elif suspect.form == "most":
            what = "The gradient by every weight of the model is exactly 0"
        why = FLAT.get(blame.op, "the slope on the way back is 0")
        where = f" at {blame.expression}" if blame.expression else ""
        x = blame.operands[0] if blame.operands else "x"
        guessed = "" if suspect.certain else _GUESSED
        return (
            f"{what} for every batch, at the start and near it, while the loss is "
            f"{wording.number(suspect.value)}.",
            f"The backward pass ends{where}: {why}.{guessed}",
            _SLOPED.get(blame.op, _WIDER).format(x=x),
        )

    def judge(self, weights: WeightEvidence) -> Judgment:
        """Name outputs and weights whose gradient is 0 for every batch, and near the start too."""
        start, near = weights.start, weights.near
        if not any(moment.run.value for moment in start):
            return  # nothing to learn: the loss is 0
        explained: set[int] = set()
        for k, share in enumerate(weights.objective.shares):
            reached = [i for i, name in enumerate(share) if name is not None]
            if not any(moment.run.parts[k] for moment in start):
                continue  # this loss is 0 as it is
            if reached and _zero(m.run.shares[k][i] for m in (*start, *near) for i in reached):
                explained.update(reached)
                yield self._suspect("output", (), weights, start[0], share[reached[-1]], k)
        rest = [
            i
            for i, name in enumerate(weights.objective.gradients)
            if name is not None and i not in explained
            if _zero(m.run.gradients[i] for m in (*start, *weights.trained, *weights.after))
        ]
        dead = [i for i in rest if _zero(m.run.gradients[i] for m in near)]
        moved = len(weights.trained) > 1
        stuck = [i for i in rest if i not in dead] if moved else []
        every = len(dead) == len(weights.objective.gradients)
        for form, members in (("most" if every else "weight", dead), ("stuck", stuck)):
            if members:
                end = weights.objective.gradients[members[-1]]
                yield self._suspect(form, tuple(members), weights, start[0], end, None)

    def _suspect(
        self,
        form: str,
        members: tuple[int, ...],
        weights: WeightEvidence,
        moment: Moment,
        tensor: str | None,
        part: int | None,
    ) -> Suspect:
        return Suspect(
            code=self.code,
            form=form,
            facts={"weights": members, "moment": moment, "tensor": tensor, "part": part},
            range=Range.ORDINARY,
            direction=Direction.BACKWARD,
            value=moment.run.value,
            count=len(weights.start),
            # A loss that takes no notice of its labels was given those of another layout, it seems.
            certain=part is None or weights.looks_at_labels(part),
        )


WEIGHT_RULES: tuple[WeightRule, ...] = (
    WeightForwardNan(),
    WeightForwardInf(),
    WeightGradientNan(),
    WeightGradientInf(),
    WeightMissing(),
    WeightDead(),
    WeightMismatch(),
)
"""In the order in which they are asked: what is not finite masks the others."""


def blocking(graph: Wiring) -> Node | None:
    """The first operation on the way from a weight to the loss that has no gradient.

    None where the loss does not depend on the weight at all.
    """
    depends = graph.depends(graph.prediction)
    if graph.value not in depends:
        return None
    for node in graph.forward:
        if not depends.isdisjoint(node.inputs) and not node.differentiable:
            return node
    return None


def moves(weights: WeightEvidence, part: int) -> bool:
    """Say whether the output of a loss depends on any trainable weight."""
    output = weights.objective.outputs[weights.compiled.parts[part].output]
    return output in weights.objective.depending


def _zero(gradients: Iterable[Array | None]) -> bool:
    return all(g is None or not np.any(g) for g in gradients)
