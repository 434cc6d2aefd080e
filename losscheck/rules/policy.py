"""Severities: the one place that says how much a finding matters."""

from __future__ import annotations

from collections.abc import Mapping

from losscheck.model import Kind, Range, Severity

_NONFINITE = frozenset({"LC201", "LC202", "LC203", "LC204"})
_PRECISION = frozenset({"LC301", "LC302"})
# What the truth or the range excuses: a note where it is extreme or inherent.
_EXCUSED = _NONFINITE | {"LC103", "LC503", "LC505"}

# (code, form) -> severity for float32 and any required dtype; the table of design.md.
_BASE: Mapping[tuple[str, str], Severity] = {
    ("LC101", "mismatch"): Severity.ERROR,
    ("LC101", "upstream"): Severity.ERROR,
    ("LC101", "tie"): Severity.WARNING,
    ("LC101", "stop-gradient"): Severity.WARNING,  # written by hand, it may be on purpose
    ("LC101", "symmetric"): Severity.WARNING,  # the matrices may be symmetric whenever it is called
    ("LC102", "none"): Severity.ERROR,
    ("LC102", "part"): Severity.ERROR,
    ("LC102", "part-unasked"): Severity.WARNING,  # no label asks for it, or the layout is guessed
    ("LC102", "part-flat"): Severity.WARNING,  # a mask that the prediction gives may be meant
    ("LC102", "part-ends"): Severity.NOTE,  # a border, or a step without a successor
    # Of the weights of a model: some that nothing reaches may be meant so, and Keras says so too.
    ("LC102", "weight"): Severity.ERROR,
    ("LC102", "output"): Severity.ERROR,
    ("LC102", "weight-stopped"): Severity.WARNING,
    ("LC102", "unused"): Severity.WARNING,
    ("LC103", "vanishing"): Severity.NOTE,
    ("LC103", "output"): Severity.ERROR,
    ("LC103", "weight"): Severity.WARNING,
    ("LC103", "stuck"): Severity.WARNING,
    ("LC103", "point"): Severity.WARNING,
    ("LC103", "batch"): Severity.WARNING,
    ("LC103", "region"): Severity.ERROR,
    ("LC103", "most"): Severity.ERROR,
    ("LC104", "kink"): Severity.NOTE,
    ("LC105", "branches"): Severity.ERROR,
    ("LC105", "selection"): Severity.WARNING,
    ("LC106", "missing"): Severity.WARNING,
    ("LC106", "nonfinite"): Severity.WARNING,
    ("LC106", "wrong"): Severity.WARNING,
    ("LC107", "huge"): Severity.WARNING,
    ("LC107", "faint"): Severity.WARNING,
    ("LC108", "lower"): Severity.WARNING,
    ("LC108", "falls"): Severity.WARNING,
    ("LC108", "floor"): Severity.WARNING,
    ("LC109", "label"): Severity.WARNING,
    ("LC109", "prediction"): Severity.NOTE,  # a guard that another one has made needless
    ("LC201", "nan"): Severity.ERROR,
    ("LC201", "narrowed"): Severity.WARNING,  # outside the domain, which nobody declared
    ("LC202", "inf"): Severity.ERROR,
    ("LC203", "nan"): Severity.ERROR,
    ("LC204", "inf"): Severity.ERROR,
    ("LC205", "overflow"): Severity.ERROR,
    ("LC205", "nonfinite-input"): Severity.WARNING,
    ("LC206", "value"): Severity.WARNING,
    ("LC206", "mode"): Severity.WARNING,
    ("LC303", "wrap"): Severity.ERROR,
    # By the size of the error over the ordinary scale: above 1%, above 2^-20, below.
    ("LC301", "large"): Severity.ERROR,
    ("LC301", "small"): Severity.WARNING,
    ("LC301", "slight"): Severity.NOTE,
    ("LC302", "large"): Severity.ERROR,
    ("LC302", "small"): Severity.WARNING,
    ("LC302", "slight"): Severity.NOTE,
    ("LC401", "layout"): Severity.ERROR,
    ("LC401", "batch"): Severity.ERROR,
    ("LC401", "constant"): Severity.ERROR,
    ("LC401", "rank"): Severity.WARNING,
    ("LC402", "batch-of-one"): Severity.ERROR,
    ("LC402", "batch-size"): Severity.ERROR,
    ("LC402", "unknown-batch"): Severity.ERROR,
    ("LC402", "size"): Severity.ERROR,
    ("LC402", "declared-rank"): Severity.ERROR,
    ("LC402", "weights"): Severity.ERROR,
    ("LC402", "unknown-rank"): Severity.NOTE,
    ("LC403", "coupled"): Severity.NOTE,
    ("LC403", "alone"): Severity.NOTE,
    ("LC403", "summed"): Severity.NOTE,
    ("LC404", "none"): Severity.ERROR,
    ("LC404", "not-a-tensor"): Severity.ERROR,
    ("LC404", "async"): Severity.ERROR,
    ("LC404", "generator"): Severity.ERROR,
    ("LC404", "shape"): Severity.ERROR,
    ("LC404", "axes"): Severity.WARNING,  # one number a sample and channel, whose mean is meant
    ("LC405", "fails"): Severity.NOTE,
    ("LC405", "nonfinite"): Severity.NOTE,
    ("LC501", "python-control-flow"): Severity.ERROR,
    ("LC501", "numpy"): Severity.ERROR,
    ("LC501", "other"): Severity.ERROR,
    ("LC502", "dtype"): Severity.ERROR,
    ("LC502", "labels"): Severity.ERROR,  # Keras hands labels over as floats: it fails in fit
    ("LC503", "nonfinite"): Severity.ERROR,
    ("LC503", "value"): Severity.ERROR,
    ("LC503", "gradient"): Severity.ERROR,
    ("LC504", "random"): Severity.WARNING,
    ("LC505", "nan"): Severity.WARNING,
    ("LC505", "inf"): Severity.WARNING,
    ("LC506", "compile"): Severity.WARNING,
    ("LC601", "config"): Severity.WARNING,
    ("LC601", "rebuild"): Severity.WARNING,
    ("LC601", "lost"): Severity.WARNING,
    ("LC601", "file"): Severity.WARNING,
    ("LC602", "ignored"): Severity.ERROR,
    ("LC602", "otherwise"): Severity.ERROR,
    ("LC602", "guessed"): Severity.WARNING,  # its name alone says that it holds weights
    ("LC602", "part"): Severity.WARNING,  # a penalty that no sample is weighted in may be meant
    ("LC602", "scalar"): Severity.WARNING,
    ("LC602", "elements"): Severity.WARNING,
    ("LC603", "raises"): Severity.ERROR,
    ("LC603", "differs"): Severity.ERROR,
    ("LC603", "jit"): Severity.WARNING,  # as LC506: it trains where XLA is switched off
    ("LC901", "attribute"): Severity.ERROR,
    ("LC901", "name"): Severity.ERROR,
    ("LC901", "raises"): Severity.ERROR,
    ("LC901", "structure"): Severity.WARNING,
    ("LC902", "late"): Severity.ERROR,
    ("LC903", "ended"): Severity.ERROR,
}

NOTABLE = 0.01  # of the ordinary scale: an error in the ordinary range from here on (LC301)
SLIGHT = 1e-4  # of the ordinary scale: a rounding of 1.0 seen through a small gradient
RANK = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


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
    found = _BASE[code, form]
    if code in _EXCUSED and (reach is Range.EXTREME or kind is Kind.INHERENT):
        return Severity.NOTE
    unsure = undecided(code, kind) or code in _PRECISION
    unsure = unsure and reach is not Range.ORDINARY
    if code == "LC503" and scale is not None:  # finite in both modes: as LC301 weighs lost digits
        if scale < SLIGHT:
            return Severity.NOTE
        unsure = scale < NOTABLE or reach is not Range.ORDINARY
    if unsure or not certain or (dtype not in required and dtype != "float32"):
        found = min(found, Severity.WARNING, key=RANK.__getitem__)
    return found


def undecided(code: str, kind: str | None) -> bool:
    """Say whether NaN or Inf was seen of which nobody knows whether it is right.

    In the ordinary range it is an error all the same; elsewhere nothing is decided.
    """
    return code in _NONFINITE and kind is None
