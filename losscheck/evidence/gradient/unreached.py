"""Parts of the prediction that no gradient ever reaches, while it does reach the others."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.excuses import stops
from losscheck.evidence.graph import blocking
from losscheck.model import Array, Inputs, Location
from losscheck.program.running.runnable import Runnable
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.program.tracing.wiring import Node, Wiring
from losscheck.settings.shapes import parse

FEWEST = 100  # cases before "never" is said: a label or a rank may choose what gets a gradient
MOVED = 32  # cases whose unreached part is exchanged
SAME = 1e-6  # relative difference of float32 results that summation order explains
LONGER = ((1, 2), (2, 1))  # an axis made longer: times and plus; windows leave out a rest of some
PICKS = frozenset(
    {"StridedSlice", "Slice", "Split", "SplitV", "Unpack", "GatherV2", "GatherNd", "Pad"}
)


@attrs.frozen(kw_only=True, eq=False)
class Unreached:
    """Indices along one axis of the prediction whose elements have no gradient in any case."""

    # The prediction, and its shape.
    argument: str
    shape: tuple[int, ...]
    # Where they lie: everything at these indices of this axis.
    axis: int
    indices: tuple[int, ...]
    # They are the last ones, and the longer the axis, the more they are: the loss takes a number of
    # them that it has in mind, and no others.
    beyond: bool
    # The labels have the prediction's shape, so that they hold something for this part, too.
    labelled: bool
    given: bool  # the layout was declared and not guessed
    used: bool  # the loss depends on them all the same
    cases: int  # how many were looked at
    inputs: Inputs
    value: Array
    gradient: Array
    location: Location | None  # what leaves them out, or what keeps the gradient from them

    @property
    def spelled(self) -> str:
        """The part as it is written in Python: "y_pred[:, 2:]"."""
        before = ":, " * self.axis
        size = self.shape[self.axis]
        return " and ".join(
            f"{self.argument}[{before}{run}]" for run in _slices(self.indices, size)
        )


def _slices(indices: Sequence[int], size: int) -> list[str]:
    runs = []
    for _, group in itertools.groupby(enumerate(indices), lambda pair: pair[1] - pair[0]):
        run = [index for _, index in group]
        first, last = run[0], run[-1]
        if last == size - 1:
            runs.append("-1" if first == last else f"{first}:")
        elif first == last:
            runs.append(str(first))
        else:
            runs.append(f"{first}:{last + 1}" if first else f":{last + 1}")
    return runs


def unreached(evidence: Evidence) -> Unreached | None:
    """Look through the sweep of a whole batch; None where there is nothing to tell.

    A guessed layout is blamed before the loss: where another width leaves nothing out, or the last
    of the parts of a whole is what the others leave of it, nothing is missing.
    """
    sweep, main = evidence.main_sweep, evidence.main
    prediction = evidence.spec.prediction
    shape = main.shapes[prediction.name]
    if not sweep.has_gradient or len(sweep) < FEWEST or main.wiring is None:
        return None
    found = _slab(np.asarray((sweep.gradient != 0).any(axis=0)))
    if found is None:
        return None
    axis, indices = found
    if prediction.domain == "simplex" and axis == len(shape) - 1 and len(indices) == 1:
        return None
    given = axis == 0 or prediction.origin != "inferred"
    kept = [i for i in range(shape[axis]) if i not in indices]
    if not given and any(_left(evidence, axis, n) == [] for n in {len(kept), kept[-1] + 1}):
        return None
    cases = sweep.cases.take(np.flatnonzero(sweep.forward_finite)[:MOVED])
    used = _used(evidence, cases.inputs, axis, indices)
    if used and stops(main.wiring):  # of what is held back on purpose LC101 speaks
        return None
    outcome = sweep.rerun(cases.take(np.arange(1)))
    label = evidence.spec.named("y_true")
    return Unreached(
        argument=prediction.name,
        shape=shape,
        axis=axis,
        indices=indices,
        beyond=all(
            _left(evidence, axis, size) == list(range(len(kept), size))
            for size in (times * shape[axis] + more for times, more in LONGER)
        ),
        labelled=label is not None and main.shapes[label.name] == shape,
        given=given,
        used=used,
        cases=len(sweep),
        inputs={name: array[0] for name, array in cases.inputs.items()},
        value=np.asarray(outcome.totals[0]),
        gradient=np.asarray(outcome.gradient[0]),
        location=_location(main.program, main.wiring, shape, used=used),
    )


def _slab(reached: Array) -> tuple[int, tuple[int, ...]] | None:
    """Find the axis along which whole indices are never reached; the one that leaves out most."""
    if reached.all() or not reached.any():
        return None
    best: tuple[int, tuple[int, ...]] | None = None
    share = 0.0
    for axis in range(reached.ndim):
        others = tuple(other for other in range(reached.ndim) if other != axis)
        missing = np.flatnonzero(~reached.any(axis=others))
        if len(missing) > share * reached.shape[axis]:
            share = len(missing) / reached.shape[axis]
            best = axis, tuple(int(i) for i in missing)
    return best


def _left(evidence: Evidence, axis: int, size: int) -> list[int] | None:
    """The indices that stay without a gradient where the axis is of another length.

    None where the loss does not run at it.
    """
    shapes = _resized(evidence, axis, size)
    if shapes is None:
        return None
    try:
        program = evidence.programs.at(shapes)
        if program.eager:
            return None
        gradient = program.run(evidence.spec.ordinary(FEWEST, shapes, evidence.seed)).gradient
    except (CallError, OutputError):
        return None
    except Exception:  # fails at run time only
        return None
    moved = np.moveaxis(np.asarray(gradient), axis + 1, 0)
    return [i for i in range(size) if not moved[i].any()]


def _resized(evidence: Evidence, axis: int, size: int) -> dict[str, tuple[int, ...]] | None:
    """The shapes of all arguments where one axis of the prediction has another length."""
    spec = evidence.spec
    dim = parse(spec.prediction.shape).dims[axis]
    if isinstance(dim, str):
        return spec.shapes({**spec.sizes, dim: size})
    shapes = dict(evidence.main.shapes)
    shape = shapes[spec.prediction.name]
    alike = [name for name, other in shapes.items() if other == shape]
    return {
        name: (*other[:axis], size, *other[axis + 1 :]) if name in alike else other
        for name, other in shapes.items()
    }


def _used(evidence: Evidence, inputs: Inputs, axis: int, indices: Sequence[int]) -> bool:
    """Say whether the loss changes where these elements are those of another case."""
    program, name = evidence.main.program, evidence.spec.prediction.name
    moved = np.moveaxis(np.array(inputs[name]), axis + 1, 1)
    for i in indices:
        moved[:, i] = np.roll(moved[:, i], 1, axis=0)
    changed = {**inputs, name: np.moveaxis(moved, 1, axis + 1)}
    before, after = program.run(inputs).total, program.run(changed).total
    with np.errstate(invalid="ignore"):
        return bool((np.abs(after - before) > SAME * np.abs(before)).any())


def _location(
    program: Runnable, graph: Wiring, shape: tuple[int, ...], *, used: bool
) -> Location | None:
    """Where a part is taken of the prediction, or where the gradient of one ends."""
    if program.traced is None:
        return None
    node = blocking(graph) if used else _picking(graph, shape)
    return None if node is None else program.traced.origins.location(node.name)


def _picking(graph: Wiring, shape: tuple[int, ...]) -> Node | None:
    """Find the first operation that takes a part of something of the prediction's shape."""
    depends = graph.depends(graph.prediction)
    for node in graph.forward:
        if node.type not in PICKS or depends.isdisjoint(node.inputs):
            continue
        taken = next(t for t in node.inputs if t in depends)
        if graph.shape(taken) == shape:
            return node
    return None
