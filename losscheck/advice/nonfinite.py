"""Words for a NaN or an Inf: which op, at which number, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from losscheck.advice import (
    conditions,
    further,
    logarithms,
    overflow,
    quotients,
    roots,
    special,
    wording,
)
from losscheck.advice.base import Advice, Change, Filled, Key, nowhere
from losscheck.advice.blamed import RUNNING, Blame
from losscheck.advice.scene import Scene, scene
from losscheck.model import Direction, Kind, Suspect

ADVICE: dict[Key, tuple[Advice, ...]] = {
    **logarithms.ADVICE,
    **roots.ADVICE,
    **quotients.ADVICE,
    **overflow.ADVICE,
    **special.ADVICE,
    ("Mean", "forward"): (*quotients.EMPTY_MEAN, *overflow.SUM),
}

_TOO_LARGE = (
    "The true result is finite but too large for {dtype}, which ends at {largest}: the operand is "
    "{at}, and no other formula can help."
)
# 80 keeps exp, and a sum of 6,000 of them, below the end of float32 at exp(88.7).
INHERENT_EXP = Advice(
    around=nowhere,
    cause=_TOO_LARGE,
    write="tf.clip_by_value({arg}, -80.0, 80.0)  # in place of {arg}",
    remark="Bound the prediction to what your data need, or compute in float64.",
)
INHERENT = Advice(
    around=nowhere,
    cause=_TOO_LARGE,
    write="tf.clip_by_value({arg}, -{bound}, {bound})  # in place of {arg}",
    remark="Bound the prediction to what your data need, or compute in float64.",
)
FALLBACK = Advice(
    around=nowhere,
    true=conditions.seen_with_finite_operands,
    cause="The result of {op} is {bad} at {at}, though what goes into it is finite.",
    write="# No change is known that cures it; tf.debugging.check_numerics shows the operand.",
    remark="Keep it where the function and its slope are finite: by tf.maximum, tf.clip_by_value,\n"
    "or a tf.where before the function.",
)

WRITTEN = Advice(
    around=nowhere,
    cause="{op} is given an infinity that is written in the code, and hands it on.",
    write="# No change is known that cures it; tf.debugging.check_numerics shows the operand.",
    remark="Leave out what is to count for nothing before it is summed, by tf.where, or write a\n"
    "number that the sums and exponentials behind it can hold.",
)


def _inside(what: str) -> Advice:
    return Advice(
        around=nowhere,
        cause=f"Something inside the {what} gives {{bad}} at {{at}}, but finite numbers go in.",
        write="# No change is known that cures it; tf.debugging.check_numerics in its body shows\n"
        "# where it begins.",
        remark=FALLBACK.remark,
    )


def cause_and_fix(suspect: Suspect, blame: Blame) -> tuple[str, str]:
    """Say why a number became NaN or Inf, and what to write instead.

    Returns
    -------
    tuple of str
        The cause as sentences, the fix as Python with comments.
    """
    first = next(_advice(suspect, blame))
    return first.cause, first.fix


def changes(suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
    """Give every change of the source that might keep the number finite, the least one first."""
    at = scene(suspect, blame)
    told = (found.change for found in _advice(suspect, blame))
    stable, guards = (
        (rewrite.change(at) for rewrite in table.get(blame.op, ()))
        for table in (further.STABLE, further.GUARDS)
    )
    return tuple(change for change in (*stable, *told, *guards) if change is not None)


def _advice(suspect: Suspect, blame: Blame) -> Iterator[Filled]:
    """Everything that is known of such an op, what fits best first; at least one thing."""
    at = scene(suspect, blame)
    if blame.op in RUNNING:
        yield from _filled(at, _inside(RUNNING[blame.op]))
    elif suspect.kind is Kind.INHERENT and not at.half:
        exponential = blame.op in ("Exp", "Expm1", "Cosh", "Sinh")
        yield from _filled(at, INHERENT_EXP if exponential else INHERENT)
    else:
        yield from _filled(at, *ADVICE.get((blame.op, blame.direction.value), ()))
        written = any(np.isinf(v).any() for v in blame.operand_values if v.dtype.kind == "f")
        forward = blame.direction is Direction.FORWARD
        yield from _filled(at, WRITTEN if written and forward else FALLBACK)


def message(suspect: Suspect) -> str:
    """Say in one sentence what became NaN or infinite, and at which input."""
    bad = "infinite" if suspect.form == "inf" else "NaN"
    mode = " under XLA" if suspect.mode == "xla" else ""
    dtype = "" if suspect.dtype == "float32" else f" in {suspect.dtype}"
    at = wording.at(suspect.inputs)
    backward = suspect.direction is Direction.BACKWARD
    if not backward:
        return f"The loss is {bad}{mode}{dtype}{at}."
    value = "finite" if suspect.value is None else wording.array(suspect.value)
    return f"The gradient is {bad}{mode}{dtype} while the loss is {value}{at}."


def _filled(at: Scene, *listed: Advice) -> Iterator[Filled]:
    yield from (filled for advice in listed if (filled := advice.fill(at)) is not None)
