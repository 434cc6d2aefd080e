"""Cases in which digits get lost: small differences and small numbers, a decade at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem, Variable
from losscheck.domains import layout
from losscheck.model import Argument, Array, Inputs, Range
from losscheck.settings import shapes

DECADES = tuple(range(-8, 5))
"""Exponents of ten. Below 1e-7 no float32 number near 1 differs from another; above 1e4 a loss of
logits leaves the working range."""

CLOSE = tuple(range(-6, 0))
"""The same, of the spread of rows and samples that are nearly equal."""


@attrs.frozen(eq=False)
class Ladder:
    """Cases whose prediction stays at a known distance: from the label, or from 0."""

    along: str  # what is small: "|y_pred - y_true|" or "|y_pred|"
    cases: CaseBlock
    # (N,) float64, the largest of that distance's entries, of the numbers as they are stored.
    distance: Array


def near(
    arguments: Sequence[Argument],
    sizes: Mapping[str, int],
    *,
    classes: int,
    seed: int,
    count: int,
) -> tuple[Ladder, CaseBlock]:
    """Put predictions at every decade of distance from labels, and rows close to each other.

    Parameters
    ----------
    count
        Cases a decade.

    Returns
    -------
    tuple
        The ladder that a curve is drawn along, and further cases: the distance from 0 where the
        ladder has that from the label, rows of nearly equal entries, nearly equal samples.
    """
    at = {argument.name: shapes.parse(argument.shape).at(sizes) for argument in arguments}
    problem = Problem.of(arguments, at, "float32", classes)
    rng = np.random.default_rng((seed, 6))
    base = problem.draw(count, Range.ORDINARY, rng)
    pred = problem.with_role("y_pred")
    if pred is None:
        nothing = problem.nothing()
        return Ladder("", nothing, np.zeros(0)), nothing
    further = [_judged(problem, base, {pred.name: values}) for values in _close(pred, base, rng)]
    small = _ladder(problem, base, pred, None, rng)
    if problem.pair is None:
        return small, CaseBlock.concat([problem.nothing(), *further])
    true = problem.pair[0]
    further += [_judged(problem, base, {pred.name: v}) for v in _shifted(true, pred, base, rng)]
    apart = _ladder(problem, base, pred, true, rng)
    return apart, CaseBlock.concat([small.cases, *further])


def _ladder(
    problem: Problem, base: Inputs, pred: Variable, true: Variable | None, rng: np.random.Generator
) -> Ladder:
    """Predictions at every distance: from labels, ordinary ones and equally small ones, or from 0.

    A difference of 1e-7 beside a label of 1 has one digit as float32 stores it; beside a label of
    1e-7 it has all of them.
    """
    centre = np.zeros_like(base[pred.name]) if true is None else base[true.name]
    blocks = []
    for decade in DECADES:
        # Factors spread over a decade, alike for all entries of a case: one distance a case.
        factor = 10.0 ** rng.uniform(0.0, 1.0, (len(centre), *(1,) * (centre.ndim - 1)))
        step = _signs(centre, rng) * factor * 10.0**decade
        blocks.append(_judged(problem, base, {pred.name: centre + step}))
        if true is not None:
            small = rng.uniform(-1.0, 1.0, centre.shape) * 10.0**decade
            blocks.append(_judged(problem, base, {true.name: small, pred.name: small + step}))
    cases = CaseBlock.concat(blocks)
    cases = cases.take(cases.ranges <= Range.WORKING)
    rows = layout.flat(np.asarray(cases.inputs[pred.name], np.float64))
    if true is not None:
        rows = rows - layout.flat(np.asarray(cases.inputs[true.name], np.float64))
    along = f"|{pred.name}|" if true is None else f"|{pred.name} - {true.name}|"
    return Ladder(along, cases, np.abs(rows).max(axis=1, initial=0.0))


def _signs(values: Array, rng: np.random.Generator) -> Array:
    return rng.choice([-1.0, 1.0], size=values.shape)


def _close(pred: Variable, base: Inputs, rng: np.random.Generator) -> Iterator[Array]:
    """Predictions with rows of nearly equal entries, and with two samples that are nearly equal."""
    if not pred.continuous or pred.size == 1:
        return
    values = base[pred.name]
    for decade in CLOSE:
        step = _signs(values, rng) * rng.uniform(1.0, 9.0, values.shape) * 10.0**decade
        if values.shape[-1] > 1:
            yield values[..., :1] + step
        if pred.samples > 1:
            pairs = values.copy()
            pairs[:, 1] = (values + step)[:, 0]
            yield pairs


def _shifted(
    true: Variable, pred: Variable, base: Inputs, rng: np.random.Generator
) -> Iterator[Array]:
    """Predictions that miss all labels of a row by nearly the same: a bias with a little noise."""
    if pred.shape[-1] < 2 or not pred.domain.movable:
        return
    values = base[true.name]
    bias = rng.uniform(-1.0, 1.0, (*values.shape[:-1], 1))
    for decade in CLOSE:
        yield values + bias + rng.uniform(-1.0, 1.0, values.shape) * 10.0**decade


def _judged(problem: Problem, base: Inputs, changed: Mapping[str, Array]) -> CaseBlock:
    inputs = dict(base)
    for variable in problem.variables:
        if variable.name in changed:
            inside = variable.domain.clip(changed[variable.name])
            inputs[variable.name] = variable.domain.project(inside)
    return problem.judge(inputs)
