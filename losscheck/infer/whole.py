"""What is fed to a compiled model as a whole: domains of inputs and labels, and batches of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck import domains
from losscheck.domains.numbers import Numbers
from losscheck.infer import choose, infer
from losscheck.infer.hints import Hint, hints
from losscheck.infer.uses import tables
from losscheck.model import Argument, Array
from losscheck.program.keras.compiled import Compiled
from losscheck.program.keras.model_parts import BATCH, Tensor
from losscheck.program.keras.model_runs import Batch
from losscheck.program.tracing.trace import OutputError
from losscheck.program.tracing.wiring import Wiring
from losscheck.settings.settings import ArgumentSettings
from losscheck.settings.shapes import parse
from losscheck.targets import Loss

IMAGES = "probability"  # beside real numbers: what is scaled into [0, 1], as images are
UNKNOWN = frozenset(
    {"string", "bool", "complex64", "complex128"}
)  # dtypes that nothing is drawn of
LITERAL = 512  # elements of an array that is written out where no short Python draws it


@attrs.frozen(kw_only=True, eq=False)
class Whole:
    """How a model is fed."""

    arguments: tuple[Argument, ...]  # inputs and labels, as the report shows them
    slots: tuple[Slot, ...]  # the same, as batches are drawn
    labels: tuple[tuple[int | None, ...], ...]  # (rows, ...) shapes of the labels of each output
    missing: str = ""  # why no batch can be drawn; "" where one can


def whole(
    compiled: Compiled,
    losses: Sequence[Loss],
    declared: Sequence[Mapping[str, ArgumentSettings]],
    *,
    base: str,
) -> Whole:
    """Find what goes into a model, and what its labels are.

    Parameters
    ----------
    losses
        The loss of each of its parts, in their order.
    declared
        What the user says of the arguments of each.
    base
        Files are reported relative to this folder.
    """
    fed = [_input(compiled, i, tensor) for i, tensor in enumerate(compiled.inputs)]
    strange = [t.name for t in compiled.inputs if t.dtype in UNKNOWN]
    given: dict[int, Argument] = {}
    for part, loss, said in zip(compiled.parts, losses, declared, strict=True):
        label = _label(loss, said, base)
        if label is not None:
            given.setdefault(part.output, label)
    labels, taught = [], []
    for i, output in enumerate(compiled.outputs):
        argument = given.get(i)
        dims = _label_dims(output, argument)
        labels.append(dims)
        taught.append(_taught(compiled, i, attrs.evolve(output, shape=dims), argument))
    every = [*fed, *taught]
    return Whole(
        arguments=tuple(argument for argument, _ in every),
        slots=tuple(slot for _, slot in every),
        labels=tuple(labels),
        missing=f"nothing is drawn for an input of text ({', '.join(strange)})" if strange else "",
    )


def _taught(
    compiled: Compiled, i: int, shape: Tensor, label: Argument | None
) -> tuple[Argument, Slot]:
    """The labels of one output; real numbers where no loss looks at them."""
    output = compiled.outputs[i]
    domain = label.domain if label is not None else "real"
    classes = output.shape[-1] if len(output.shape) > 1 else None
    argument = Argument(
        name=_named(compiled, i),
        role="y_true",
        domain=domain,
        shape=shape.written,
        dtype="float32",
        origin=label.origin if label is not None else "known",
        why=label.why if label is not None else "no loss looks at it",
    )
    slot = Slot(
        name=f"y{i}",
        domains=(domain,),
        shape=shape.at(BATCH),
        dtype="float32",
        classes=max(2, classes or 2),
    )
    return argument, slot


def _named(compiled: Compiled, output: int) -> str:
    name = compiled.outputs[output].name
    if len(compiled.outputs) == 1:
        return "y_true"
    return f"y_true[{name or output}]"


def _label(loss: Loss, declared: Mapping[str, ArgumentSettings], base: str) -> Argument | None:
    """The label of an output's loss; None where the loss cannot say."""
    try:
        found = infer(loss, declared, home="", base=base)
    except OutputError:
        return None
    return found.spec.named("y_true")


def _label_dims(output: Tensor, argument: Argument | None) -> tuple[int | None, ...]:
    """The shape of the labels beside the output as it is: at other sizes only the form is known."""
    shape = output.shape
    if argument is None or len(shape) < 2:
        return shape
    dims = parse(argument.shape).dims
    if len(dims) < len(shape):
        return shape[:-1]
    return (*shape[:-1], 1) if dims[-1] == 1 else shape


def _input(compiled: Compiled, index: int, tensor: Tensor) -> tuple[Argument, Slot]:
    graphs = [compiled.forward.wiring(k) for k in range(len(compiled.outputs))]
    name = f"x{index}"
    uses = tuple(dict.fromkeys(hint for graph in graphs for hint in hints(graph, name)))
    found, why, classes = _domains(graphs, name, tensor, uses)
    argument = Argument(
        name=tensor.name,
        role="input",
        domain=found[0],
        shape=tensor.written,
        dtype=tensor.dtype,
        origin="inferred",
        why=why,
        plausible=found[1:],
    )
    slot = Slot(
        name=name, domains=found, shape=tensor.at(BATCH), dtype=tensor.dtype, classes=classes
    )
    return argument, slot


def _domains(
    graphs: Sequence[Wiring], name: str, tensor: Tensor, uses: Sequence[Hint]
) -> tuple[tuple[str, ...], str, int]:
    """(plausible domains, why, number of classes) of an input."""
    rows = [size for graph in graphs for _, size in tables(graph, name)]
    if rows:
        return ("class_index",), f"picks a row of a table of {min(rows)}", max(2, min(rows))
    if tensor.dtype.startswith(("int", "uint")):
        return ("[0, 255]",), "whole numbers, as of images", 2
    choice = choose.prediction([hint for hint in uses if hint.use != "logits"])[0]
    if choice.domain == "real":
        return ("real", IMAGES), choice.why, 2
    return (choice.domain,), choice.why, 2


@attrs.frozen(kw_only=True)
class Slot:
    """An argument of the objective that a batch fills."""

    name: str  # of the objective's argument
    domains: tuple[str, ...]  # plausible ones, each of which some batch draws from
    shape: tuple[int, ...]  # with its rows
    dtype: str
    classes: int = 2


def batches(slots: Sequence[Slot], count: int, seed: int) -> tuple[Batch, ...]:
    """Draw batches; those of an argument with several plausible domains take turns in them."""
    return tuple(_batch(slots, i, seed) for i in range(count))


def _batch(slots: Sequence[Slot], index: int, seed: int) -> Batch:
    arrays, chosen, spelled = {}, {}, {}
    for place, slot in enumerate(slots):
        domain = slot.domains[index % len(slot.domains)]
        own = seed + 100 * index + place  # no two arguments share their numbers
        text = expression(domain, slot, own)
        if text:
            array = _run(text)
        else:
            rows, *rest = slot.shape
            array = domains.parse(domain).ordinary(rows, tuple(rest), own, classes=slot.classes)
            text = f"np.array({array.tolist()!r})" if array.size <= LITERAL else ""
        arrays[slot.name] = array.astype(slot.dtype)
        chosen[slot.name] = domain
        if text:
            spelled[slot.name] = f'{text}.astype("{slot.dtype}")'
    return Batch(arrays=arrays, domains=chosen, spelled=spelled)


def expression(domain: str, slot: Slot, seed: int) -> str:
    """Python that draws ordinary values of a domain; "" where there is no short way."""
    rng, shape, classes = f"np.random.default_rng({seed})", slot.shape, slot.classes
    found = domains.parse(domain)
    if domain == "class_index":
        return f"{rng}.integers(0, {classes}, {shape})"
    if domain in ("binary", "mask"):
        return f"{rng}.integers(0, 2, {shape})"
    if domain == "sign":
        return f"(2 * {rng}.integers(0, 2, {shape}) - 1)"
    if domain == "one_hot":
        return f"np.eye({shape[-1]})[{rng}.integers(0, {shape[-1]}, {shape[:-1]})]"
    if domain == "simplex":
        return f"{rng}.dirichlet(np.ones({shape[-1]}), {shape[:-1]})"
    if isinstance(found, Numbers):
        low, high = found.usual
        if found.integral or np.dtype(slot.dtype).kind in "iu":
            return f"{rng}.integers({int(low)}, {int(high) + 1}, {shape})"
        return f"{rng}.uniform({low}, {high}, {shape})"
    return ""


def _run(text: str) -> Array:
    """Run what `expression` gave: the reproduction of a finding runs the same text."""
    return np.asarray(eval(text, {"np": np}))
