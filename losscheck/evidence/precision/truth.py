"""What should have come out: the kind of a non-finite result, and the truth of a named case."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.model import Array, Direction, Kind
from losscheck.numerics.ladder import derivatives
from losscheck.numerics.ulps import LEAST
from losscheck.program.programs import along
from losscheck.program.running.program import Program
from losscheck.program.running.runnable import remembered

if TYPE_CHECKING:
    from losscheck.program.exact import Evaluator

LARGEST = {"float16": 65504.0, "bfloat16": 3.3895e38, "float32": 3.4028235e38, "float64": 1.797e308}


@attrs.frozen(kw_only=True, eq=False)
class CaseTruth:
    """The truth of one case."""

    kind: Kind | None  # None where it could not be decided
    # Finite numbers where known, in float64, else None.
    value: Array | float | None = None
    gradient: Array | None = None
    text: str = ""


def kinds(
    evidence: Evidence, block: CaseBlock, dtype: str, direction: Direction
) -> list[Kind | None]:
    """Give the kind of every case from float64; None where float64 is not finite either."""
    totals, gradient = evidence.double(block)
    numbers = (
        totals[:, None] if direction is Direction.FORWARD else gradient.reshape(len(block), -1)
    )
    size = np.abs(numbers).max(axis=1)
    fits = np.asarray(size <= LARGEST[dtype])
    finite = np.asarray(np.isfinite(numbers).all(axis=1))
    return [
        None if not ok else Kind.AVOIDABLE if small else Kind.INHERENT
        for ok, small in zip(finite, fits, strict=True)
    ]


def beyond_use(evidence: Evidence, block: CaseBlock, dtype: str) -> Array:
    """(N,) bool: the cases whose slope is right to be too large to train with.

    Optimizers take the square of a slope. What has none in the dtype lies at its ends, whatever
    formula gives it; float16, where this is no more than 256, is trained with a scaled loss.
    """
    if dtype == "float16" or not len(block):
        return np.zeros(len(block), bool)
    return steep(evidence.double(block)[1].reshape(len(block), -1), dtype)


def steep(slopes: Array, dtype: str) -> Array:
    """(N,) bool: of (N, n) slopes, those that hold one whose square is no number of the dtype."""
    sizes = np.abs(slopes)
    return np.asarray((np.isfinite(sizes) & (sizes > math.sqrt(LARGEST[dtype]))).any(axis=1))


def of_case(evidence: Evidence, block: CaseBlock, dtype: str, direction: Direction) -> CaseTruth:
    """Find the truth of one case: float64, then exact numbers, then a numeric derivative.

    Parameters
    ----------
    block
        A block of one case.
    """
    totals, gradient = evidence.double(block)
    numbers = totals if direction is Direction.FORWARD else gradient
    if np.isfinite(numbers).all():
        kind = Kind.AVOIDABLE if np.abs(numbers).max() <= LARGEST[dtype] else Kind.INHERENT
        return CaseTruth(kind=kind, value=_finite(totals), gradient=_finite_array(gradient[0]))
    value, slope = _exact(evidence, block, dtype)
    if direction is Direction.FORWARD:
        return attrs.evolve(value, gradient=slope.gradient)
    if slope.kind not in (Kind.AVOIDABLE, Kind.INHERENT):
        differences = numeric(evidence, block)
        slope = differences if differences.kind is not None else slope
    return attrs.evolve(slope, value=value.value)


def _exact(evidence: Evidence, block: CaseBlock, dtype: str) -> list[CaseTruth]:
    """The exact truth of the value and of the gradient, each as far as it is known."""
    from losscheck.program import exact

    instance = evidence.instance_of(block)
    program = instance.program.graphed
    if program is None:
        return [CaseTruth(kind=None), CaseTruth(kind=None)]
    feeds = {
        placeholder.op.name: np.asarray(block.inputs[name][0], np.float32)
        for name, placeholder in zip(program.names, program.traced.placeholders, strict=True)
    }
    results = []
    for fetch, part in ((program.traced.value, "value"), (program.traced.gradient, "gradient")):
        if fetch is None:
            results.append(CaseTruth(kind=None))
            continue
        try:
            with np.errstate(all="ignore"):  # infinities are what it is asked about
                truth = exact.evaluate([fetch], feeds, captures=program.captured_values())
            results.append(_judged(truth.values[0], dtype, part))
        except exact.Unknown:
            results.append(CaseTruth(kind=None))
    return results


def exact_numbers(
    evidence: Evidence, case: CaseBlock, direction: Direction, *, first: bool = False
) -> list[Array]:
    """The loss, or its gradient, of one case with as many digits as it takes, in float64.

    Of the float64 program where the loss takes float64, whose constants are exact, and of the
    float32 program, which may hold another formula. Where no graph can be evaluated exactly,
    nothing.

    Parameters
    ----------
    case
        A block of one case.
    first
        Whether the first of these programs will do.
    """
    found = _exact_results(evidence, case, direction)
    return [np.asarray(each, np.float64) for each in (islice(found, 1) if first else found)]


def vanishes(evidence: Evidence, case: CaseBlock, dtype: str) -> bool:
    """Say whether the gradient of one case is not 0, but too small for a dtype.

    Parameters
    ----------
    case
        A block of one case.
    """
    size = float(np.abs(evidence.double(case)[1]).max(initial=0.0))
    if size > 0:
        return size < LEAST[dtype]
    numbers = next(_exact_results(evidence, case, Direction.BACKWARD), np.zeros(0)).ravel()
    return any(numbers != 0) and all(abs(number) < LEAST[dtype] for number in numbers)


def _exact_results(evidence: Evidence, case: CaseBlock, direction: Direction) -> Iterator[Array]:
    """The exact numbers of each graph that has them, as objects that do not underflow."""
    from losscheck.program import exact

    instance = evidence.instance_of(case)
    double = evidence.programs.double(instance.shapes)
    for program in (double.graphed, instance.program.graphed):
        if program is None or program.rewritten:
            continue
        traced = program.traced
        fetch = traced.value if direction is Direction.FORWARD else traced.gradient
        if fetch is None:  # no gradient
            continue
        feeds = {
            placeholder.op.name: np.asarray(case.inputs[name][0], np.float64)
            for name, placeholder in zip(program.names, traced.placeholders, strict=True)
        }
        try:
            with np.errstate(all="ignore"):
                truth = _evaluator(program, direction).truth(feeds, program.captured_values())
        except exact.Unknown:
            continue
        yield truth.values[0]


@remembered
def _evaluator(program: Program, direction: Direction) -> Evaluator:
    """What finds the exact numbers of the value or of the gradient of a program."""
    from losscheck.program import exact

    forward = direction is Direction.FORWARD
    return exact.Evaluator([program.traced.value if forward else program.traced.gradient])


def _judged(numbers: Array, dtype: str, part: str) -> CaseTruth:
    import mpmath

    flat = [mpmath.mpf(number) for number in np.asarray(numbers, object).ravel()]
    if any(mpmath.isnan(number) or mpmath.isinf(number) for number in flat):
        return CaseTruth(kind=Kind.UNDEFINED)
    largest = max((abs(number) for number in flat), default=mpmath.mpf(0))
    if largest > LARGEST[dtype]:  # and maybe than float64 can hold
        text = mpmath.nstr(flat[0], 6) if len(flat) == 1 else ""
        return CaseTruth(kind=Kind.INHERENT, text=text)
    shaped = np.asarray([float(n) for n in flat]).reshape(np.shape(numbers))
    value, gradient = (shaped if part == each else None for each in ("value", "gradient"))
    return CaseTruth(kind=Kind.AVOIDABLE, value=value, gradient=gradient)


def numeric(evidence: Evidence, block: CaseBlock) -> CaseTruth:
    """Take the gradient of one case from differences, whatever the graph's own is."""
    program = evidence.programs.double(evidence.instance_of(block).shapes)
    prediction = evidence.spec.prediction
    x = np.asarray(block.inputs[prediction.name][0], np.float64).ravel()
    n = len(x)
    found = derivatives(
        along(program, block.inputs),
        np.zeros(n, int),
        np.arange(n),
        x,
        *evidence.edges(np.arange(n)),
    )
    scale = np.abs(found.value).max(initial=1.0)
    if not (np.isfinite(found.value).all() and (found.error <= 1e-3 * scale).all()):
        return CaseTruth(kind=Kind.UNDEFINED)
    return CaseTruth(
        kind=Kind.AVOIDABLE, gradient=found.value.reshape(block.inputs[prediction.name][0].shape)
    )


def _finite(totals: Array) -> float | None:
    return float(totals[0]) if np.isfinite(totals[0]) else None


def _finite_array(gradient: Array) -> Array | None:
    return gradient if np.isfinite(gradient).all() else None
