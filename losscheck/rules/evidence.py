"""What a rule may ask for, why there may be none, and the order of rules: the cheapest first.

The order is that of what gathering adds, roughly: rules are judged in it, the cheapest first.
"""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import attrs

from losscheck.rules.base import Rule

EVIDENCE: Mapping[str, str] = {
    "ending": "how the process ended that examined the loss",
    "call": "how a plain call of the loss on ordinary values ended",
    "tracing": "how the loss was traced; None for a loss that never ran",
    "graph": "what the graph of a batch says without being run",
    "sweeps": "value and gradient of every case, a size and required dtype each",
    "lone": "the same of the first sample of each batch, where samples depend on each other",
    "narrowed": "the same of points outside a domain that was chosen for what is finite in it",
    "refusals": "cases on which the loss raises, called by themselves, a place each",
    "unreached": "parts of the prediction that never get a gradient",
    "gradients": "gradients beside numeric derivatives, a size each",
    "opinions": "what other checkers of gradients say of ordinary cases",
    "sized": "gradients that are wrong at other sizes only",
    "float32": "float32 gradients beside verified float64 ones",
    "upstream": "the gradient of the loss times a number, as weights make it",
    "modes": "the sweeps' cases in other modes than the graph",
    "layouts": "runs of every layout that the loss must or might take",
    "crossings": "points where the loss switches between formulas, its value on both sides",
    "dead": "samples whose gradient is 0 throughout a neighbourhood",
    "dead_batches": "the same of batches whose samples depend on each other",
    "right_and_wrong": "losses at right predictions beside wrong ones, where domains say which",
    "floor": "a constant inside a logarithm that right predictions stop at",
    "gradient_sizes": "how large gradients are, over what is ordinary",
    "finite_tests": "tests for NaN or Inf inside the loss, and what they replaced",
    "nonfinite_inputs": "an ordinary batch with one element NaN, Inf or -Inf",
    "integers": "integer operations, as they came out and as they should",
    "untaken": "comparisons that the user wrote and that said the same in every case",
    "empty_batch": "a batch without a sample",
    "parts": "batches beside their rows, each run alone",
    "dtypes": "the loss in every float dtype that a prediction may come in",
    "precision": "float32 beside float64, and what conditioning explains of the difference",
    "digits": "the digits that are right, by how near a prediction is",
    "xla": "whether the loss compiles under XLA",
    "repeats": "the same cases, run twice",
    "eager_calls": "the first ordinary cases, called eagerly",
    "halves": "a batch in the half types that nobody requires",
    "labels_outside": "labels of -1 and of C, in every mode",
    "saving": "a Loss through its config and a saved model",
    "second_order": "second derivatives beside differences of the gradient",
    "weighing": "the loss with weights beside Keras' reductions",
    "training": "a small model trained with the loss, beside direct calls",
}
_PLACES = {name: place for place, name in enumerate(EVIDENCE)}


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


def with_masks(codes: Collection[str], rules: Sequence[Rule]) -> frozenset[str]:
    """Add to codes of rules those of the rules whose findings mask theirs, and so on.

    Judged with these, a rule says the same as judged with all.
    """
    found: set[str] = set()
    waiting = set(codes)
    while waiting:
        found |= waiting
        masks = {mask for rule in rules if rule.code in waiting for mask in rule.masked_by}
        waiting = masks - found
    return frozenset(found)


def _dearness(rule: Rule) -> int:
    """The place of the dearest evidence that a rule needs."""
    return max((_PLACES[name] for name in rule.needs), default=0)


@attrs.frozen
class LeftOut:
    """In place of evidence: false, and it says why there is none."""

    reason: str

    def __bool__(self) -> Literal[False]:
        return False


@attrs.frozen
class Refused(LeftOut):
    """The loss does not take what it would have been gathered with."""
