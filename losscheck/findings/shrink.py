"""A failing case made as simple as it can be: each simpler one is judged by the same rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.cases.problem import Problem, Variable
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import EAGER_CASES
from losscheck.evidence.gradient.check import EVALUATIONS
from losscheck.evidence.gradient.second_order import SecondOrderCheck
from losscheck.evidence.precision.lost_digits import vectorized
from losscheck.evidence.search.refusals import NARROWED, outside
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array
from losscheck.program.tracing.trace import CallError
from losscheck.rules import by_code
from losscheck.rules.base import Rule, Trail
from losscheck.rules.crowd import Crowd
from losscheck.settings.budget import SIMPLER, CutError, strictly

# Numbers that people like to read, the simplest first.
SIMPLE = (0.0, 1.0, -1.0, 2.0, 0.5, -2.0, 10.0, -10.0, 0.1, 100.0, -100.0, 1e3, -1e3, 1e4, -1e4)
DIGITS = (1, 2, 3)  # significant digits that a number is rounded to
ROUNDS = 6  # passes over all coordinates
WIDE = 256  # numbers of an argument that are simplified one by one; of more, a stretch at a time
STRETCHES = 16
PRICED = 128  # numbers of a large argument that stand for all of them where cases are compared

Judge = Callable[[CaseBlock], Array]  # cases -> (N,) bool: still suspected
SHRINK_ELEMENTS = 1 << 20  # numbers that one round of simplifying may run through the loss
SINGLE_TRIES = 48  # simpler cases that are tried at a time where each takes a call of its own


def shrink(case: CaseBlock, judge: Judge, problem: Problem) -> tuple[CaseBlock, bool]:
    """Simplify one case, number by number, as long as the rule still suspects it.

    Parameters
    ----------
    case
        A block of one case.
    judge
        The rule, with the population's statistics held fixed.
    problem
        What values the inputs may take; a simpler case reaches no wider range than the first.

    Returns
    -------
    tuple
        The case, and whether there was no time to simplify it any further.
    """
    with strictly(SIMPLER):
        for _ in range(ROUNDS):
            try:
                simpler = _simpler(case, judge, problem)
            except CutError:
                return case, True
            if simpler is None:
                break
            case = simpler
    return case, False


def _simpler(case: CaseBlock, judge: Judge, problem: Problem) -> CaseBlock | None:
    """Simplify a case in one pass over its numbers; None where that is done."""
    candidates = _candidates(case, problem)
    kept = candidates.take(judge(candidates)) if len(candidates) else candidates
    if not len(kept):
        return None
    costs = cost(kept)
    if costs.min() >= cost(case)[0]:
        return None
    return _together(case, kept, judge, problem, costs)


def _together(
    case: CaseBlock, kept: CaseBlock, judge: Judge, problem: Problem, costs: Array
) -> CaseBlock:
    """Take as many single simplifications at once as the rule lets pass; at least the best one."""
    merged = {name: np.array(array) for name, array in case.inputs.items()}
    done: set[tuple[str, int]] = set()
    order = np.argsort(costs, kind="stable")
    for i in order:
        for name, array in kept.inputs.items():
            before, after = case.inputs[name][0].ravel(), array[i].ravel()
            changed = np.flatnonzero(before.view(_bits(before)) != after.view(_bits(after)))
            if len(changed) and not any((name, int(j)) in done for j in changed):
                merged[name].reshape(-1)[changed] = after[changed]
                done.update((name, int(j)) for j in changed)
    best = kept.take(order[:1])
    if all(np.array_equal(merged[n], a, equal_nan=True) for n, a in best.inputs.items()):
        return best  # there is nothing else to be taken with it
    both = problem.judge(merged)
    fits = len(both) and both.ranges[0] <= case.ranges[0] and cost(both)[0] <= cost(best)[0]
    return both if fits and bool(judge(both)[0]) else best


def _bits(array: Array) -> str:
    return f"u{array.dtype.itemsize}"


def _candidates(case: CaseBlock, problem: Problem) -> CaseBlock:
    blocks = [problem.judge(_jointly(case, problem))]
    if alone := _samples(case):
        blocks.append(problem.judge(alone))
    for variable in problem.variables:
        array = case.inputs[variable.name]
        rows = not variable.domain.movable
        options = _rows(array, variable) if rows else _elements(array)
        if len(options):
            inputs = {n: np.repeat(a, len(options), axis=0) for n, a in case.inputs.items()}
            blocks.append(problem.judge({**inputs, variable.name: options}))
    found = CaseBlock.concat(blocks)
    return found.take(found.ranges <= case.ranges[0])


def _jointly(case: CaseBlock, problem: Problem) -> dict[str, Array]:
    """Every argument filled with the same simple number: what needs two of them equal stays so."""
    n = len(SIMPLE)
    numbers = np.asarray(SIMPLE)
    return {
        v.name: np.broadcast_to(numbers.reshape(n, *(1,) * len(v.shape)), (n, *v.shape)).astype(
            case.inputs[v.name].dtype
        )
        for v in problem.variables
    }


def _samples(case: CaseBlock) -> dict[str, Array]:
    """Every sample but one filled with 0; nothing where there is one, or no first axis of them."""
    shapes = [array.shape[1:] for array in case.inputs.values()]
    counts = {shape[0] for shape in shapes if shape}
    if len(counts) != 1 or not all(shapes) or (count := counts.pop()) == 1:
        return {}
    found = {}
    for name, array in case.inputs.items():
        found[name] = np.zeros((count, *array.shape[1:]), array.dtype)
        found[name][np.arange(count), np.arange(count)] = array[0]
    return found


def _elements(array: Array) -> Array:
    """(K, *shape) the array with one element, or all, made simpler."""
    flat = array.reshape(-1)
    options = [np.full_like(flat, number) for number in SIMPLE]
    if len(flat) > WIDE:
        for stretch in np.array_split(np.arange(len(flat)), STRETCHES):
            changed = flat.copy()
            changed[stretch] = 0.0
            options.append(changed)
        return np.stack(options).reshape(-1, *array.shape[1:])
    for j, (x, price) in enumerate(zip(flat.tolist(), _price(flat).tolist(), strict=True)):
        numbers = np.asarray((*SIMPLE, *_rounded(x)), np.float64)
        with np.errstate(over="ignore"):  # 65504 is 7e4 in one digit, which float16 cannot hold
            numbers = numbers[np.isfinite(numbers.astype(flat.dtype))]
        for number in numbers[_price(numbers) < price]:
            changed = flat.copy()
            changed[j] = number
            options.append(changed)
    return np.stack(options).reshape(-1, *array.shape[1:])


def _rounded(x: float) -> list[float]:
    if not np.isfinite(x) or x == 0:
        return []
    return [float(f"{x:.{digits - 1}e}") for digits in DIGITS]


def _rows(array: Array, variable: Variable) -> Array:
    """(K, *shape) the array with one row replaced by a landmark of its domain."""
    width = array.shape[-1]
    corners = np.asarray(variable.usual, array.dtype).reshape(-1, width)
    rows = array.reshape(-1, width)
    options = []
    if array.size > WIDE:
        alike = np.broadcast_to(corners[:STRETCHES, None], (len(corners[:STRETCHES]), *rows.shape))
        return alike.reshape(-1, *array.shape[1:])
    for j in range(len(rows)):
        for corner in corners:
            changed = rows.copy()
            changed[j] = corner
            options.append(changed)
    return np.stack(options).reshape(-1, *array.shape[1:]) if options else array[:0]


def cost(block: CaseBlock) -> Array:
    """(N,) how hard the numbers of a case are to read: 0, then 1, then few digits near 1."""
    flat = [a.reshape(len(block), -1) for a in block.inputs.values()]
    return np.asarray(sum(_price(a[:, _spread(a)]).sum(axis=1) for a in flat))


def _spread(rows: Array) -> slice:
    return slice(None, None, max(1, rows.shape[1] // PRICED))


def _price(numbers: Array) -> Array:
    flat = np.asarray(numbers, np.float64)
    distinct, places = np.unique(flat, return_inverse=True)
    prices = _prices(distinct)[places.reshape(-1)].reshape(flat.shape)
    return np.asarray(prices + 0.2 * ((flat == 0) & np.signbit(flat)))  # -0 is odder than 0


def _prices(numbers: Array) -> Array:
    sizes = np.abs(numbers)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        texts = sizes.astype(np.float32).astype(str).tolist()
        exponents = np.where(np.isfinite(numbers), np.abs(np.log10(sizes)), 40.0)
    digits = [len(text.replace(".", "").partition("e")[0].strip("0")) for text in texts]
    found = 1.0 + (numbers < 0) * 0.5 + 2.0 * (np.asarray(digits) - 1.0) + 0.2 * exponents
    return np.asarray(np.where(numbers == 0, 0.0, found))


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
        kept[usable[suspected(desk, rule, crowd, again)]] = True
        return kept & outside(desk.evidence, cases) if crowd.form == NARROWED else kept

    return judge


def suspected(desk: Desk, rule: Rule, crowd: Crowd, again: Any) -> Array:
    """Say which cases of a population a rule suspects of the same as those of a crowd.

    Returns
    -------
    array
        Indices into the population.
    """
    evidence: dict[str, Any] = {name: desk.get(name) for name in rule.needs}
    evidence |= _again(crowd, again, evidence)
    found = [
        other.members
        for other in rule.judge(**evidence)
        if isinstance(other, Crowd) and other.population is again and _alike(other, crowd)
    ]
    return np.concatenate([np.zeros(0, np.int64), *found])


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


def _as_large(one: Sweep, other: Sweep) -> bool:
    return one.gradient.shape[1:] == other.gradient.shape[1:]


def _again(crowd: Crowd, again: Any, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of a rule with its populations replaced by the cases that are judged again."""
    replaced: dict[str, Any] = {}
    for name, pieces in evidence.items():
        if name == "modes":
            beside = [run for run in pieces if run.graph is crowd.population]
            replaced[name] = tuple(
                run.rerun(again) for run in beside if _as_large(run.graph, again)
            )
        elif pieces is crowd.population:
            replaced[name] = again
        elif isinstance(pieces, tuple) and any(piece is crowd.population for piece in pieces):
            replaced[name] = (again,)
    return replaced
