"""Whether a loss can be handed to Keras' compile, and on which data a small model is trained."""

from __future__ import annotations

import numpy as np

from losscheck import domains
from losscheck.evidence.gather import Evidence
from losscheck.infer.spec import BATCH
from losscheck.model import Argument, Array, Range
from losscheck.program.keras.keras_loss import KerasLoss
from losscheck.program.keras.small_model import Head, head, inputs_of
from losscheck.program.keras.training import Task
from losscheck.program.resolve import is_foreign
from losscheck.settings.shapes import parse

BATCHES = 2.5  # of an epoch: whole ones, and a last one that is smaller
REACH = 1.5  # of the model's inputs on both sides of 0: ordinary in every domain they are sent to
YES_OR_NO = frozenset({"binary", "one_hot", "mask"})  # labels that come as bools, too


def why_not(evidence: Evidence) -> str:
    """Say why the loss cannot be handed to compile; "" if it can."""
    call, spec = evidence.programs.call, evidence.spec
    if call.handed is None:
        return "there is no function or Loss to hand to compile"
    if call.autograph and is_foreign(call.handed):
        return "it is a loss of another Keras, which runs it through AutoGraph in its own fit"
    roles = {a.name: a.role for a in spec.arguments}
    further = [name for name in call.names if roles[name] not in ("y_true", "y_pred")]
    if KerasLoss(call).calls_itself:  # Keras hands the weights over as the third argument
        further = [name for name in further if roles[name] != "weight"]
    if further:
        return f"Keras hands over labels and predictions alone, and it takes {', '.join(further)}"
    order = [roles[name] for name in call.names[:2]]
    if order != ["y_true", "y_pred"] or call.positional < len(order):
        return f"Keras calls loss(y_true, y_pred), and it takes ({', '.join(call.names)})"
    label = spec.named("y_true")
    assert label is not None
    if parse(label.shape).dims[:1] != parse(spec.prediction.shape).dims[:1]:
        return "its labels and predictions do not share a batch"
    if not parse(spec.prediction.shape).rank:
        return "its predictions have no batch"
    if crossed := [name for name in spec.crossed if roles[name] in ("y_true", "y_pred")]:
        of_samples = "no model gives, and no data set holds, a number for each pair of samples"
        return f"{of_samples}, as {crossed[0]} has them"
    return ""


def kept_away(evidence: Evidence, argument: Argument) -> bool:
    """Say whether an argument of another rank than its shape has never comes to the loss.

    Keras gives labels and predictions the same rank before it calls a function, though not for a
    Loss; and whoever calls by himself what Keras cannot call has declared the shape that he gives.
    """
    if why_not(evidence):
        return argument.origin == "declared"
    return not KerasLoss(evidence.programs.call).is_instance


def task(evidence: Evidence) -> Task:
    """Make the data of a small model for the domains of the loss."""
    spec = evidence.spec
    label = spec.named("y_true")
    assert label is not None
    shapes = evidence.main.shapes
    prediction = shapes[spec.prediction.name]
    batch = prediction[0]
    fixed = not spec.batch  # a loss that is declared for one size of batch
    rows = 2 * batch if fixed else int(BATCHES * batch)
    rng = np.random.default_rng(evidence.seed)
    x = rng.uniform(-REACH, REACH, (rows, *inputs_of(prediction[1:]))).round(2)
    labels = _labels(evidence, label, (rows, *shapes[label.name][1:]))
    classes = _classes(label, labels)
    domain = domains.parse(label.domain)
    return Task(
        shape=prediction[1:],
        head=_head(spec.prediction),
        x=x.astype(np.float32),
        labels=labels,
        integral=domain.integral,
        boolean=label.domain in YES_OR_NO,
        weights=(0.25 * (1.0 + np.arange(rows) % BATCH)).astype(np.float32),
        classes=classes,
        class_weight=None
        if classes is None
        else {c: 0.5 + c for c in range(int(classes.max()) + 1)},
        batch=batch,
    )


def _labels(evidence: Evidence, label: Argument, shape: tuple[int, ...]) -> Array:
    domain = domains.parse(label.domain)
    classes = evidence.classes(evidence.main)
    made = domain.ordinary(1, shape, evidence.seed + 1, classes=classes)
    # Two decimals read better, and stay inside every ordinary range but that of rows.
    short = domain.elementwise and domain.contains(made.round(2)).all()
    return np.asarray((made.round(2) if short else made)[0], np.float32)


def _classes(label: Argument, labels: Array) -> Array | None:
    """(N,) the class of each sample as Keras reads it off labels, for weights of classes."""
    if label.domain == "one_hot" and labels.ndim == 2 and labels.shape[1] > 1:
        return np.asarray(labels.argmax(axis=1))
    one = labels.ndim == 1 or labels.shape[1:] == (1,)
    if one and (label.domain == "binary" or domains.names_classes(label.domain)):
        return labels.reshape(-1).astype(int)
    return None


def _head(prediction: Argument) -> Head:
    domain = domains.parse(prediction.domain)
    return head(prediction.domain, *domain.bounds)


def inside(evidence: Evidence, predictions: Array) -> bool:
    """Say whether what the model gives lies in the domain of predictions."""
    domain = domains.parse(evidence.spec.prediction.domain)
    if domain.integral:
        return False
    return bool(domain.contains(predictions[None], Range.WORKING).all())
