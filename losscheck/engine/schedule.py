"""The order in which rules are judged: the cheapest and most telling first."""

from __future__ import annotations

import graphlib
from collections.abc import Sequence

from losscheck.rules.base import Rule

EVIDENCE = (
    "ending",
    "call",
    "tracing",
    "graph",
    "sweeps",
    "lone",
    "narrowed",
    "unreached",
    "gradients",
    "sized",
    "float32",
    "upstream",
    "modes",
    "layouts",
    "crossings",
    "dead",
    "dead_batches",
    "right_and_wrong",
    "floor",
    "gradient_sizes",
    "finite_tests",
    "nonfinite_inputs",
    "integers",
    "untaken",
    "empty_batch",
    "parts",
    "dtypes",
    "precision",
    "xla",
    "repeats",
    "eager_calls",
)
"""What rules need, roughly by what gathering it adds; all else comes last."""

LAST = ("halves", "labels_outside", "saving", "second_order", "weighing", "training")


def schedule(rules: Sequence[Rule]) -> list[Rule]:
    """Order rules by the evidence that they need, each behind those whose findings mask it."""
    known = {rule.code: rule for rule in rules}
    order = graphlib.TopologicalSorter(
        {code: [mask for mask in rule.masked_by if mask in known] for code, rule in known.items()}
    )
    order.prepare()
    waiting: list[Rule] = []
    found: list[Rule] = []
    while order.is_active():
        waiting += [known[code] for code in order.get_ready()]
        waiting.sort(key=lambda rule: (_dearness(rule), rule.code))
        found.append(waiting.pop(0))
        order.done(found[-1].code)
    return found


def _dearness(rule: Rule) -> int:
    """The place of the dearest evidence that a rule needs."""
    return max((_place(name) for name in rule.needs), default=0)


def _place(name: str) -> int:
    if name in EVIDENCE:
        return EVIDENCE.index(name)
    return len(EVIDENCE) + (LAST.index(name) + 1 if name in LAST else 0)
