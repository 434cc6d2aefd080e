"""Keras' own losses under losscheck: every class and function of keras.losses."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

import losscheck
from benchmarks.markdown import table
from losscheck.model import LossReport, UsageError
from tests.zoo.judging import alarms, faults

VERIFIED: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "CosineSimilarity": (
        frozenset({"LC503"}),
        "its gradient is NaN under XLA where a squared norm is 0 or underflows, and finite eager",
    ),
    "cosine_similarity": (frozenset({"LC503"}), "the function that CosineSimilarity calls"),
    "CategoricalGeneralizedCrossEntropy": (
        frozenset({"LC203", "LC204"}),
        "its gradient is -Inf and NaN where the probability of the true class is 0: the slope of "
        "a power of 0.5",
    ),
    "CategoricalFocalCrossentropy(from_logits=True)": (
        frozenset({"LC103"}),
        "it clips the softmax of its logits at 1e-7: from a gap of 17 on the gradient is exactly 0 "
        "at a loss of 4.03",
    ),
    "CTC": (
        frozenset({"LC101"}),
        "it cannot exceed 707, where it stands for log(0), and its gradient is wrong from 695 on: "
        "see the disputes",
    ),
    "ctc": (frozenset({"LC101"}), "the function that CTC calls"),
    "categorical_generalized_cross_entropy": (
        frozenset({"LC203", "LC204"}),
        "the function that CategoricalGeneralizedCrossEntropy calls",
    ),
}
"""Errors that are verified in the catalogue, the corpus or the disputes, by name of the loss."""

NO_LOSSES: Final = frozenset({"Loss", "deserialize", "get", "serialize"})


@attrs.frozen(kw_only=True, eq=False)
class Own:
    """What was said of one of Keras' losses.

    Attributes
    ----------
    errors
        Code, message and line of each.
    unverified
        Those that stand verified nowhere.
    """

    name: str
    verdict: str
    errors: tuple[str, ...]
    unverified: tuple[str, ...]
    seconds: float


def look_at_keras(tell: Callable[[str], None]) -> list[Own]:
    """Check every loss, classes with logits a second time."""
    looked = []
    for name, loss in keras_losses():
        begin = time.perf_counter()
        try:
            report = losscheck.check(loss)
        except UsageError as error:
            tell(f"{name}: not checked: {error}")
            continue
        looked.append(_own(name, report, time.perf_counter() - begin))
        tell(f"{name}: {report.verdict} {looked[-1].errors} {looked[-1].seconds:.0f} s")
    return looked


def describe_keras(looked: list[Own]) -> str:
    """Give the section: the count, the errors and whether they are verified."""
    wrong = [own for own in looked if own.unverified]
    head = f"{len(looked)} classes and functions; {len(wrong)} with an error that is not verified."
    rows = [
        [own.name, own.verdict, "; ".join(own.errors) or "-", _verified(own), f"{own.seconds:.1f}"]
        for own in looked
    ]
    return f"{head}\n\n{table(['loss', 'verdict', 'errors', 'verified', 'seconds'], rows)}"


def keras_losses() -> list[tuple[str, Any]]:
    """Give what keras.losses offers, made where it is a class."""
    import keras

    found: list[tuple[str, Any]] = []
    for name, value in sorted(vars(keras.losses).items()):
        if name.startswith("_") or name in NO_LOSSES:
            continue
        if inspect.isclass(value):
            found.append((name, value()))
            if "from_logits" in inspect.signature(value).parameters:
                found.append((f"{name}(from_logits=True)", value(from_logits=True)))
        elif inspect.isfunction(value):
            found.append((name, value))
    return found


def _own(name: str, report: LossReport, seconds: float) -> Own:
    codes, _ = VERIFIED.get(name, (frozenset(), ""))
    found = alarms(report)
    return Own(
        name=name,
        verdict=report.verdict,
        errors=(*(f"{finding.code} {finding.message}" for finding in found), *faults(report)),
        unverified=(*(f.code for f in found if f.code not in codes), *faults(report)),
        seconds=seconds,
    )


def _verified(own: Own) -> str:
    if not own.errors:
        return "-"
    return "no" if own.unverified else VERIFIED[own.name][1]
