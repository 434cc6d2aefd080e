"""A small model trained with the loss: what Keras raises, and what it reports."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from losscheck.evidence.gather import Evidence
from losscheck.evidence.handing import inside, task, why_not
from losscheck.evidence.layouts import LayoutRun
from losscheck.evidence.left_out import LeftOut
from losscheck.evidence.xla import XlaCall
from losscheck.model import Inputs
from losscheck.program.training import Task, Trainer, Trial, devices


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
    evidence: Evidence, layouts: Sequence[LayoutRun], xla: XlaCall | None
) -> Training | LeftOut:
    """Train a small model in every way that can tell something new."""
    if reason := why_not(evidence):
        return LeftOut(reason)
    if any(run.form == "unknown-batch" and run.error is not None for run in layouts):
        return LeftOut("see LC402: it fails where the batch size is unknown, as in fit")
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
    hows, left_out = _ways(evidence, xla, given)
    trials = tuple(trainer.trials(hows))
    if any(trial.error is not None for trial in trials) and (fault := trainer.control()):
        return LeftOut(f"a small model fails with any loss here: {fault}"[:160])
    label = evidence.spec.named("y_true")
    assert label is not None
    first = given.parts[0]
    shown = {label.name: given.labels[first], evidence.spec.prediction.name: predictions[first]}
    return Training(task=given, first_batch=shown, trials=trials, left_out=left_out)


def _ways(evidence: Evidence, xla: XlaCall | None, given: Task) -> tuple[list[str], dict[str, str]]:
    hows, left_out = ["evaluate", "fit"], {}
    wanted = evidence.modes_wanted
    if "eager" in wanted:
        hows.append("eager")
    else:
        left_out["eager"] = "not asked for"
    if xla is not None and xla.error is None:
        hows.append("jit")
    else:
        left_out["jit"] = "not asked for" if xla is None else "see LC506"
    hows.append("mixed")
    if devices() > 1 and given.batch % 2 == 0 and evidence.spec.batch:
        hows.append("mirrored")
    else:
        left_out["mirrored"] = "TensorFlow was started with one logical CPU device"
    return hows, left_out
