"""The loss called as training calls it: plainly, eagerly, compiled; where it raises, what helps.

The eager mode of a sweep is the graph without TensorFlow's rewriting of it, which runs blocks of
cases; it is traced all the same.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.precision.disagreement import NEGLIGIBLE, TWO_DIGITS, explained
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.infer.layouts import PAIRS, layouts
from losscheck.infer.spec import main_sizes
from losscheck.model import Array, Inputs, Location
from losscheck.program.programs import Sizes
from losscheck.program.quiet import keras_module, tensorflow
from losscheck.program.running.program import Program
from losscheck.program.structures import Structure
from losscheck.program.tracing.trace import CallError, OutputError

MOST_TRIED = 256  # other layouts, which only serve the explanation
# XLA names the operations that it has no kernel for: "PyFunc (No registered 'PyFunc' OpKernel ...".
_UNSUPPORTED = re.compile(r"No registered '(\w+)' OpKernel")
CALLS = 3  # each costs a millisecond


@attrs.frozen(kw_only=True, eq=False)
class CallOutcome:
    """What calling the loss on ordinary input of its layout gives."""

    error: CallError | None  # what it raised, in every way of running it; None if it runs
    shapes: Sizes  # of the call
    inputs: Mapping[str, Array] = attrs.field(factory=dict)
    # With which it runs after all.
    other_shapes: Sizes | None = None
    other_dtype: str = ""
    runs_eagerly: bool = False
    # Whether the shapes of labels and predictions were given, and not tried one after the other.
    laid_out: bool = True
    # What is raised for sizes that do not fit, among other things: the right ones may be missing.
    of_sizes: tuple[type[BaseException], ...] = ()
    # The arguments that it takes as dicts or tuples of tensors, and its name.
    structures: Mapping[str, Structure] = attrs.field(factory=dict)
    function: str = ""
    # For a name that does not exist: the module it was looked for in, and what exists instead.
    owner: str = ""
    suggestions: tuple[str, ...] = ()


def call_outcome(evidence: Evidence) -> CallOutcome:
    """Look at why the loss raises, if it does."""
    error = evidence.inferred.error
    shapes = evidence.spec.shapes(evidence.spec.sizes)
    if error is None:
        return CallOutcome(error=None, shapes=shapes)
    structures = evidence.inferred.structures
    eagerly = not structures and not error.refused and _eagerly(evidence, shapes)
    whatever = (AttributeError, NameError, RecursionError)  # is raised, it is given
    missing = bool(structures) or isinstance(error.error, whatever) or eagerly
    owner, suggestions = _instead(error.error)
    return CallOutcome(
        error=error,
        shapes=shapes,
        inputs=_inputs(evidence, shapes),
        other_shapes=None if missing else _other_shapes(evidence),
        other_dtype="" if missing else _other_dtype(evidence, shapes),
        runs_eagerly=eagerly,
        laid_out=evidence.spec.laid_out,
        of_sizes=of_sizes(),
        structures=structures,
        function=getattr(evidence.programs.call.function, "__name__", ""),
        owner=owner,
        suggestions=suggestions,
    )


def of_sizes() -> tuple[type[BaseException], ...]:
    """What is raised for sizes that do not fit, among other things."""
    return (ValueError, IndexError, tensorflow().errors.InvalidArgumentError)


def _inputs(evidence: Evidence, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    found = evidence.spec.ordinary(1, shapes, evidence.seed)
    return {
        n: array[0].astype(np.float64).round(3).astype(np.float32) for n, array in found.items()
    }


def _other_shapes(evidence: Evidence) -> Sizes | None:
    roles = {a.name: a.role for a in evidence.spec.arguments}
    tries = [evidence.spec.narrow, {**evidence.spec.sizes, "D": 2}]
    for sizes in tries:
        shapes = evidence.spec.shapes(sizes)
        if _runs(evidence, shapes):
            return shapes
    for layout in itertools.islice(layouts(roles, {}, PAIRS), MOST_TRIED):
        shapes = {name: shape.at(main_sizes(layout)) for name, shape in layout.items()}
        if _runs(evidence, shapes):
            return shapes
    return None


def _other_dtype(evidence: Evidence, shapes: Sizes) -> str:
    return next((d for d in ("float64", "float16") if _runs(evidence, shapes, d)), "")


def _eagerly(evidence: Evidence, shapes: Sizes) -> bool:
    """Say whether it runs eagerly, even if what it returns then is no tensor."""
    ones = {
        name: np.ones([size or 1 for size in shape or ()], np.float32)
        for name, shape in shapes.items()
    }
    try:
        evidence.programs.runner.run(ones, "eager")
    except OutputError:
        return True
    except CallError:
        return False
    return True


def _runs(evidence: Evidence, shapes: Sizes, dtype: str = "float32") -> bool:
    try:
        evidence.programs.at(shapes, dtype)
    except (CallError, OutputError):
        return False
    return True


def _instead(error: BaseException) -> tuple[str, tuple[str, ...]]:
    """Say where a missing name was looked for, and which names like it exist."""
    if not isinstance(error, AttributeError) or not error.name:
        return "", ()
    name, owner = error.name, getattr(error.obj, "__name__", type(error.obj).__name__)
    places = _places()
    exact = [f"{place}.{name}" for place, module in places.items() if hasattr(module, name)]
    if exact:
        return str(owner), tuple(exact)
    close = difflib.get_close_matches(name, dir(error.obj), n=2)
    return str(owner), tuple(f"{owner}.{match}" for match in close)


def _places() -> dict[str, Any]:
    """Where people look for a function, the likeliest first."""
    tf, keras = tensorflow(), keras_module()
    return {
        "keras.ops": keras.ops,
        "tf.math": tf.math,
        "tf.nn": tf.nn,
        "tf": tf,
        "tf.linalg": tf.linalg,
        "tf.experimental.numpy": tf.experimental.numpy,
    }


@attrs.frozen(kw_only=True, eq=False)
class XlaCall:
    """An ordinary batch, compiled by XLA with its gradient."""

    error: str | None  # what it raised, where it runs as a graph; None if it compiles
    inputs: Inputs
    # The operation that XLA does not know, and its line; "" and None where it does not say so.
    op: str = ""
    location: Location | None = None


def xla_call(evidence: Evidence) -> XlaCall | None:
    """Compile the loss for a batch; None where XLA is not wanted, or where no graph runs."""
    program = evidence.main.program.graphed
    if "xla" not in evidence.modes_wanted or program is None:
        return None
    index = usual(evidence.main_sweep.ranges)[:1]
    block = evidence.main_sweep.cases.take(index if len(index) else np.arange(1))
    inputs = {name: np.asarray(array[0], np.float32) for name, array in block.inputs.items()}
    # A block that was compiled has said so already.
    if any(run.mode == "xla" and run.graph is evidence.main_sweep for run in evidence.modes):
        return XlaCall(error=None, inputs=inputs)
    try:
        evidence.programs.runner.run(inputs, "xla")
    except OutputError:
        return None
    except CallError as error:
        if not _runs_uncompiled(evidence, inputs):  # it is not XLA that it fails on
            return None
        op, location = _unsupported(str(error.error), evidence.main, program)
        return XlaCall(error=str(error), inputs=inputs, op=op, location=location or error.location)
    return XlaCall(error=None, inputs=inputs)


def _runs_uncompiled(evidence: Evidence, inputs: Inputs) -> bool:
    try:
        evidence.programs.runner.run(inputs, "graph")
    except (CallError, OutputError):
        return False
    return True


def _unsupported(message: str, main: Instance, program: Program) -> tuple[str, Location | None]:
    """Find the operation that XLA names in the graph, and the user's line that made it."""
    types = set(_UNSUPPORTED.findall(message))
    nodes = main.wiring.nodes if main.wiring else ()
    node = next((node for node in nodes if node.type in types), None)
    if node is None:
        return "", None
    return node.type, program.traced.origins.location(node.name)


@attrs.frozen(kw_only=True, eq=False)
class EagerCalls:
    """Cases of a sweep whose value or gradient is another when they are called eagerly."""

    sweep: Sweep
    value_apart: Array  # indices into the sweep
    gradient_apart: Array


def eager_calls(evidence: Evidence) -> EagerCalls | None:
    """Call the first ordinary cases of a batch; None for a loss that runs only so, or never."""
    sweep = evidence.main_sweep
    if evidence.main.program.eager or "eager" not in evidence.modes_wanted:
        return None
    index = usual(sweep.ranges)
    index = index[sweep.forward_finite[index]][:CALLS]
    apart: tuple[list[int], list[int]] = ([], [])
    for i in index:
        case = sweep.cases.take(np.asarray([i]))
        inputs = {name: np.asarray(array[0], np.float32) for name, array in case.inputs.items()}
        try:
            seen = evidence.programs.runner.run(inputs, "eager")
        except (CallError, OutputError):  # what is traced need not run eagerly
            return None
        value = np.asarray(seen.value, np.float64).sum().reshape(1)
        pairs = [(value, sweep.totals[i].reshape(1), sweep.scale.value)]
        if seen.gradient is not None and sweep.has_gradient:
            gradient = np.asarray(seen.gradient, np.float64).ravel()
            pairs.append((gradient, sweep.flat_gradient[i].astype(float), sweep.scale.gradient))
        for part, (left, right, scale) in enumerate(pairs):
            gap, size = np.abs(left - right).max(), np.fmax(np.abs(left), np.abs(right)).max()
            notable = gap > TWO_DIGITS * size and gap > NEGLIGIBLE * scale
            if notable and gap > explained(evidence.double, case, part)[0]:
                apart[part].append(int(i))
    return EagerCalls(
        sweep=sweep,
        value_apart=np.asarray(apart[0], int),
        gradient_apart=np.asarray(apart[1], int),
    )
