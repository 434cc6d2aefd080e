"""LC602: weights that do not weigh the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Pin, Rule, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.graph import GraphFacts
    from losscheck.evidence.keras.sample_weights import Weighed, Weighing
    from losscheck.rules.base import Arguments, Judgment, Words
    from losscheck.rules.evidence import LeftOut

TOLERANCE = 1e-4  # relative difference of float32 results that summation order explains


class SampleWeight(Rule):
    """Weights act otherwise than on the losses of the samples.

    What it does
    ------------
    Takes the loss of each row of ordinary batches, and of the whole batches with uneven weights,
    zeros among them. A loss that takes the weights itself must give one of Keras' reductions of
    the weighted rows: sum, sum_over_batch_size or mean_with_sample_weight (or the sum over the
    number of weights that are not 0). It is an error if it gives none of them, and a warning if
    a part of it is not weighted, or if nothing but its name says that an argument holds weights,
    unless that name is sample_weight, as Keras calls the weights of samples.
    For other losses Keras multiplies what they return, with every reduction; it is a warning if
    that is a scalar or has an axis too many, for then fit's sample_weight and class_weight cannot
    act on the samples. Losses whose samples depend on each other are left out: nothing in them
    belongs to one sample.

    Why it matters
    --------------
    Weights that are ignored or that act as their squares raise nothing, and rare classes stay as
    rare as they were. With a scalar, Keras multiplies the mean loss by the mean weight, masks
    included, and tf.distribute does not divide it by the number of devices. With Keras' default
    reduction a weight of 0 is not the same as dropping the sample: the sum is divided by the size
    of the batch all the same.

    Example
    -------
    The weights are squared together with the errors:

        def loss(y_true, y_pred, sample_weight):
            error = sample_weight[:, None] * (y_true - y_pred)
            return tf.reduce_mean(tf.square(error))

    Use instead
    -----------
    Multiply the losses of the samples, or return them and leave the weights to Keras:

        def loss(y_true, y_pred, sample_weight):
            each = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
            return tf.reduce_mean(sample_weight * each)

    References
    ----------
    - Keras documentation: keras.losses.Loss, argument reduction; Model.fit, arguments
      sample_weight and class_weight.
    - TensorFlow guide: Custom training with tf.distribute.Strategy, section on the loss function.
    """

    code = "LC602"
    slug = "sample-weight"
    forms = {
        "ignored": Severity.ERROR,
        "otherwise": Severity.ERROR,
        "guessed": Severity.WARNING,  # its name alone says that it holds weights
        "part": Severity.WARNING,  # a penalty that no sample is weighted in may be meant
        "scalar": Severity.WARNING,
        "elements": Severity.WARNING,
    }
    masked_by = ("LC404", "LC504", "LC901")
    absent = ("weighing", "there are no weights to look at")
    shown_by = Shown.WEIGHTS
    pinned = Pin.RUNS

    def judge(self, weighing: Weighing | LeftOut, graph: GraphFacts) -> Judgment:
        """Name how the weights act."""
        if not weighing or weighing.formulas:
            return
        form = found = _form(weighing)
        if weighing.guessed and found in ("ignored", "otherwise"):
            form = "guessed"
        case = _telling(weighing)
        returned = form in ("scalar", "elements")
        inputs = dict(case.inputs)
        if weighing.argument:
            inputs[weighing.argument] = case.weights
        yield Suspect(
            code=self.code,
            form=form,
            facts={
                "how": weighing.how,
                "form": found,
                "argument": weighing.argument,
                "weights": case.weights,
                "weight_shape": weighing.shape[1:],
                "returns": weighing.returns,
                "exception": case.error,
                "rows": case.rows,
                "sums": _reductions(case),
                "observed": case.value,
            },
            inputs=inputs,
            range=Range.ORDINARY,
            value=case.value,
            expected_value=_reductions(case)["sum_over_batch_size"],
            expected_text="the mean of weight times loss over the rows",
            location=graph.made_at if returned else weighing.used_at,
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        name = str(facts.get("argument") or "sample_weight")
        weights = wording.array(facts.get("weights", ()))
        numbers = _numbers(facts, weights)
        if suspect.form == "scalar":
            return (
                "The loss returns a scalar, so that Keras' weights cannot act on the samples.",
                f"fit's sample_weight, class_weight and masks multiply the mean loss.{numbers} "
                "Under tf.distribute, Keras does not divide it by the number of devices either.",
                "return tf.reduce_mean(per_element, axis=-1)  # one value a sample: Keras averages",
            )
        if suspect.form == "elements":
            returned = wording.shape(facts.get("returns", ()))
            raised = wording.sentence(facts.get("exception", ""))
            happens = f"It raises: {raised}." if raised else f"They act on the wrong axis.{numbers}"
            return (
                f"The loss returns {returned}, on which weights of the samples do not fit.",
                f"Keras multiplies what the loss returns by weights of shape (B,). {happens}",
                "return tf.reduce_mean(per_element, axis=-1)  # over the last axis: one value a "
                "sample",
            )
        pred = next((a.name for a in arguments if a.role == "y_pred"), "y_pred")
        label = next((a.name for a in arguments if a.role == "y_true"), "y_true")
        fix = (
            f"each = tf.reduce_mean(tf.square({label} - {pred}), axis=-1)  # one value a sample\n"
            f"return tf.reduce_mean({name} * each)"
        )
        guess = ""
        if suspect.form == "guessed":
            guess = f" Its name says that {name} holds weights; declare it if it is so."
        if facts.get("form") == "ignored":
            cause = f"It comes out the same with any weights.{numbers}{guess}"
            return f"{name} has no effect on the loss.", cause, fix
        if suspect.form == "part":
            return (
                f"A part of the loss is not weighted by {name}.",
                f"A sample with a weight of 0 still counts.{numbers}",
                f"{fix}\n"
                "# If the other part is a penalty that no sample is to be weighted in, ignore "
                "this.",
            )
        return (
            f"{name} does not weigh the losses of the samples.",
            f"The result is none of Keras' reductions of weight times loss.{numbers}{guess}",
            fix,
        )


def _form(weighing: Weighing) -> str:
    if weighing.scalar:
        return "scalar"
    if weighing.elements:
        return "elements"
    if weighing.part:
        return "part"
    values = {case.value for case in weighing.cases}
    ignored = all(_unmoved(case) for case in weighing.cases) and None not in values
    return "ignored" if ignored else "otherwise"


def _unmoved(case: Weighed) -> bool:
    return any(
        abs((case.value or 0.0) - plain) <= TOLERANCE * np.abs(case.rows).sum()
        for plain in (case.rows.mean(), case.rows.sum())
    )


def _reductions(case: Weighed) -> dict[str, float]:
    weights, total = case.weights, float(case.weights @ case.rows)
    return {
        "sum": total,
        "sum_over_batch_size": total / len(weights),
        "mean_with_sample_weight": total / float(weights.sum()),
    }


def _telling(weighing: Weighing) -> Weighed:
    """Choose the batch whose loss is furthest from the mean of its weighted rows."""
    usual = [case for case in weighing.cases if case.reduction in ("", "sum_over_batch_size")]

    def apart(case: Weighed) -> float:
        right = _reductions(case)["sum_over_batch_size"]
        gap = np.inf if case.value is None else abs(case.value - right)
        return float(gap) if np.isfinite(gap) or case.value is None else 0.0

    return max(usual, key=apart)


def _numbers(facts: Mapping[str, Any], weights: str) -> str:
    observed, sums = facts.get("observed"), facts.get("sums", {})
    if observed is None or not sums:
        return ""
    told = [f"{name} {wording.number(value)}" for name, value in sums.items()]
    return (
        f" With weights {weights} the loss is {wording.number(observed)}; the losses of the rows "
        f"give {wording.listed(told)}."
    )
