"""Severities: the one place that says how much a finding matters."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from losscheck.model import Kind, Range, Severity, Suspect
from losscheck.rules import rules
from losscheck.rules.model.weights import WEIGHT_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONFINITE = frozenset({"LC201", "LC202", "LC203", "LC204"})
_PRECISION = frozenset({"LC301", "LC302"})
# What the truth or the range excuses: a note where it is extreme or inherent.
_EXCUSED = _NONFINITE | {"LC103", "LC503", "LC505", "LC507"}
# What nobody needs to know who does not require the dtype.
_UNASKED = {("LC502", "kernel")}

NOTABLE = 0.01  # of the ordinary scale: an error in the ordinary range from here on (LC301)
SLIGHT = 1e-4  # of the ordinary scale: a rounding of 1.0 seen through a small gradient
RANK = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


@functools.cache
def table() -> Mapping[tuple[str, str], Severity]:
    """Give the severity of each code and form in float32 and any required dtype."""
    every = (*rules(), *WEIGHT_RULES)
    return {(rule.code, form): found for rule in every for form, found in rule.forms.items()}


def severity(
    code: str,
    form: str,
    *,
    reach: Range | None,
    kind: Kind | None,
    dtype: str,
    scale: float | None,
    certain: bool,
    required: tuple[str, ...],
    chosen: Mapping[str, str],
) -> Severity:
    """Say how much a finding matters.

    Parameters
    ----------
    code, form
        Which finding of which rule.
    reach
        The range of its case; None where it has none.
    kind
        What the truth is; None where it has none or could not be decided.
    dtype, required
        Its dtype, and those that the user requires.
    scale
        Error over the ordinary scale; None where it has none.
    certain
        Whether the case lies in every domain that stays plausible.
    chosen
        Severities that the user's settings give, by code.
    """
    if code in chosen:
        return Severity(chosen[code])
    found = table()[code, form]
    if code in _EXCUSED and (reach is Range.EXTREME or kind is Kind.INHERENT):
        return Severity.NOTE
    unsure = undecided(code, kind) or code in _PRECISION
    unsure = unsure and reach is not Range.ORDINARY
    if code == "LC503" and scale is not None:  # finite in both modes: as LC301 weighs lost digits
        if scale < SLIGHT:
            return Severity.NOTE
        unsure = scale < NOTABLE or reach is not Range.ORDINARY
    asked = dtype in required or dtype == "float32"
    if not asked and (code, form) in _UNASKED:
        return Severity.NOTE
    if unsure or not certain or not asked:
        found = min(found, Severity.WARNING, key=RANK.__getitem__)
    return found


def of_suspect(
    suspect: Suspect, required: tuple[str, ...], chosen: Mapping[str, str], *, sure: bool = True
) -> Severity:
    """Say how much it matters what a rule suspects of one case; less where that is not sure."""
    return severity(
        suspect.code,
        suspect.form,
        reach=suspect.range,
        kind=suspect.kind,
        dtype=suspect.dtype,
        scale=suspect.scale,
        certain=suspect.certain and sure,
        required=required,
        chosen=chosen,
    )


def undecided(code: str, kind: str | None) -> bool:
    """Say whether NaN or Inf was seen of which nobody knows whether it is right.

    In the ordinary range it is an error all the same; elsewhere nothing is decided.
    """
    return code in _NONFINITE and kind is None
