"""The loss handed to Keras: whether and on which data it can be, how it trains and is saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from losscheck import domains
from losscheck.evidence.gather import Evidence
from losscheck.evidence.graph import GraphFacts
from losscheck.evidence.search.refusals import refusals
from losscheck.evidence.shape.calls import XlaCall
from losscheck.infer.spec import BATCH
from losscheck.model import Argument, Array, Inputs, Location, Range
from losscheck.program.keras.keras_loss import MEAN, KerasLoss
from losscheck.program.keras.saving import Saver, Survival
from losscheck.program.keras.small_model import Head, head, inputs_of
from losscheck.program.keras.training import Task, Trainer, Trial, devices
from losscheck.program.resolve import is_foreign
from losscheck.program.tracing.origin import kernel
from losscheck.rules.evidence import LeftOut
from losscheck.rules.execution.mode_disagreement import ModeDisagreement
from losscheck.rules.execution.value_rejected import ValueRejected
from losscheck.rules.execution.xla_unsupported import XlaUnsupported
from losscheck.rules.shape.shape_rejected import ShapeRejected
from losscheck.rules.training.sample_weight import SampleWeight
from losscheck.settings.shapes import parse

if TYPE_CHECKING:
    from losscheck.evidence.shape.layouts import LayoutRun

# Operations of the loss with its gradient; compiling and tracing cost in proportion. Of Keras' own
# Circle has 244 (1.5 s to compile, 1.3 s in mixed_float16) and CTC 336 (3.7 s and 1.8 s).
JIT_NODES = 200
MIXED_NODES = 300
BATCHES = 2.5  # of an epoch: whole ones, and a last one that is smaller
REACH = 1.5  # of the model's inputs on both sides of 0: ordinary in every domain they are sent to
YES_OR_NO = frozenset({"binary", "one_hot", "mask"})  # labels that come as bools, too


@attrs.frozen(kw_only=True, eq=False)
class Training:
    """The trials of a small model."""

    task: Task
    first_batch: Inputs  # labels and the model's own predictions
    trials: tuple[Trial, ...]  # in the order in which they were run; none after one that raised
    left_out: dict[str, str] = attrs.field(factory=dict)  # why a way was not tried, by its name

    @property
    def ways(self) -> tuple[str, ...]:
        """What was tried."""
        return tuple(trial.how for trial in self.trials)


def training(
    evidence: Evidence, layouts: Sequence[LayoutRun], xla: XlaCall | None, graph: GraphFacts
) -> Training | LeftOut:
    """Train a small model in every way that can tell something new."""
    if reason := why_not(evidence):
        return LeftOut(reason)
    if any(run.form == "unknown-batch" and run.error is not None for run in layouts):
        return LeftOut(
            f"see {ShapeRejected.code}: it fails where the batch size is unknown, as in fit"
        )
    given = task(evidence)
    trainer = Trainer(evidence.programs.call, given)
    try:
        predictions = trainer.outputs()
    except Exception as error:  # ours, not the loss's
        return LeftOut(f"no small model could be made for its predictions: {error}"[:160])
    if not inside(evidence, predictions):
        return LeftOut(
            f"no small model keeps its outputs in the domain {evidence.spec.prediction.domain}"
        )
    hows, left_out = _ways(evidence, xla, given, graph)
    trials = tuple(trainer.trials(hows))
    failed, raised = next(((t.how, t.error.error) for t in trials if t.error), ("", None))
    op = kernel(raised) if raised is not None else ""
    if op and any(place.op == op for place in refusals(evidence)):
        return LeftOut(f"see {ValueRejected.code}: model.{failed} fails as it does")
    if failed and any(run.error is not None and run.declared for run in layouts):
        return LeftOut(f"see {ShapeRejected.code}: model.{failed} fails as it does")
    if failed and (fault := trainer.control(failed)):
        return LeftOut(f"a small model fails with any loss here: {fault}"[:160])
    label = evidence.spec.named("y_true")
    assert label is not None
    first = given.parts[0]
    shown = {label.name: given.labels[first], evidence.spec.prediction.name: predictions[first]}
    return Training(task=given, first_batch=shown, trials=trials, left_out=left_out)


def _ways(
    evidence: Evidence, xla: XlaCall | None, given: Task, graph: GraphFacts
) -> tuple[list[str], dict[str, str]]:
    hows, left_out = ["evaluate", "fit"], {}
    wanted = evidence.modes_wanted
    if "eager" in wanted:
        hows.append("eager")
    else:
        left_out["eager"] = "not asked for"
    wiring = evidence.main.wiring
    nodes = 0 if wiring is None else len(wiring.nodes)
    if xla is None or xla.error is not None:
        left_out["jit"] = "not asked for" if xla is None else f"see {XlaUnsupported.code}"
    elif evidence.draws:
        left_out["jit"] = "random numbers are drawn inside, and XLA draws others by the same seed"
    elif nodes > JIT_NODES:
        left_out["jit"] = (
            f"{nodes} operations take seconds to compile; {ModeDisagreement.code} and "
            f"{XlaUnsupported.code} tried XLA"
        )
    else:
        hows.append("jit")
    if nodes > MIXED_NODES:
        left_out["mixed"] = f"{nodes} operations take seconds to trace once more"
    else:
        hows.append("mixed")
    if reason := _not_mirrored(evidence, given, graph):
        left_out["mirrored"] = reason
    else:
        hows.append("mirrored")
    return hows, left_out


def _not_mirrored(evidence: Evidence, given: Task, graph: GraphFacts) -> str:
    """Say why no two devices can share a batch; "" if they can."""
    if devices() < 2:  # TensorFlow takes no more of them once it runs
        return "TensorFlow was started with one logical CPU device"
    if graph.returns is None or not graph.returns:
        return f"Keras does not scale a scalar: see {SampleWeight.code}"
    if KerasLoss(evidence.programs.call).reduction != MEAN:
        return "its reduction does not average"
    return "" if given.batch % 2 == 0 and evidence.spec.batch else "its batch cannot be halved"


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


@attrs.frozen(kw_only=True, eq=False)
class Saving:
    """A Loss that was sent through its config and a file."""

    task: Task  # whose model it was saved with
    inputs: Inputs  # the batch that it was called on before and after
    survivals: tuple[Survival, ...]
    location: Location | None
    class_name: str


def saving(evidence: Evidence) -> Saving | LeftOut:
    """Send the Loss through its config, and if it survives that, through a saved model."""
    call, spec = evidence.programs.call, evidence.spec
    if call.handed is None or not Saver.is_loss(call):
        return LeftOut("a function has no config: Keras saves its name")
    if reason := why_not(evidence):
        return LeftOut(reason)
    label = spec.named("y_true")
    assert label is not None
    given = task(evidence)
    rows = slice(0, given.batch)
    predictions = Trainer(call, given).outputs()[rows]
    saver = Saver(call)
    found = list(saver.through_config(given.labels[rows], predictions))
    if not any(one.error or one.differs for one in found):
        found.append(saver.through_file(given.shape, given.head, given.labels[rows], predictions))
    return Saving(
        task=given,
        inputs={label.name: given.labels[rows], spec.prediction.name: predictions},
        survivals=tuple(found),
        location=saver.where(),
        class_name=type(call.handed).__name__,
    )
