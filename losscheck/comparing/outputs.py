"""What two losses return, whatever the numbers: shapes and dtypes, at several sizes and ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck import cases
from losscheck.comparing.sides import Side
from losscheck.comparison import Difference, Right, Weight
from losscheck.domains.floats import cast
from losscheck.infer.spec import main_sizes
from losscheck.model import Argument, Array, Inputs, Location
from losscheck.program.modes import Single
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.shapes import parse

# Shapes by rank; a rewrite that takes the last axis for axis 1 differs in images alone.
RANKS = ("(B,)", "(B, D)", "(B, T, D)", "(B, H, W, C)")
ALIKE = 1e-3  # relative: values at other ranks, which are looked at in ordinary cases alone
CASES = 2  # of other ranks


@attrs.frozen(kw_only=True, eq=False)
class Outputs:
    """How what is returned differs, and for which shapes of arguments that was looked at."""

    differences: tuple[Difference, ...]
    shapes: tuple[str, ...]


def outputs(old: Side, new: Side, modes: Sequence[str], dtypes: Sequence[str]) -> Outputs:
    """Compare what both return at every size, in each mode and dtype; each way to differ once."""
    found: dict[tuple[str, str], Difference] = {}
    shapes: list[str] = []
    for arguments, sizes, other in _layouts(old):
        at = {a.name: parse(a.shape).at(sizes) for a in arguments}
        try:
            classes = old.evidence.spec.classes(sizes) if not other else 2
            block = cases.usual(arguments, sizes, classes, CASES if other else 1)
        except Exception:  # a domain that has no ordinary case of that rank
            continue
        ran = False
        whole = sizes is old.evidence.spec.sizes  # a graph, and XLA, take long to prepare
        for dtype in dtypes:
            for mode in modes if whole else modes[:1]:
                for i in range(len(block)):
                    inputs = {n: cast(a[i], dtype) for n, a in block.inputs.items()}
                    ran |= _compared(old, new, inputs, mode, dtype, other, found)
        if ran:
            shapes.append(", ".join(str(at[a.name]) for a in arguments))
    if (unsized := _unsized(old, new)) is not None:
        found["call", "size"] = unsized
    return Outputs(differences=tuple(found.values()), shapes=tuple(dict.fromkeys(shapes)))


def _layouts(old: Side) -> Iterator[tuple[Sequence[Argument], Mapping[str, int], bool]]:
    """Arguments, sizes, and whether the rank is another than was inferred."""
    spec = old.evidence.spec
    sizes = [spec.sizes, spec.narrow, spec.one_sample]
    if spec.batch:
        sizes.append({**spec.sizes, spec.batch: spec.sizes[spec.batch] + 3})
    seen: list[Mapping[str, int]] = []
    for size in sizes:
        if dict(size) not in seen:
            seen.append(dict(size))
            yield spec.arguments, size, False
    shape = spec.prediction.shape
    if spec.laid_out or any(a.shape != shape for a in spec.arguments):
        return
    for text in RANKS:
        if parse(text).rank != parse(shape).rank:
            arguments = tuple(attrs.evolve(a, shape=text) for a in spec.arguments)
            yield arguments, main_sizes({a.name: parse(text) for a in arguments}), True


def _compared(
    old: Side,
    new: Side,
    inputs: Inputs,
    mode: str,
    dtype: str,
    other: bool,
    found: dict[tuple[str, str], Difference],
) -> bool:
    """Compare one call, adding what differs; whether the old loss runs."""
    first, second = (_run(side, inputs, mode) for side in (old, new))
    if not isinstance(first, Single):
        if isinstance(second, Single) and not other:
            message = f"OLD raises {_said(first)}; NEW does not."
            key, weight, right = ("call", "old"), Weight.REPAIR, Right.NEW
            made = _difference("call", weight, right, message, inputs, mode, dtype)
            _add(found, key, attrs.evolve(made, side="old", location=_line(first)))
        return False
    if not isinstance(second, Single):
        message = f"NEW raises {_said(second)}; OLD does not."
        made = _difference("call", Weight.DIFFERENCE, Right.OLD, message, inputs, mode, dtype)
        _add(found, ("call", "new"), attrs.evolve(made, side="new", location=_line(second)))
        return True
    for what, message, right in _unlike(first, second, inputs, other):
        made = _difference(what, Weight.DIFFERENCE, right, message, inputs, mode, dtype)
        if what == "value":
            made = attrs.evolve(made, old=_plain(first.value), new=_plain(second.value))
        _add(found, (what, ""), made)
    return True


def _unlike(
    first: Single, second: Single, inputs: Inputs, other: bool
) -> Iterator[tuple[str, str, Right]]:
    """What of two results differs: which it is, a sentence, and who is right."""
    given = " and ".join(dict.fromkeys(str(np.shape(array)) for array in inputs.values()))
    one, two = first.value, second.value
    if one.shape != two.shape:
        said = f"For arguments of shape {given} OLD returns {one.shape}, NEW {two.shape}."
        yield "shape", said, Right.UNKNOWN
    elif other:
        gap = np.abs(_plain(one) - _plain(two)).max(initial=0.0)
        if np.isfinite(gap) and gap > ALIKE * np.abs(_plain(one)).max(initial=0.0):
            said = f"For arguments of shape {given} they return other numbers."
            yield "value", said, Right.UNKNOWN
    if one.dtype != two.dtype:
        yield "dtype", f"OLD returns {one.dtype}, NEW {two.dtype}.", Right.UNKNOWN
    if (first.gradient is None) != (second.gradient is None):
        none, some = ("OLD", "NEW") if first.gradient is None else ("NEW", "OLD")
        right = Right.NEW if none == "OLD" else Right.OLD
        yield (
            "gradient",
            f"No gradient reaches the prediction in {none}, one does in {some}.",
            right,
        )


def _difference(
    what: str,
    weight: Weight,
    right: Right,
    message: str,
    inputs: Inputs,
    mode: str,
    dtype: str,
) -> Difference:
    return Difference(
        what=what,
        weight=weight.value,
        right=right.value,
        message=message,
        modes=(mode,),
        dtype=dtype,
        range="ordinary",
        count=1,
        inputs=inputs,
    )


def _add(found: dict[tuple[str, str], Difference], key: tuple[str, str], made: Difference) -> None:
    """Keep the first of its kind, and count the modes in which it shows."""
    before = found.setdefault(key, made)
    if before.message == made.message and made.modes[0] not in before.modes:
        found[key] = attrs.evolve(before, modes=(*before.modes, *made.modes))


def _run(side: Side, inputs: Inputs, mode: str) -> Single | CallError | OutputError:
    try:
        return side.evidence.programs.runner.run(side.inputs(inputs), mode)
    except (CallError, OutputError) as error:
        return error


def _unsized(old: Side, new: Side) -> Difference | None:
    """Say whether the new loss alone cannot be traced for a batch of an unknown size."""
    errors = []
    for side in (old, new):
        spec = side.evidence.spec
        free = {
            a.name: tuple(None if d == spec.batch else n for d, n in _sized(a, spec.sizes))
            for a in spec.arguments
        }
        errors.append(side.evidence.programs.traces(free))
    if errors[0] is not None or errors[1] is None:
        return None
    return Difference(
        what="call",
        weight=Weight.DIFFERENCE.value,
        right=Right.OLD.value,
        message=f"Traced as Keras does, for any size of batch, NEW raises {_said(errors[1])}.",
        modes=("graph",),
        side="new",
        location=_line(errors[1]),
    )


def _sized(argument: Argument, sizes: Mapping[str, int]) -> list[tuple[str | int, int]]:
    shape = parse(argument.shape)
    return list(zip(shape.dims, shape.at(sizes), strict=True))


def _line(error: CallError | OutputError) -> Location | None:
    return error.location if isinstance(error, CallError) else None


def _said(error: CallError | OutputError) -> str:
    said = " ".join(str(error).split())
    return said if len(said) <= 160 else f"{said[:157]}..."


def _plain(array: Array) -> Array:
    return np.asarray(array, np.float64)
