"""What every program of a loss can do, graph or plain Python, and what is made of it once."""

from __future__ import annotations

import abc
import functools
import math
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.program.running.ways import Way

if TYPE_CHECKING:
    from losscheck.model import Inputs
    from losscheck.program.running.program import Program
    from losscheck.program.tracing.trace import Traced


class Owner(Protocol):
    """What holds the things that were made of it, and lets go of them with itself."""

    remembered: dict[Any, Any]


Of = TypeVar("Of", bound=Owner)
Made = TypeVar("Made")
P = ParamSpec("P")


def remembered(make: Callable[Concatenate[Of, P], Made]) -> Callable[Concatenate[Of, P], Made]:
    """Make it once for each owner and each set of further arguments, which are hashable.

    What raises is tried again.
    """

    def once(owner: Of, /, *args: P.args, **kwargs: P.kwargs) -> Made:
        key: Hashable = (make, args, tuple(kwargs.items()))
        if key not in owner.remembered:
            owner.remembered[key] = make(owner, *args, **kwargs)
        return cast("Made", owner.remembered[key])

    return functools.update_wrapper(once, make)


@attrs.frozen(kw_only=True, eq=False)
class Outcome:
    """Value and gradient of a block of cases, in the dtype that they were computed in."""

    value: Array  # (N, *shape of what the loss returns)
    gradient: Array  # (N, *shape of the prediction); zeros where no gradient reaches it

    @property
    def total(self) -> Array:
        """(N,) the loss summed over what it returns, which is what the gradient belongs to."""
        flat = self.value.reshape(len(self.value), math.prod(self.value.shape[1:]))
        # Two infinities of opposite sign make NaN here, as they do in Keras' reduction.
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(flat.astype(np.float64).sum(axis=1))

    def take(self, index: Array) -> Outcome:
        """Pick cases by number or by mask."""
        return Outcome(value=self.value[index], gradient=self.gradient[index])


class Runnable(abc.ABC):
    """A loss for arguments of fixed shapes."""

    # Of its arguments, in the order of the call, and the one that the gradient is taken of.
    names: tuple[str, ...]
    prediction: str
    traced: Traced | None  # its graph as it was traced; None where there is none
    rewritten: bool = False  # whether that graph runs in another precision than it was traced in
    eager: bool = False  # each case is a call of Python
    refuses: bool = False  # a kernel is known to raise on some cases

    @property
    def graphed(self) -> Program | None:
        """The graph of which any tensor can be had; None where there is none."""
        return None

    @property
    def draws(self) -> bool:
        """Whether random numbers are drawn inside, as far as a graph tells."""
        return False

    @property
    def has_gradient(self) -> bool:
        """Whether a gradient reaches the prediction."""
        return self.traced is not None and self.traced.gradient is not None

    def settle(self) -> Way:
        """Find out how many cases are run by one call."""
        return Way.EAGERLY

    def way(self) -> Way:
        """How many cases are run by one call, as far as is known."""
        return Way.EAGERLY

    @abc.abstractmethod
    def run(self, inputs: Inputs, mode: str = "plain") -> Outcome:
        """Value and gradient of every case."""

    @abc.abstractmethod
    def totals(self, inputs: Inputs) -> Array:
        """(N,) the summed loss of every case."""

    def singly(self, inputs: Inputs) -> Outcome:
        """Value and gradient of every case, one call each."""
        return self.run(inputs)

    def raises(self, case: Inputs) -> bool:
        """Whether something raises on one case, called by itself."""
        raise NotImplementedError

    def runs(self, inputs: Inputs, outcome: Outcome) -> Array:
        """(N,) bool: the cases on which nothing raises; only those without a value may."""
        able = np.ones(len(outcome.value), bool)
        if self.refuses:
            nan = np.isnan(outcome.value.reshape(len(able), -1)).any(axis=1)
            for i in np.flatnonzero(nan):
                able[i] = not self.raises({name: a[i] for name, a in inputs.items()})
        return able
