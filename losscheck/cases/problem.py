"""What cases are generated for: the arguments at one size, and the judgment of what is a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck import domains
from losscheck.cases.blocks import CaseBlock
from losscheck.cases.coincidence import coincidence, comparable
from losscheck.cases.variable import Variable
from losscheck.domains.floats import cast
from losscheck.domains.numbers import Numbers
from losscheck.domains.spread import uniform
from losscheck.model import Argument, Array, Inputs, Range


@attrs.frozen(eq=False)
class Problem:
    """The arguments of a loss at one size.

    Parameters
    ----------
    variables
        The arguments, in the order of the call.
    dtype
        The float type of every input; labels too, as Keras hands them over.
    classes
        The number of classes of `class_index` arguments.
    """

    variables: tuple[Variable, ...]
    dtype: str
    classes: int

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
        count
            Number of cases.
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
