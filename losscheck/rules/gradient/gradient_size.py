"""LC107: gradients of a size that no optimiser can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import source, wording
from losscheck.model import Direction, Severity, Suspect
from losscheck.rules.base import Pin, Rule, Trail
from losscheck.rules.crowd import Crowd
from losscheck.rules.gradient.gradient_dead import sloped

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.gradient.gradient_sizes import GradientSizes
    from losscheck.model import Finding
    from losscheck.rules.base import Arguments, Judgment, Words

_SATURATED = frozenset({"Sigmoid", "Tanh", "Softmax", "Exp", "Erf", "Softplus"})
_QUOTIENTS = frozenset({"RealDiv", "Div", "DivNoNan"})
_POLES = frozenset({"Log", "Log1p", "Sqrt", "Rsqrt", "Pow", "Reciprocal", "Inv", "Atan2"})
_ELSEWHERE = "# Keep what the slope grows with away from where it does so.\n"
_HIDDEN = "# Or compute from logits. Clipping the norm of the gradient hides it only."
_LOGITS = (
    "tf.nn.sigmoid_cross_entropy_with_logits(labels={label}, logits=logits)\n"
    "# Or another loss of the logits: its slope does not go through the saturated function."
)


FAINT = " where the loss is "  # in the message of a faint gradient


class GradientSize(Rule):
    """The gradient is finite, but a million times larger or smaller than ordinary ones.

    What it does
    ------------
    Compares the gradient of every case of one sample with the ordinary scale: the median over
    ordinary points. It reports gradients above a million times that scale where no input is
    larger than ordinary inputs are, so that a spike and no growth is behind it; and gradients
    that are not 0 but below a millionth of it, here and all around, while the loss is large.
    Gradients that are exactly 0 belong to LC103.

    Why it matters
    --------------
    One spike in one sample moves all weights by what a million steps would; Adam's second moment
    remembers it for thousands of steps. A saturated loss is the opposite: the worst predictions
    are those that nothing is learned from.

    Example
    -------
    The slope of 1 / distance at a near-duplicate is its inverse square:

        def loss(y_true, y_pred):
            distance = tf.abs(y_true - y_pred) + 1e-7
            return tf.reduce_mean(1.0 / distance, axis=-1)

    Use instead
    -----------
    Bound the slope by a margin of the size that matters:

        def loss(y_true, y_pred):
            distance = tf.abs(y_true - y_pred)
            return tf.reduce_mean(1.0 / (distance + 0.1), axis=-1)

    References
    ----------
    - R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks,
      ICML 2013 (clipping).
    - TensorFlow API documentation: tf.clip_by_norm; Keras documentation: optimizer argument
      clipnorm.
    """

    code = "LC107"
    slug = "gradient-size"
    forms = {
        "huge": Severity.WARNING,
        "faint": Severity.WARNING,
    }
    masked_by = ("LC102",)
    absent = ("gradient_sizes", "the loss has no gradient")
    trail = Trail.GAIN
    few = True
    pinned = Pin.OWN

    def judge(self, gradient_sizes: GradientSizes | None) -> Judgment:
        """Name the gradients of unusual size."""
        if gradient_sizes is None:
            return
        for form in ("huge", "faint"):
            members = np.flatnonzero(getattr(gradient_sizes, form))
            if len(members):
                yield Crowd(
                    code=self.code,
                    form=form,
                    population=gradient_sizes,
                    members=members,
                    direction=Direction.BACKWARD,
                    facts={"ordinary": gradient_sizes.sweep.scale.gradient},
                    mode=gradient_sizes.sweep.mode,
                    dtype=gradient_sizes.sweep.dtype,
                )

    def asserts(self, finding: Finding, prediction: str) -> tuple[str, ...]:
        """Ask for a tenth of what is huge, and for ten times what is faint."""
        if finding.observed.gradient is None:
            return ()
        size = float(np.abs(np.asarray(finding.observed.gradient, np.float64)).max(initial=0.0))
        run = f'_, gradient = run("{finding.mode}", {", ".join(finding.inputs)})'
        if not np.isfinite(size):
            return ()
        if FAINT not in finding.message:
            return run, f"assert np.abs(gradient).max() <= {size / 10:.3g}  # of {size:.3g}"
        return run, f"assert np.abs(gradient).max() >= {size * 10:.3g}  # of {size:.3g}"

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
        where = f" at {blame.expression}" if blame.expression else ""
        largest = None if suspect.gradient is None else float(np.abs(suspect.gradient).max())
        given = "far from ordinary" if largest is None else wording.number(largest)
        ordinary = suspect.facts.get("ordinary")
        usual = "" if ordinary is None else f" {wording.number(ordinary)} is ordinary."
        at = wording.at(suspect.inputs)
        if suspect.form == "huge":
            steep = blame.operands[1:] if blame.op in _QUOTIENTS else blame.operands  # what nears 0
            bounded = [x for x in steep if not source.is_number(x)]
            write = _ELSEWHERE
            if bounded and blame.op in (*_QUOTIENTS, *_POLES):
                write = f"tf.maximum({bounded[0]}, 1e-3)  # in place of {bounded[0]}: a bound"
                write += " of the size that matters\n"
            times = ""
            if largest is not None and ordinary is not None:
                times = f", {wording.number(largest / ordinary)} times the ordinary one"
            return (
                f"The gradient is {given}{times}{at}.",
                f"Nothing keeps the slope{where} small there.{usual} One such sample outweighs "
                "the batch.",
                write + _HIDDEN,
            )
        fix = _LOGITS if blame.op in _SATURATED else sloped(arguments)
        loss = "large" if suspect.value is None else wording.array(suspect.value)
        return (
            f"The gradient is {given}{FAINT}{loss}{at}.",
            f"Next to nothing is learned from such a sample{where}.{usual}",
            fix.replace("{label}", label),
        )
