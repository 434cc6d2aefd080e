"""A rule as a function of cases: what shrinking asks of each simpler candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import EAGER_CASES
from losscheck.evidence.gradient.check import EVALUATIONS
from losscheck.evidence.gradient.second_order import SecondOrderCheck
from losscheck.evidence.precision.lost_digits import vectorized
from losscheck.evidence.search.narrowed import NARROWED, outside
from losscheck.model import Array
from losscheck.program.tracing.trace import CallError
from losscheck.rules import by_code
from losscheck.rules.base import Rule, Trail
from losscheck.rules.crowd import Crowd

SHRINK_ELEMENTS = 1 << 20  # numbers that one round of simplifying may run through the loss
SINGLE_TRIES = 48  # simpler cases that are tried at a time where each takes a call of its own


def judging(desk: Desk, rule: Rule, crowd: Crowd) -> Callable[[CaseBlock], Array]:
    """Give the rule as a function of cases: which of them it still suspects of the same."""

    def judge(cases: CaseBlock) -> Array:
        kept = np.zeros(len(cases), bool)
        usable = np.flatnonzero(desk.evidence.labels_inside(cases))[: _patience(crowd, desk)]
        if not len(usable):
            return kept
        try:
            again = crowd.population.rerun(cases.take(usable))
        except CallError:  # a simpler case that the loss refuses is no case
            return kept
        evidence: dict[str, Any] = {name: desk.get(name) for name in rule.needs}
        evidence |= _again(crowd, again, evidence)
        for other in rule.judge(**evidence):
            if isinstance(other, Crowd) and other.population is again and _alike(other, crowd):
                kept[usable[other.members]] = True
        return kept & outside(desk.evidence, cases) if crowd.form == NARROWED else kept

    return judge


def _alike(one: Crowd, other: Crowd) -> bool:
    same_form = by_code(one.code).alike(one.form, other.form)
    return same_form and (one.direction, one.mode) == (other.direction, other.mode)


def _patience(crowd: Crowd, desk: Desk) -> int:
    """How many simpler cases are judged at a time: fewer of a loss that is large or slow."""
    cases = crowd.population.cases
    elements = sum(int(np.prod(array.shape[1:])) for array in cases.inputs.values())
    rule = by_code(crowd.code)
    if rule.one_by_one:
        return SINGLE_TRIES
    evaluations = 1
    if rule.by_derivative:
        evaluations = EVALUATIONS * int(
            np.prod(cases.inputs[crowd.population.prediction].shape[1:])
        )
    if isinstance(crowd.population, SecondOrderCheck):  # those of the gradient are judged as well
        evaluations = EVALUATIONS * (crowd.population.directions.size + elements)
    if rule.trail is Trail.DIGITS:
        evaluations = 3 * elements  # for the conditioning of each
    instance = desk.evidence.instance_of(cases)
    if vectorized(instance):
        return max(1, SHRINK_ELEMENTS // (evaluations * elements))
    return int(EAGER_CASES * instance.lightness) // (4 * evaluations)


def _again(crowd: Crowd, again: Any, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of a rule with its populations replaced by the cases that are judged again."""
    replaced: dict[str, Any] = {}
    for name, pieces in evidence.items():
        if name == "modes":
            replaced[name] = tuple(
                run.rerun(again) for run in pieces if run.graph is crowd.population
            )
        elif pieces is crowd.population:
            replaced[name] = again
        elif isinstance(pieces, tuple) and any(piece is crowd.population for piece in pieces):
            replaced[name] = (again,)
    return replaced
