"""A desk that hands out evidence by name: what rules ask for, each piece gathered once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient.check import gradient_checks
from losscheck.evidence.gradient.crossings import crossings
from losscheck.evidence.gradient.dead import dead_batches, dead_gradients
from losscheck.evidence.gradient.elsewhere import sized_checks, upstream_check
from losscheck.evidence.gradient.float32 import float32_gradients
from losscheck.evidence.gradient.gradient_sizes import gradient_sizes
from losscheck.evidence.gradient.minima import floor, right_and_wrong
from losscheck.evidence.gradient.other_checkers import second_opinions
from losscheck.evidence.gradient.second_order import second_order
from losscheck.evidence.gradient.unreached import unreached
from losscheck.evidence.graph import GraphFacts, graph_facts
from losscheck.evidence.keras.sample_weights import weighing
from losscheck.evidence.keras.training import saving, training
from losscheck.evidence.precision.digits import digit_curve
from losscheck.evidence.precision.finite_tests import finite_tests, nonfinite_inputs
from losscheck.evidence.precision.halves import half_sweeps
from losscheck.evidence.precision.integers import integer_ops
from losscheck.evidence.precision.lost_digits import precision
from losscheck.evidence.search.refusals import lone, narrowed, refusals
from losscheck.evidence.search.untaken import untaken
from losscheck.evidence.shape.calls import call_outcome, eager_calls, xla_call
from losscheck.evidence.shape.labels_outside import labels_outside
from losscheck.evidence.shape.layouts import layout_runs
from losscheck.evidence.shape.reruns import dtype_runs, empty_batch, parts, repeats
from losscheck.faults import FailedError
from losscheck.model import UsageError
from losscheck.rules.execution.ending import Ending

GATHER: Mapping[str, Callable[[Evidence], Any]] = {
    "call": call_outcome,
    "tracing": lambda evidence: evidence.tracing,
    "graph": graph_facts,
    "sweeps": lambda evidence: evidence.sweeps,
    "narrowed": narrowed,
    "refusals": refusals,
    "eager_calls": eager_calls,
    "modes": lambda evidence: evidence.modes,
    "gradients": gradient_checks,
    "precision": precision,
    "dead": dead_gradients,
    "crossings": crossings,
    "unreached": unreached,
    "untaken": untaken,
    "finite_tests": finite_tests,
    "nonfinite_inputs": nonfinite_inputs,
    "layouts": layout_runs,
    "parts": parts,
    "empty_batch": empty_batch,
    "dtypes": dtype_runs,
    "repeats": repeats,
    "halves": half_sweeps,
    "gradient_sizes": gradient_sizes,
    "right_and_wrong": right_and_wrong,
    "labels_outside": labels_outside,
    "integers": integer_ops,
    "xla": xla_call,
    "saving": saving,
    "ending": lambda _: Ending(),  # whoever gets as far as this has finished
}

# What is gathered from other evidence as well: name -> its gatherer, and what it is handed.
FURTHER: Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "opinions": (second_opinions, ("gradients",)),
    "digits": (digit_curve, ("precision",)),
    "float32": (float32_gradients, ("gradients",)),
    "sized": (sized_checks, ("gradients",)),
    "upstream": (upstream_check, ("gradients",)),
    "second_order": (second_order, ("gradients",)),
    "dead_batches": (dead_batches, ("parts",)),
    "floor": (floor, ("right_and_wrong",)),
    "lone": (lone, ("parts",)),
    "training": (training, ("layouts", "xla", "graph")),
    "weighing": (weighing, ("layouts",)),
}

WITHOUT_A_RUN = frozenset(
    {"call", "ending"}
)  # can be gathered of a loss that raises whatever it is given

WITHOUT_VALUES = frozenset(
    {"call", "ending", "tracing", "graph", "dtypes", "xla", "saving"}
)  # rests on the shapes of the arguments, not on what values they may take

# What a rule is handed in place of evidence that failed, where this can only hide findings and
# never make one: what else it needs is then judged all the same.
INSTEAD: Mapping[str, Any] = {
    "tracing": None,
    "graph": GraphFacts(),
    "sweeps": (),
    "lone": (),
    "unreached": None,
    "modes": (),
    "narrowed": (),
    "refusals": (),
    "eager_calls": None,
    "gradients": (),
    "sized": (),
    "float32": (),
    "upstream": None,
    "nonfinite_inputs": (),
    "dtypes": (),
    "layouts": (),
}


class Desk:
    """Hands out evidence; gathers each piece when it is first asked for, and once if it fails."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._gathered: dict[str, Any] = {}
        self._failed: dict[str, FailedError] = {}

    def get(self, name: str) -> Any:
        """A piece of evidence by name.

        Raises
        ------
        FailedError
            It cannot be gathered, for a fault of ours.
        """
        if name in self._failed:
            raise self._failed[name]
        if name not in self._gathered:
            try:
                self._gathered[name] = self._gather(name)
            except UsageError:
                raise
            except Exception as error:
                fault = self.evidence.faults.add(f'the evidence "{name}"', error, name)
                self._failed[name] = FailedError(fault)
                raise self._failed[name] from error
        return self._gathered[name]

    def given(self, name: str) -> Any:
        """A piece of evidence, or what a rule can do with instead.

        Raises
        ------
        FailedError
            It cannot be gathered, and nothing stands for it.
        """
        try:
            return self.get(name)
        except FailedError:
            if name not in INSTEAD:
                raise
            return INSTEAD[name]

    def gathered(self, name: str) -> Any:
        """A piece of evidence that was asked for before; None where it was not."""
        return self._gathered.get(name)

    def _gather(self, name: str) -> Any:
        gather, others = FURTHER[name] if name in FURTHER else (GATHER[name], ())
        return gather(self.evidence, *map(self.get, others))


class Handed(Desk):
    """What a rule was handed, some of it in place of evidence that the budget cut."""

    def __init__(self, desk: Desk, given: Mapping[str, Any]) -> None:
        super().__init__(desk.evidence)
        self._desk = desk
        self._gathered = dict(given)

    def get(self, name: str) -> Any:
        """A piece that the rule was handed, or any other."""
        return self._gathered[name] if name in self._gathered else self._desk.get(name)
