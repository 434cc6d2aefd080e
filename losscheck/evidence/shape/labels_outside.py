"""Class labels of -1 and of C: what the loss makes of a label that no class has."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np

from losscheck import domains
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.sweep import usual
from losscheck.model import Array, Inputs, Location
from losscheck.program.modes import Single
from losscheck.program.running.program import Program
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.program.tracing.wiring import SHAPE_OPS, Wiring

# What hands a label on unchanged: the operation that uses it comes after these.
_ON = frozenset({"Cast", "Reshape", "Squeeze", "ExpandDims", "Identity", "Placeholder", "Pack"})
MOVED = 3  # beyond the last class
SAME = 1e-5  # relative: the order of a sum
CLASSES = 32  # whose labels are compared with one outside; a loss treats the others alike


@attrs.frozen(kw_only=True, eq=False)
class LabelOutside:
    """An ordinary batch, one label of which has no class.

    Attributes
    ----------
    label
        -1, or the number of classes.
    seen
        What each mode gave; None where it raised.
    tested
        The loss asks whether a label is one of its classes: it knows of others.
    op, location
        What uses the label.
    """

    label: int
    classes: int
    inputs: Inputs
    seen: Mapping[str, Single | None]
    tested: bool
    op: str
    location: Location | None

    def finite(self, mode: str) -> bool:
        """Whether a mode gave a number for loss and gradient."""
        single = self.seen.get(mode)
        if single is None:
            return False
        parts = [single.value] if single.gradient is None else [single.value, single.gradient]
        return all(bool(np.isfinite(np.asarray(part, float)).all()) for part in parts)


def labels_outside(evidence: Evidence) -> tuple[LabelOutside, ...]:
    """Call the loss with a label of -1, and of C, in every mode."""
    main, program = evidence.main, evidence.main.program.graphed
    name = next((a.name for a in evidence.spec.arguments if domains.names_classes(a.domain)), None)
    if name is None or program is None or main.wiring is None:
        return ()
    index = usual(evidence.main_sweep.ranges)[:1]
    if not len(index):
        return ()
    block = evidence.main_sweep.cases.take(index)
    ordinary = {n: np.asarray(array[0], np.float32) for n, array in block.inputs.items()}
    classes = evidence.classes(main)
    if _names(program, name, ordinary, classes):
        return ()
    op, location = _user(main.wiring, program, name)
    found = []
    for label in (-1, classes):
        inputs = {**ordinary, name: _labelled(ordinary[name], label)}
        found.append(
            LabelOutside(
                label=label,
                classes=classes,
                inputs=inputs,
                seen={mode: _called(evidence, inputs, mode) for mode in evidence.modes_wanted},
                tested=_tested(main, program, name, ordinary, label, classes),
                op=op,
                location=location,
            )
        )
    return tuple(found)


def _names(program: Program, name: str, ordinary: Inputs, classes: int) -> bool:
    """Say whether labels are but compared with each other: then every number is as good as another.

    Such a loss is the same with all labels moved out of the range of the classes.
    """
    moved = {**ordinary, name: ordinary[name] + MOVED + classes}
    try:
        (before,), (after,) = (
            program.once([program.traced.value.name], inputs) for inputs in (ordinary, moved)
        )
    except Exception:  # it looks for a class of that number
        return False
    return bool(np.isfinite(before).all() and np.allclose(before, after, rtol=SAME, atol=0.0))


def _labelled(labels: Array, label: int) -> Array:
    """Give the first sample another label."""
    changed = np.array(labels)
    changed.reshape(-1)[0] = label
    return changed


def _called(evidence: Evidence, inputs: Inputs, mode: str) -> Single | None:
    try:
        return evidence.programs.runner.run(inputs, mode)
    except (CallError, OutputError):
        return None


def _tested(
    instance: Instance, program: Program, name: str, ordinary: Inputs, label: int, classes: int
) -> bool:
    """Say whether some test of the labels comes out otherwise than for every class.

    One that tells the classes apart as well, as a one-hot row by hand does, is no such test.
    """
    graph = instance.wiring
    assert graph is not None
    labelled = graph.depends(name)
    predicted = graph.depends(graph.prediction)
    tests = [
        tensor
        for node in graph.forward
        for tensor, dtype in zip(node.outputs, node.dtypes, strict=True)
        if dtype == "bool" and tensor in labelled and tensor not in predicted
    ]
    if not tests:
        return False
    known = np.unique(np.linspace(0, classes - 1, min(classes, CLASSES)).astype(int))
    try:  # one at a time: a block fails where one of its labels does
        outcomes = [
            program.once(tests, {**ordinary, name: _labelled(ordinary[name], int(number))})
            for number in (label, *known)
        ]
    except Exception:  # a table without such a row
        return False
    outside, first, *others = outcomes
    return any(
        not np.array_equal(outside[i], first[i])
        and all(np.array_equal(other[i], first[i]) for other in others)
        for i in range(len(tests))
    )


def _user(graph: Wiring, program: Program, name: str) -> tuple[str, Location | None]:
    """Find the operation that first uses the labels for more than their shape."""
    handed = {graph.arguments[name]}
    for node in graph.forward:
        if handed.isdisjoint(node.inputs) or node.type in SHAPE_OPS:
            continue
        if node.type not in _ON and node.dtypes[0] != "bool":  # a test is no use
            return node.type, program.traced.origins.location(node.name)
        handed.update(node.outputs)
    return "", None
