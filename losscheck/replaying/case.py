"""A finding by its recorded case: the loss as it is now, in the recorded mode and dtype."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from losscheck.domains.floats import native
from losscheck.evidence.precision.disagreement import TWO_DIGITS
from losscheck.infer import infer
from losscheck.model import Argument, Array, Finding
from losscheck.program.modes import MODES, Runner, Single
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.replayed import Replayed, State
from losscheck.rules import by_code
from losscheck.rules.base import Rule, Trail
from losscheck.settings.settings import ArgumentSettings
from losscheck.targets import Loss

AGAIN = 1e-5  # relative: float32 numbers that are those of the report, whatever the machine


def runner(loss: Loss, arguments: Sequence[Argument], directory: str) -> Runner:
    """What runs a loss for arguments as a report has them.

    Raises
    ------
    UsageError
        It takes other arguments now.
    CallError, OutputError
        It does not run any more.
    """
    told = {
        a.name: ArgumentSettings(domain=a.domain, shape=a.shape, role=a.role) for a in arguments
    }
    constants = {name: given for name, given in loss.declared.items() if given.constant}
    base = os.path.abspath(directory)
    found = infer(loss, {**constants, **told}, home=os.path.dirname(loss.file), base=base)
    if found.error is not None:
        raise found.error
    return found.programs.runner


def is_told_by_a_case(finding: Finding) -> bool:
    """Say whether one call of the loss may tell that a finding is there, or gone."""
    rule = by_code(finding.code)
    if not finding.inputs or rule.one_by_one:
        return False
    return _nonfinite(rule, finding) or _comparable(rule, finding)


def replay(run: Runner, finding: Finding, target: str) -> Replayed | None:
    """Run the recorded case; None where its result is neither what was observed nor what is right.

    A finding of NaN or Inf is gone where value and gradient are finite. One of a wrong number is
    gone where the number is the right one of the report, and there where it is the wrong one.
    """
    inputs = {name: native(array, finding.dtype) for name, array in finding.inputs.items()}
    rule = by_code(finding.code)
    try:
        single = run.run(inputs, finding.mode)
    except (CallError, OutputError) as error:
        said = " ".join(str(error).split())[:200]
        return of(finding, target, State.UNKNOWN, f"the loss raises on its case now: {said}")
    there: bool | None
    if _nonfinite(rule, finding):
        there = _beside_other_modes(run, inputs, finding, single) if rule.by_mode else _odd(single)
    else:
        there = _number(rule, finding, single)
    if there is None:
        return None
    made = of(finding, target, State.THERE if there else State.GONE, "its case was run again")
    return attrs.evolve(
        made,
        inputs=finding.inputs,
        value=_plain(single.value),
        gradient=None if single.gradient is None else _plain(single.gradient),
    )


def of(finding: Finding, target: str, state: State, message: str) -> Replayed:
    """What has become of a finding."""
    return Replayed(
        id=finding.id,
        code=finding.code,
        slug=finding.slug,
        target=target,
        state=state.value,
        message=message,
        location=finding.location,
    )


def _nonfinite(rule: Rule, finding: Finding) -> bool:
    seen = (finding.observed.value, finding.observed.gradient)
    return bool(rule.nonfinite) and any(each is not None and _is_odd(each) for each in seen)


def _comparable(rule: Rule, finding: Finding) -> bool:
    """Whether a number was wrong, and the report has the right one."""
    if not (rule.by_derivative or rule.trail is Trail.DIGITS):
        return False
    return any(right is not None and seen is not None for seen, right in _pairs(finding))


def _pairs(finding: Finding) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    seen, right = finding.observed, finding.expected
    return (seen.value, right.value), (seen.gradient, right.gradient)


def _odd(single: Single) -> bool:
    return _is_odd(single.value) or (single.gradient is not None and _is_odd(single.gradient))


def _is_odd(numbers: Any) -> bool:
    return not np.isfinite(np.asarray(numbers, np.float64)).all()


def _beside_other_modes(run: Runner, inputs: Any, finding: Finding, single: Single) -> bool:
    """Whether the recorded mode alone gives NaN or Inf, or another one alone does not."""
    odd = {finding.mode: _odd(single)}
    for mode in MODES:
        if mode not in odd:
            try:
                odd[mode] = _odd(run.run(inputs, mode))
            except (CallError, OutputError):
                continue
    return odd[finding.mode] and not all(odd.values())


def _number(rule: Rule, finding: Finding, single: Single) -> bool | None:
    """Whether a number is still the wrong one; None where it is neither that nor the right one."""
    now = (single.value, single.gradient)
    for given, (seen, right) in zip(now, _pairs(finding), strict=True):
        if seen is None or right is None:
            continue
        numbers = np.zeros(np.shape(seen)) if given is None else np.asarray(given, np.float64)
        if numbers.shape != np.shape(seen):
            return None
        error, before = _far(numbers, right), _far(numbers, seen)
        wrong = _far(np.asarray(seen, np.float64), right)
        if rule.trail is Trail.DIGITS and error <= TWO_DIGITS:
            return False
        if before <= AGAIN < wrong or (rule.by_derivative and before < wrong / 100):
            return True
        return False if error < wrong / 100 else None
    return None


def _far(numbers: Array, from_: Any) -> float:
    """The relative distance, in the max norm."""
    other = np.asarray(from_, np.float64)
    size = float(np.abs(other).max(initial=0.0)) or 1.0
    return float(np.abs(numbers - other).max(initial=0.0)) / size


def _plain(numbers: Any) -> Array:
    """NumPy has no bfloat16, whose numbers are float32 as well."""
    array = np.asarray(numbers)
    return array.astype(np.float32) if array.dtype.kind == "V" else array
