"""A desk that hands out evidence by name: what rules ask for, each piece gathered once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from losscheck.evidence.calls import call_outcome
from losscheck.evidence.crossings import crossings
from losscheck.evidence.dead import dead_gradients
from losscheck.evidence.digits import digit_curve
from losscheck.evidence.eager_calls import eager_calls
from losscheck.evidence.empty import empty_batch
from losscheck.evidence.ending import Ending
from losscheck.evidence.finite_tests import finite_tests, nonfinite_inputs
from losscheck.evidence.float32 import float32_gradients
from losscheck.evidence.gather import Evidence
from losscheck.evidence.gradient_sizes import gradient_sizes
from losscheck.evidence.gradients import gradient_checks
from losscheck.evidence.graph import graph_facts
from losscheck.evidence.halves import half_sweeps
from losscheck.evidence.integers import integer_ops
from losscheck.evidence.labels_outside import labels_outside
from losscheck.evidence.layouts import layout_runs
from losscheck.evidence.opinions import second_opinions
from losscheck.evidence.precision import precision
from losscheck.evidence.right import right_and_wrong
from losscheck.evidence.runs import dtype_runs, parts, repeats
from losscheck.evidence.sample_weights import weighing
from losscheck.evidence.saving import saving
from losscheck.evidence.second_order import second_order
from losscheck.evidence.sizes import sized_checks
from losscheck.evidence.training import training
from losscheck.evidence.unreached import unreached
from losscheck.evidence.upstream import upstream_check
from losscheck.evidence.xla import xla_call

GATHER: Mapping[str, Callable[[Evidence], Any]] = {
    "call": call_outcome,
    "tracing": lambda evidence: evidence.tracing,
    "graph": graph_facts,
    "sweeps": lambda evidence: evidence.sweeps,
    "eager_calls": eager_calls,
    "modes": lambda evidence: evidence.modes,
    "gradients": gradient_checks,
    "precision": precision,
    "dead": dead_gradients,
    "crossings": crossings,
    "unreached": unreached,
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
    "training": (training, ("layouts", "xla", "graph")),
    "weighing": (weighing, ("layouts",)),
}

WITHOUT_A_RUN = frozenset(
    {"call", "ending"}
)  # can be gathered of a loss that raises whatever it is given


class Desk:
    """Hands out evidence; gathers each piece when it is first asked for."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._gathered: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """A piece of evidence by name."""
        if name not in self._gathered:
            gather, others = FURTHER[name] if name in FURTHER else (GATHER[name], ())
            self._gathered[name] = gather(self.evidence, *map(self.get, others))
        return self._gathered[name]
