"""Whether a Loss survives get_config and from_config, and saving with a model."""

from __future__ import annotations

import attrs

from losscheck.evidence.gather import Evidence
from losscheck.evidence.keras.handing import task, why_not
from losscheck.evidence.left_out import LeftOut
from losscheck.model import Inputs, Location
from losscheck.program.keras.saving import Saver, Survival
from losscheck.program.keras.training import Task, Trainer


@attrs.frozen(kw_only=True, eq=False)
class Saving:
    """A Loss that was sent through its config and a file.

    Attributes
    ----------
    task
        Whose model it was saved with.
    inputs
        The batch that it was called on before and after.
    """

    task: Task
    inputs: Inputs
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
