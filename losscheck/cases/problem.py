"""What cases are generated for: the arguments at one size, and the judgment of what is a case."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock, fingerprint
from losscheck.domains import OUTSIDE, Domain, layout
from losscheck.domains.base import Wanted
from losscheck.domains.floats import between, cast, float_format
from losscheck.domains.layout import uniform
from losscheck.domains.numbers import Numbers
from losscheck.model import Argument, Array, Inputs, Met, Range

# A change of some arguments, which it returns; it makes of independent values related ones.
Change = Callable[[Inputs, np.random.Generator], dict[str, Array]]


@attrs.frozen(eq=False)
class Variable:
    """An argument at one size, with its landmarks."""

    name: str
    role: str
    domain: Domain  # what it may hold
    shape: tuple[int, ...]  # of one case
    tokens: Array  # (k,) or (k, width): its landmark numbers or rows
    usual: Array  # those of the tokens that are working or ordinary
    met: Met | None = None  # the numbers of the user's data, where the domain was learnt from them

    @property
    def continuous(self) -> bool:
        """Whether two equal values are a coincidence.

        Among labels and weights they are not; nor among rows of one entry, which can only be 1.
        """
        free = self.domain.elementwise or self.shape[-1] > 1
        return free and not self.domain.integral and self.role != "weight"

    @property
    def slots(self) -> int:
        """How many tokens one case has room for."""
        return layout.slots(self.shape, self.tokens)

    @property
    def samples(self) -> int:
        """The number of rows along the batch axis."""
        return self.shape[0] if self.shape else 1

    @property
    def size(self) -> int:
        """The number of elements of one case."""
        return math.prod(self.shape)

    def draw(
        self, points: Array, reach: Range, dtype: str, classes: int, rng: np.random.Generator
    ) -> Array:
        """Turn uniform points into (n, *shape) float64 cases; see `Domain.draw`."""
        to = Wanted(shape=self.shape, reach=reach, rng=rng, dtype=dtype, classes=classes)
        return self.domain.draw(points, to)

    def classify(self, values: Array, dtype: str, classes: int) -> Array:
        """Tell the widest range that each case touches; see `Domain.classify`.

        What lies between the ends of the user's data is ordinary, since a model gave it.
        """
        codes = self.domain.classify(values, dtype, classes)
        if self.met is None:
            return codes
        flat = layout.flat(np.asarray(values, np.float64))
        sizes = np.abs(flat)
        met = between(flat, (self.met.least, self.met.greatest), dtype)
        met &= (sizes == 0.0) | (sizes >= float_format(dtype).tiny)  # TensorFlow flushes subnormals
        inside = met.all(axis=1) & (codes < OUTSIDE)
        return np.where(inside, np.uint8(Range.ORDINARY), codes)


@attrs.frozen(eq=False)
class Problem:
    """The arguments of a loss at one size."""

    variables: tuple[Variable, ...]  # the arguments, in the order of the call
    dtype: str  # the float type of every input; labels too, as Keras hands them over
    classes: int  # the number of classes of `class_index` arguments

    @classmethod
    def of(
        cls,
        arguments: Sequence[Argument],
        shapes: Mapping[str, tuple[int, ...]],
        dtype: str,
        classes: int,
    ) -> Problem:
        """Read the domains of arguments and look up their landmarks."""
        variables = []
        for argument in arguments:
            domain, shape = domains.parse(argument.domain), shapes[argument.name]
            met = argument.met
            if met is not None and isinstance(domain, Numbers):
                domain = domain.reaching(met.low, met.high)
            tokens = domain.tokens(shape, dtype, classes)
            usual = domain.contains(tokens, Range.WORKING, dtype=dtype, classes=classes)
            variables.append(
                Variable(argument.name, argument.role, domain, shape, tokens, tokens[usual], met)
            )
        return cls(tuple(variables), dtype, classes)

    def with_role(self, role: str) -> Variable | None:
        """Give the first argument of a role."""
        return next((variable for variable in self.variables if variable.role == role), None)

    @property
    def pair(self) -> tuple[Variable, Variable] | None:
        """The label and the prediction, where the one can equal the other."""
        true, pred = self.with_role("y_true"), self.with_role("y_pred")
        if true is None or pred is None or not comparable(true, pred):
            return None
        return true, pred

    @property
    def single(self) -> bool:
        """Whether every argument holds one number or one row."""
        return all(variable.slots == 1 for variable in self.variables)

    def nothing(self) -> CaseBlock:
        """Give a block of no cases."""
        return self.judge({item.name: np.empty((0, *item.shape)) for item in self.variables})

    def draw(self, count: int, reach: Range, rng: np.random.Generator) -> dict[str, Array]:
        """Spread cases evenly over all arguments together.

        One sequence serves all of them: two sequences of one coordinate each would be functions
        of one another.

        Parameters
        ----------
        reach
            The range that every argument is drawn from.

        Returns
        -------
        dict[str, Array]
            For each argument (count, *shape) float64.
        """
        widths = [variable.domain.dimensions(variable.shape) for variable in self.variables]
        points = uniform(count, sum(widths), rng)
        parts = np.split(points, np.cumsum(widths)[:-1], axis=1)
        return {
            variable.name: variable.draw(part, reach, self.dtype, self.classes, rng)
            for variable, part in zip(self.variables, parts, strict=True)
        }

    def judge(self, inputs: Inputs) -> CaseBlock:
        """Cast cases to the dtype, drop those outside their domains, and settle their ranges.

        Parameters
        ----------
        inputs
            For each argument (n, *shape).

        Returns
        -------
        CaseBlock
            At most n cases. Each has the widest range that an argument touches; a coincidence
            (the prediction equals the label, equal rows) makes it working at least.
        """
        stored = {
            variable.name: cast(inputs[variable.name], self.dtype) for variable in self.variables
        }
        ranges = np.maximum.reduce(
            [
                variable.classify(stored[variable.name], self.dtype, self.classes)
                for variable in self.variables
            ]
        )
        inside = CaseBlock(stored, ranges).take(ranges < domains.OUTSIDE)
        floor = coincidence(self.variables, self.pair, inside.inputs, len(inside))
        return CaseBlock(inside.inputs, np.maximum(inside.ranges, floor))


def comparable(true: Variable, pred: Variable) -> bool:
    """Whether a prediction that equals the label is a coincidence, and a perfect one.

    Logits are compared with logits alone: a logit of 1 says nothing of a label of 1. Predictions
    that are whole numbers equal their labels all the time.
    """
    logits = [variable.domain.name == "logits" for variable in (true, pred)]
    return true.shape == pred.shape and pred.continuous and logits[0] == logits[1]


def coincidence(
    variables: Sequence[Variable],
    pair: tuple[Variable, Variable] | None,
    inputs: Inputs,
    count: int,
) -> Array:
    """Tell which cases hold equal values that ordinary data does not.

    Parameters
    ----------
    pair
        The label and the prediction, where they are comparable.
    inputs
        For each argument (count, *shape).

    Returns
    -------
    Array
        (count,) uint8: working where an element of the prediction equals its label, two samples of
        an argument are equal, or all entries of a row are; else ordinary.
    """
    found = np.zeros(count, bool)
    if pair is not None:
        true, pred = (layout.flat(inputs[variable.name]) for variable in pair)
        found |= (true == pred).any(axis=1)
    for variable in variables:
        if variable.continuous and variable.size > 1:
            values = inputs[variable.name]
            found |= _equal_samples(values)
            if variable.shape[-1] > 1:
                rows = layout.rows(values)
                found |= (rows == rows[..., :1]).all(axis=2).any(axis=1)
    return np.where(found, Range.WORKING, Range.ORDINARY).astype(np.uint8)


def _equal_samples(values: Array) -> Array:
    """Whether two samples of each case (n, B, ...) are equal: (n,) bool."""
    count, samples = values.shape[:2]
    # Adding 0 turns -0 into 0, which it equals.
    prints = fingerprint(
        values.reshape(count * samples, math.prod(values.shape[2:])) + values.dtype.type(0)
    )
    ordered = np.sort(prints.reshape(count, samples), axis=1)
    equal: Array = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    return equal
