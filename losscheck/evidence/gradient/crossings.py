"""Places where a comparison or a kinked operation of the graph changes over, found by bisection.

Random points miss them: a kink or a jump is a single number on a line. The quantity that decides
(a - b of a comparison, x of abs) is followed along one coordinate of the prediction; where its sign
changes, bisection goes to the last bit, and the loss is looked at from both sides.
"""

from __future__ import annotations

import attrs
import numpy as np

from losscheck import domains
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.deciders import Walk, deciders_of, joins, steps
from losscheck.evidence.search.sweep import Scale, Sweep
from losscheck.model import Array, Location, Range
from losscheck.numerics import DIVERGING
from losscheck.numerics.crossing import cross
from losscheck.numerics.ladder import derivatives
from losscheck.program.tracing.wiring import Wiring

BASES = 24  # ordinary cases that a coordinate is moved in
GRID = 33  # values along the coordinate
MOST = 240  # crossings looked at
FEWEST = 2  # of them, however much a case takes
EVALUATIONS = 30_000  # cases that a search of so many bases and crossings runs
COMPUTED = 1 << 28  # numbers that it may compute; it has fewer of them where a case takes many
SAFETY = 10.0  # on the error estimates, as in numerics.verdict
SMALL = 1e-6  # of the ordinary loss: what constants rounded to float32 may shift a branch by
SETTLED = 0.1  # of a jump: what the loss may move beside it
BESIDE = 1e-6  # relative distance at which that is looked at
SLIGHT = 1e-3  # of the ordinary slope
TIE = 2.0**-46  # relative: what rounding alone makes of a place at which a quantity is 0


@attrs.frozen(kw_only=True, eq=False)
class Crossing:
    """One operation changing over at one value of the prediction.

    Attributes
    ----------
    at
        The value of the prediction's coordinate.
    error
        at minus the label there; None where labels have another shape.
    left, right
        One-sided derivatives, with their error estimates.
    left_growth, right_growth
        Exponents of their quotients (numerics.quotients): whether a slope is infinite.
    gradient
        What the program gives just above.
    tie_gradient
        What it gives where the operation is undecided, as abs at 0; NaN where no number is.
    below, above, step_error
        The loss just below and just above, and the rounding that their difference could be.
    joins
        Which branches meet there: "branches" of a where() that both depend on the prediction, or
        a "selection" (a count, a mask, a constant instead).
    """

    node: str
    op: str
    location: Location | None
    inputs: dict[str, Array]
    at: float
    error: float | None
    left: float
    left_error: float
    right: float
    right_error: float
    left_growth: float
    right_growth: float
    gradient: float
    tie_gradient: float
    below: float  # the loss
    above: float
    unsettled: float  # how far it moves on either side within a millionth of the prediction
    step_error: float
    joins: str
    scale: float  # ordinary gradient
    value_scale: float

    @property
    def step(self) -> float:
        """The loss just above minus the loss just below."""
        return self.above - self.below

    @property
    def jump(self) -> bool:
        """Whether the loss steps there, beyond rounding and a millionth of the ordinary loss."""
        size = abs(self.step)
        # At a pole the loss does not settle on either side: that is no jump but an infinity.
        settles = self.unsettled <= SETTLED * size
        return settles and size > SAFETY * self.step_error + SMALL * self.value_scale

    @property
    def root(self) -> bool:
        """Whether a slope is infinite there, as that of a square root."""
        return max(self.left_growth, self.right_growth) >= DIVERGING

    @property
    def tolerance(self) -> float:
        """What slopes may differ by: their errors, and a thousandth of the ordinary slope."""
        return SAFETY * (self.left_error + self.right_error) + SLIGHT * self.scale

    @property
    def kink(self) -> bool:
        """Whether the slopes differ beyond what they may, or one is infinite."""
        return self.root or abs(self.right - self.left) > self.tolerance

    @property
    def takes(self) -> str:
        """Which slope the gradient takes where the operation is undecided.

        "below", "above", "both" where they are equal, "between" or "outside" the two; "" where no
        number is undecided or a slope is not known.
        """
        known = np.isfinite([self.tie_gradient, self.tolerance]).all()
        if not known or self.root or self.jump:
            return ""
        near = [abs(self.tie_gradient - s) <= self.tolerance for s in (self.left, self.right)]
        if any(near):
            return "both" if all(near) else "below" if near[0] else "above"
        low, high = sorted((self.left, self.right))
        return "between" if low < self.tie_gradient < high else "outside"

    @property
    def perfect_fit(self) -> bool:
        """Whether it lies where prediction and label are equal, as that of an absolute error."""
        return self.error is not None and abs(self.error) <= SMALL * max(1.0, abs(self.at))


def crossings(evidence: Evidence) -> tuple[Crossing, ...]:
    """Find the crossings along coordinates of the prediction.

    Those of the smallest instance; a maximum or an order takes more than one number in a row, which
    only a larger one has.
    """
    found: list[Crossing] = []
    searched = False
    for instance, sweep in zip(evidence.instances, evidence.sweeps, strict=False):
        if instance.program.graphed is not None and sweep.has_gradient:
            found += _search(evidence, instance, sweep, ordered=searched)
            searched = True
    return tuple(found)


def _search(
    evidence: Evidence, instance: Instance, sweep: Sweep, *, ordered: bool
) -> tuple[Crossing, ...]:
    """Search one instance, for maxima and orders alone where the others have been."""
    double = evidence.programs.double(instance.shapes).graphed
    assert double is not None
    # A retraced program has names of its own.
    graph = double.wiring
    domain = domains.parse(evidence.spec.prediction.domain)
    every = deciders_of(graph)
    deciders = [d for d in every if d.ordered or not ordered]
    alone = not domain.movable and instance.shapes[double.prediction][-1:] == (1,)
    ordinary = np.flatnonzero((sweep.ranges == Range.ORDINARY) & sweep.forward_finite)
    rng = np.random.default_rng(evidence.seed)
    share = min(1.0, COMPUTED / (EVALUATIONS * double.effort.numbers))
    bases = min(max(1, int(BASES * share)), len(ordinary))
    picked = np.sort(rng.choice(ordinary, bases, replace=False))
    if not deciders or not len(picked) or alone:  # a row of one number has nowhere to go
        return ()
    walk = Walk(double, sweep.cases.take(picked), domain, deciders)
    brackets = _brackets(evidence, walk, max(FEWEST, int(MOST * share)))
    if not len(brackets[0]):
        return ()
    place = _bisect(walk, *brackets)
    at = np.where(place.tie == 0, 0.0, place.above)  # domains leave out what is next to 0
    place = place.take(walk.inside(place.case, place.coordinate, at))
    if not len(place.case):
        return ()
    found = _look(evidence, walk, graph, sweep.scale, place)
    return _blamed(attrs.evolve(walk, deciders=every), graph, place, found)


def _brackets(
    evidence: Evidence, walk: Walk, most: int
) -> tuple[Array, Array, Array, Array, Array]:
    """Find sign changes of each quantity between neighbours of a grid over the ordinary range."""
    domain, shape = walk.domain, walk.base.inputs[walk.program.prediction].shape[1:]
    row = domain.width or (1 if domain.movable else shape[-1])
    coordinates = np.arange(min(int(np.prod(shape)), domain.width or 2))
    sample = domain.ordinary(256, (row,), seed=evidence.seed, classes=2)
    low, high = sample.min(axis=0), sample.max(axis=0)
    grids = np.linspace(low, high, GRID) + (high - low) * 1e-3 * np.sqrt(2)  # off round numbers
    grid = grids[:, coordinates % len(low)].T  # a row for each coordinate
    n = len(walk.base)
    case, coordinate, at = (
        a.ravel() for a in np.meshgrid(np.arange(n), coordinates, np.arange(GRID), indexing="ij")
    )
    quantities = walk.quantities(case, coordinate, grid[coordinate, at])
    signs = np.sign(quantities).reshape(n * len(coordinates), GRID, -1)
    change = signs[:, :-1] * signs[:, 1:] < 0
    row, step, column = np.nonzero(change)
    if len(row) > most:
        rng = np.random.default_rng(evidence.seed)
        keep = np.sort(rng.choice(len(row), most, replace=False))
        row, step, column = row[keep], step[keep], column[keep]
    return (
        row // len(coordinates),
        coordinates[row % len(coordinates)],
        grid[row % len(coordinates), step],
        grid[row % len(coordinates), step + 1],
        column,
    )


@attrs.frozen(eq=False)
class _Place:
    """Where quantities change over: neighbouring numbers below and above, one of each a place."""

    case: Array
    coordinate: Array
    below: Array
    tie: Array  # NaN where the quantity is never 0
    above: Array
    owners: Array  # indices of the deciders

    def take(self, index: Array) -> _Place:
        """Choose some of the places."""
        return _Place(*(array[index] for array in attrs.astuple(self, recurse=False)))


def _bisect(
    walk: Walk, case: Array, coordinate: Array, below: Array, above: Array, column: Array
) -> _Place:
    """Close every bracket: the last number of each sign of its own quantity.

    From both ends: numbers between at which the quantity is 0 belong to neither side. One such
    number, or as many as rounding makes of it, is a tie. More of them are a plateau, as that of
    x - clip(x), and its ends are two places: the loss far apart says nothing of a jump.
    """
    count = len(case)
    row = np.tile(np.arange(count), 2)

    def quantity(row: Array, _: Array, value: Array) -> Array:
        return walk.quantities(case[row], coordinate[row], value)[np.arange(len(row)), column[row]]

    ends = np.concatenate([below, above]), np.concatenate([above, below])
    found = cross(quantity, row, coordinate[row], *ends)
    (low, high), (next_low, next_high) = np.split(found.before, 2), np.split(found.after, 2)
    tie, high_tie = np.split(np.where(found.zero, found.after, np.nan), 2)
    wide = high - low > TIE * np.fmax(1.0, np.abs(high))
    first = np.where(wide, next_low, high)
    both = np.concatenate([np.arange(count), np.flatnonzero(wide)])
    return _Place(
        case=case[both],
        coordinate=coordinate[both],
        below=_normal(np.concatenate([low, next_high[wide]])),
        tie=np.concatenate([tie, high_tie[wide]]),
        above=_normal(np.concatenate([first, high[wide]])),
        owners=walk.owners()[column[both]],
    )


def _normal(x: Array) -> Array:
    """The numbers next to 0 that kernels take for another one, as float32 and float64 have them."""
    tiny = float(np.finfo(np.float32).tiny)
    return np.where((x != 0) & (np.abs(x) < tiny), np.copysign(tiny, x), x)


def _look(
    evidence: Evidence, walk: Walk, graph: Wiring, scale: Scale, place: _Place
) -> tuple[Crossing, ...]:
    """Look at the loss from both sides of every place."""
    case, coordinate = place.case, place.coordinate
    evaluate = walk.totals
    low, high = evidence.edges(coordinate)
    floor, ceiling = np.fmin(low, place.below), np.fmax(high, place.above)
    left = derivatives(evaluate, case, coordinate, place.below, floor, place.below)
    right = derivatives(evaluate, case, coordinate, place.above, place.above, ceiling)
    far = BESIDE * np.fmax(1.0, np.abs(place.above))
    with np.errstate(invalid="ignore"):
        unsettled = np.fmax(
            np.abs(evaluate(case, coordinate, place.below - far) - left.centre),
            np.abs(evaluate(case, coordinate, place.above + far) - right.centre),
        )
    inputs = walk.inputs(case, coordinate, place.above)
    rows = np.arange(len(case))
    there = inputs[walk.program.prediction].reshape(len(case), -1)[rows, coordinate]
    slopes, ties = (walk.slopes(case, coordinate, at) for at in (place.above, place.tie))
    rounding = 64 * np.finfo(float).eps * np.fmax(np.abs(left.centre), np.abs(right.centre))
    origins = walk.program.traced.origins
    found = []
    for i in rows:
        node = walk.deciders[place.owners[i]].node
        one = {name: array[i] for name, array in inputs.items()}
        found.append(
            Crossing(
                node=node.name,
                op=node.type,
                location=origins.location(node.name),
                inputs=one,
                at=0.0 if place.tie[i] == 0 else float(there[i]),
                error=_error(evidence, one, int(coordinate[i])),
                left=float(left.left[i]),
                left_error=float(left.left_error[i]),
                right=float(right.right[i]),
                right_error=float(right.right_error[i]),
                left_growth=float(left.left_growth[i]),
                right_growth=float(right.right_growth[i]),
                gradient=float(slopes[i]),
                tie_gradient=float(ties[i]) if np.isfinite(place.tie[i]) else np.nan,
                below=float(left.centre[i]),
                above=float(right.centre[i]),
                unsettled=float(unsettled[i]),
                step_error=float(rounding[i]),
                joins=joins(graph, node),
                scale=scale.gradient,
                value_scale=scale.value,
            )
        )
    return tuple(found)


def _blamed(
    walk: Walk, graph: Wiring, place: _Place, found: tuple[Crossing, ...]
) -> tuple[Crossing, ...]:
    """Lay jumps at the door of the first operation that jumps there itself.

    Maxima, clips and sizes are continuous, however many of them change over at the same place.
    """
    jumps = [i for i, crossing in enumerate(found) if crossing.jump]
    if not jumps:
        return found
    at = place.take(np.asarray(jumps))
    changed = walk.changes(at.case, at.coordinate, at.below, at.above)
    breaking = np.asarray([decider.breaks for decider in walk.deciders])
    result, origins = list(found), walk.program.traced.origins
    for i, own in zip(jumps, changed & breaking, strict=True):
        nodes = [walk.deciders[int(k)].node for k in np.flatnonzero(own)] or steps(graph)
        if nodes:
            node = min(nodes, key=graph.order)
            result[i] = attrs.evolve(
                found[i],
                node=node.name,
                op=node.type,
                location=origins.location(node.name),
                joins=joins(graph, node),
            )
    return tuple(result)


def _error(evidence: Evidence, inputs: dict[str, Array], coordinate: int) -> float | None:
    label = evidence.spec.named("y_true")
    prediction = inputs[evidence.spec.prediction.name]
    if label is None or inputs[label.name].shape != prediction.shape:
        return None
    return float(prediction.ravel()[coordinate] - inputs[label.name].ravel()[coordinate])
