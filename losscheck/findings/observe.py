"""What one case shows: the numbers that a finding states beside what they should have been."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.advice import wording
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.check import GradientCheck
from losscheck.evidence.gradient.elsewhere import UpstreamCheck
from losscheck.evidence.gradient.extent import extent
from losscheck.evidence.gradient.float32 import Float32Gradients
from losscheck.evidence.gradient.other_checkers import dtype
from losscheck.evidence.gradient.second_order import SecondOrderCheck
from losscheck.evidence.precision.lost_digits import Precision
from losscheck.evidence.precision.truth import exact_numbers
from losscheck.findings.confirm import alone
from losscheck.model import Array, Direction, Inputs
from losscheck.program.modes import MODES, Single
from losscheck.program.programs import FLOOR_REWRITTEN
from losscheck.program.second_opinion import Failed, compute_gradient, forward_slope
from losscheck.program.tracing.trace import Call
from losscheck.rules import by_code
from losscheck.rules.base import Trail
from losscheck.rules.crowd import Crowd

LISTED = 8  # elements; of larger predictions the worst one is told
SIDES = 10.0  # times closer to the one than to the other: a side is taken


@attrs.frozen(kw_only=True, eq=False)
class Seen:
    """Observed and expected numbers of one case; None where they mean nothing."""

    value: Any = None
    gradient: Any = None
    expected_value: Any = None
    expected_gradient: Any = None
    text: str = ""
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    scale: float | None = None  # error over the ordinary scale


def observe(evidence: Evidence, crowd: Crowd, case: CaseBlock) -> Seen:
    """Run one case alone in the mode of the finding, and in the others where they are compared."""
    rule = by_code(crowd.code)
    if rule.by_derivative:
        return _gradient(evidence, crowd, case)
    if isinstance(crowd.population, SecondOrderCheck):
        return _second_order(evidence, crowd.population.rerun(case), case)
    single = alone(evidence, case, crowd.mode, crowd.dtype)
    if isinstance(crowd.population, Precision):
        return _digits(evidence, crowd, case, single)
    facts: dict[str, Any] = {}
    if rule.by_mode:
        runs = {mode: alone(evidence, case, mode, crowd.dtype) for mode in MODES}
        part = "value" if crowd.direction.value == "forward" else "gradient"
        facts = {
            "values": {m: _plain(getattr(s, part)) for m, s in runs.items() if s is not None},
            "what": "loss" if part == "value" else "gradient",
        }
    elif rule.trail is Trail.ZERO:
        reach = extent(evidence, crowd.population.sweep, case)
        facts = {"low": reach.low, "high": reach.high, "element": reach.element}
    else:
        facts = dict(rule.facts(lambda: crowd.population.rerun(case)))
    scale = _scale(crowd, facts.get("values", {})) if crowd.form in ("value", "gradient") else None
    if single is None:
        return Seen(facts=facts, scale=scale)
    return Seen(
        value=_plain(single.value), gradient=_plain(single.gradient), facts=facts, scale=scale
    )


def _digits(evidence: Evidence, crowd: Crowd, case: CaseBlock, single: Single | None) -> Seen:
    """What float32 gives beside the exact result, or beside float64 where there is none."""
    again = crowd.population.rerun(case)
    forward = crowd.direction is Direction.FORWARD
    part = again.value if forward else again.gradient
    known = exact_numbers(evidence, case, crowd.direction)
    shapes = evidence.instance_of(case).shapes
    outcome = evidence.programs.double(shapes).run(case.inputs, "graph")
    truth = known[0] if known else np.asarray(outcome.value if forward else outcome.gradient)[0]
    assert single is not None  # it was run alone when it was confirmed
    got = single.value if forward else single.gradient
    kept = evidence.programs.floor(shapes) < FLOOR_REWRITTEN
    return Seen(
        value=_plain(single.value),
        gradient=_plain(single.gradient),
        expected_value=truth if forward else None,
        expected_gradient=None if forward else truth,
        text="in exact arithmetic" if known else "in float64",
        facts={"float64": kept, "exact": truth},
        scale=part.distance(got, truth) / part.scale,
    )


def _scale(crowd: Crowd, values: Mapping[str, Any]) -> float:
    """How far the modes are apart, over what is ordinary."""
    numbers = [np.asarray(value, float) for value in values.values() if value is not None]
    gap = max((np.abs(a - b).max(initial=0.0) for a in numbers for b in numbers), default=0.0)
    ordinary = crowd.population.scale
    return float(gap / (ordinary.value if crowd.form == "value" else ordinary.gradient))


def _gradient(evidence: Evidence, crowd: Crowd, case: CaseBlock) -> Seen:
    """A gradient beside the numeric derivative, and beside `tf.test.compute_gradient`."""
    seen = crowd.population.rerun(case)
    inputs = {name: array[0] for name, array in case.inputs.items()}
    call, kind = evidence.programs.call, dtype(evidence, inputs)
    check: GradientCheck = seen
    if isinstance(seen, Float32Gradients):
        assert seen.same_graph is not None  # it is why the case is suspected
        check, kind = seen.same_graph, "float32"
    if isinstance(seen, UpstreamCheck):
        check, call = seen.weighted, seen.call
    shape = case.inputs[check.prediction].shape[1:]
    said = opinions(
        call,
        inputs,
        kind,
        check.gradient[0],
        check.numeric(0),
        loops=evidence.instance_of(case).loops,
        failed=evidence.programs.compute_gradient,
    )
    return Seen(
        value=float(evidence.double(case)[0][0]),
        gradient=check.gradient[0].reshape(shape),
        expected_gradient=check.numeric(0).reshape(shape),
        text=f"the numeric derivative; {said}",
        facts={"error": check.found.error.reshape(check.gradient.shape)[0].tolist()},
    )


def _second_order(evidence: Evidence, check: SecondOrderCheck, case: CaseBlock) -> Seen:
    """H·v beside differences of the gradient, along the direction that shows most."""
    shape = check.directions.shape[1:]
    faulty = check.wrong_along[0] | check.nonfinite_along[0]
    apart = check.slopes.comparison.difference.reshape(len(faulty), -1).max(axis=1)
    row = int(np.argmax(np.where(faulty, np.nan_to_num(apart, nan=np.inf), -1.0)))
    product = None if check.missing else check.slopes.gradient[row].reshape(shape)
    numeric = check.slopes.numeric(row).reshape(shape)
    value, gradient = evidence.double(case)
    shapes = {name: array.shape[1:] for name, array in case.inputs.items()}
    parts = [
        f"{name} = {np.array2string(array, precision=6, separator=', ')}"
        for name, array in (("v", check.directions[row]), ("H·v", numeric))
    ]
    return Seen(
        value=float(value[0]),
        gradient=gradient[0].reshape(shape),
        text=f"by differences of the gradient, {', '.join(parts)}",
        facts={
            "direction": check.directions[row],
            "product": product,
            "numeric": numeric,
            "dtype": "float64" if evidence.programs.floor(shapes) < 1e-8 else "float32",
        },
    )


def _plain(array: Any) -> Any:
    if array is None:
        return None
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def opinions(
    call: Call,
    inputs: Inputs,
    dtype: str,
    gradient: Array,
    numeric: Array,
    *,
    loops: bool = False,
    failed: Failed | None = None,
) -> str:
    """Say what compute_gradient finds on this very case, and which side forward mode takes.

    Parameters
    ----------
    gradient, numeric
        Flat: what the loss gives, and what the differences say.
    loops
        Whether there are loops in it, which forward mode takes ten seconds to run through.
    failed
        What is known of `compute_gradient` on this loss.
    """
    gap = np.nan_to_num(np.abs(gradient - numeric), nan=0.0)
    # Of a large prediction, the elements that are most wrong.
    worst_first = np.argsort(-gap, kind="stable")
    said = compute_gradient(call, inputs, dtype, worst_first[:LISTED], loops=loops, failed=failed)
    if said.failure:
        text = f"tf.test.compute_gradient fails: {said.failure}"
    elif len(gradient) <= LISTED:
        numbers = np.array2string(said.numeric, precision=6, separator=", ")
        text = f"tf.test.compute_gradient gives {numbers}"
    else:
        worst = int(np.argmax(gap[said.elements]))
        text = f"tf.test.compute_gradient gives {wording.number(said.numeric[worst])}"
        text += f" at element {int(said.elements[worst])}"
    return text if loops else text + _forward(call, inputs, dtype, gradient, numeric)


def _forward(call: Call, inputs: Inputs, dtype: str, gradient: Array, numeric: Array) -> str:
    direction = np.sign(gradient - numeric)  # along it nothing that is wrong cancels
    slope = forward_slope(call, inputs, direction, dtype)
    if slope is None or not np.isfinite(slope):
        return ""
    to_gradient = abs(slope - float(gradient @ direction))
    to_numeric = abs(slope - float(numeric @ direction))
    if SIDES * to_gradient < to_numeric:
        return "; forward mode sides with the gradient"
    if SIDES * to_numeric < to_gradient:
        return "; forward mode sides with the differences"
    return ""
