"""A small model trained with the loss: what Keras raises, and what it reports."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck.evidence.gather import Evidence
from losscheck.evidence.graph import GraphFacts
from losscheck.evidence.keras.handing import inside, task, why_not
from losscheck.evidence.left_out import LeftOut
from losscheck.evidence.search.refusals import refusals
from losscheck.evidence.shape.layouts import LayoutRun
from losscheck.evidence.shape.xla import XlaCall
from losscheck.model import Inputs
from losscheck.program.keras.keras_loss import MEAN, KerasLoss
from losscheck.program.keras.training import Task, Trainer, Trial, devices
from losscheck.program.tracing.origin import kernel
from losscheck.rules.execution.mode_disagreement import ModeDisagreement
from losscheck.rules.execution.value_rejected import ValueRejected
from losscheck.rules.execution.xla_unsupported import XlaUnsupported
from losscheck.rules.shape.shape_rejected import ShapeRejected
from losscheck.rules.training.sample_weight import SampleWeight

# Operations of the loss with its gradient; compiling and tracing cost in proportion. Of Keras' own
# Circle has 244 (1.5 s to compile, 1.3 s in mixed_float16) and CTC 336 (3.7 s and 1.8 s).
JIT_NODES = 200
MIXED_NODES = 300


@attrs.frozen(kw_only=True, eq=False)
class Training:
    """The trials of a small model.

    Attributes
    ----------
    first_batch
        Labels and the model's own predictions.
    trials
        In the order in which they were run; none after one that raised.
    left_out
        Why a way was not tried, by its name.
    """

    task: Task
    first_batch: Inputs
    trials: tuple[Trial, ...]
    left_out: dict[str, str] = attrs.field(factory=dict)

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
