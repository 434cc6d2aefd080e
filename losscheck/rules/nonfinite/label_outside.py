"""LC206: labels that no class has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from losscheck.advice import wording
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.labels_outside import LabelOutside
    from losscheck.model import Finding
    from losscheck.rules.base import Arguments, Judgment, Words

_WHY = {
    "OneHot": "tf.one_hot makes a row of zeros of it, and the sample counts as a perfect one.",
    "GatherV2": "On a CPU a gather checks its indices; on a GPU and under XLA it reads elsewhere.",
    "SparseSoftmaxCrossEntropyWithLogits": "On a CPU this operation checks its labels; on a GPU "
    "and under XLA it gives NaN.",
}


class LabelOutsideRange(Rule):
    """A class label of -1, or of the number of classes, is taken without complaint.

    What it does
    ------------
    Gives one sample of an ordinary batch the label -1, and the label C where there are C classes,
    and calls the loss eagerly, as a graph and under XLA. It reports a loss that returns a number
    all the same, and one that raises in some modes and returns NaN or a number in another. A loss
    that asks whether a label is one of its classes (an ignored class) is left alone.

    Why it matters
    --------------
    -1 is the usual mark of "no label". tf.one_hot makes a row of zeros of it, so that the sample
    counts as perfect and dilutes the mean; tf.nn.sparse_softmax_cross_entropy_with_logits raises
    on a CPU, but gives NaN on a GPU and under XLA, where nothing checks.

    Example
    -------
    A label of -1 becomes a row of zeros and a loss of 0:

        def loss(y_true, y_pred):
            hot = tf.one_hot(tf.cast(y_true, tf.int32), 3)
            return tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=y_pred)

    Use instead
    -----------
    Mask such samples, and count the others:

        def loss(y_true, y_pred):
            known = tf.logical_and(y_true >= 0, y_true < 3)
            hot = tf.one_hot(tf.cast(tf.where(known, y_true, 0.0), tf.int32), 3)
            each = tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=y_pred)
            known = tf.cast(known, y_pred.dtype)
            return tf.math.divide_no_nan(tf.reduce_sum(known * each), tf.reduce_sum(known))

    References
    ----------
    - TensorFlow API documentation: tf.one_hot, tf.nn.sparse_softmax_cross_entropy_with_logits.
    - Keras documentation: SparseCategoricalCrossentropy, argument ignore_class.
    - tensorflow/tensorflow issue 8484.
    """

    code = "LC206"
    slug = "label-outside"
    forms = {
        "value": Severity.WARNING,
        "mode": Severity.WARNING,
    }
    pinned = Pin.OWN
    absent = ("labels_outside", "no label is the number of a class")

    def judge(self, labels_outside: Sequence[LabelOutside]) -> Judgment:
        """Name the labels that pass."""
        for run in labels_outside:
            form, mode = _form(run)
            if not form:
                continue
            single = run.seen[mode]
            assert single is not None
            yield Suspect(
                code=self.code,
                form=form,
                facts={
                    "label": run.label,
                    "classes": run.classes,
                    "raised": [m for m, s in run.seen.items() if s is None],
                    "op": run.op,
                },
                inputs=run.inputs,
                range=Range.EXTREME,
                mode=mode,
                value=np.asarray(single.value, float),
                gradient=single.gradient,
                expected_text="an error, or a sample that does not count",
                location=run.location,
            )

    def asserts(self, finding: Finding, prediction: str) -> tuple[str, ...]:
        """Ask that the label is refused, or that the batch has the mean of its other samples."""
        labels = [(n, np.asarray(a)) for n, a in finding.inputs.items() if n != prediction]
        sizes = {np.shape(array)[:1] for array in finding.inputs.values()}
        if len(labels) != 1 or len(sizes) != 1 or not min(sizes) or min(sizes) < (2,):
            return ()
        row = labels[0][1].reshape(len(labels[0][1]), -1)
        odd = int(np.argmin(row.min(axis=1)) if row.min() < 0 else np.argmax(row.max(axis=1)))
        given = ", ".join(finding.inputs)
        rest = ", ".join(f"{name}[rest]" for name in finding.inputs)
        return (
            "try:",
            f'    value, _ = run("{finding.mode}", {given})',
            "except (ValueError, tf.errors.InvalidArgumentError):",
            "    return  # to refuse the label is right as well",
            f"rest = [sample for sample in range(len({prediction})) if sample != {odd}]",
            f'others, _ = run("{finding.mode}", {rest})',
            "np.testing.assert_allclose(np.mean(value), np.mean(others), rtol=0.001)",
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        label, classes = facts.get("label", -1), facts.get("classes", "C")
        from losscheck import domains  # `losscheck rules` does without

        name = next((a.name for a in arguments if domains.names_classes(a.domain)), "y_true")
        last = f"{classes} - 1" if isinstance(classes, str) else classes - 1
        why = _WHY.get(
            str(facts.get("op", "")), "Nothing in the loss asks whether a label is a class."
        )
        given = "a number" if suspect.value is None else wording.array(suspect.value)
        what = f"A label of {label}, where the classes are 0 to {last}, "
        if suspect.form == "mode":
            raised = wording.listed(map(str, facts.get("raised", ("another",))), "and")
            message = (
                f"{what}raises in {raised} mode alone; in {suspect.mode} mode the loss is {given}."
            )
        else:
            message = f"{what}is taken without complaint: the loss is {given}."
        return (
            message,
            f"No class has the label {label}; they are 0 to {last}. {why}",
            f"known = tf.logical_and({name} >= 0, {name} < {classes})\n"
            f"{name} = tf.where(known, {name}, tf.zeros_like({name}))  # before it is used\n"
            "# Then multiply the loss of each sample by tf.cast(known, y_pred.dtype) and divide "
            "by\n# their number; or refuse such labels: "
            f"tf.debugging.assert_less({name}, tf.cast({classes}, {name}.dtype)).",
        )


def _form(run: LabelOutside) -> tuple[str, str]:
    """How a label passes, and in which mode; "" where it does not."""
    passed = [mode for mode, single in run.seen.items() if single is not None]
    if run.tested or not passed:
        return "", ""
    silent = [mode for mode in passed if run.finite(mode)]
    if len(passed) < len(run.seen):
        return "mode", passed[0]
    if silent:  # NaN in every mode is complaint enough
        return "value", "graph" if "graph" in silent else silent[0]
    return "", ""
