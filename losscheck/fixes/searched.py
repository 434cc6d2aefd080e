"""A changed loss looked at as one that nobody has seen: over cases of a search of its own.

The cases that a change is tried on are those that the loss fails at as it is. What a change brings
of its own, such as a slope that is 0 below a new bound, lies elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from losscheck.findings.explanation import Explanation
from losscheck.findings.finding import Writer
from losscheck.fixes.judged import Judged
from losscheck.model import Severity
from losscheck.rules import policy, rules

# What a few passes over the cases of a search give, and a few calls.
SEARCHED = frozenset(
    {
        *("sweeps", "lone", "narrowed", "modes", "eager_calls", "repeats"),
        *("precision", "dead", "dead_batches", "gradient_sizes"),
    }
)
# What other sizes and a call that is looked at give: where a change is more than one of numbers.
CALLED = frozenset({"layouts", "call", "graph"})
# What a rule needs that takes no more than running the cases.
QUICK = frozenset({"sweeps", "lone", "narrowed", "modes"})
NOTE, ERROR = policy.RANK[Severity.NOTE], policy.RANK[Severity.ERROR]


def left_or_new(
    after: Judged,
    writer: Writer,
    said: Iterable[Explanation],
    clears: Sequence[str],
    asked: frozenset[str],
) -> list[Explanation]:
    """What a changed loss would be told that counts more than what is left anyway, once a rule.

    Where that is an error, as much of it as refuses the change.

    Parameters
    ----------
    after
        The rules' judgments of the changed loss, over cases of its own.
    writer
        Writes what they suspect, as a check would.
    said
        All findings of the loss as it is.
    clears
        The ids of those that the change cures.
    asked
        The evidence that is gathered: rules that need more are not judged.
    """
    left = _weights(one for one in said if one.finding.id not in clears)
    told: list[Explanation] = []
    # What a sweep alone shows comes first: an error among it says enough against the change.
    for rule in sorted(rules(), key=lambda rule: not QUICK.issuperset(rule.needs)):
        if not QUICK.issuperset(rule.needs) and any(one.weight == ERROR for one in told):
            break
        most = left.get(rule.code, NOTE)
        if asked.issuperset(rule.needs) and (heavier := after.heavier(rule, most)):
            worst = max(
                writer.explanations(rule, heavier), key=lambda one: one.weight, default=None
            )
            if worst is not None and worst.weight > most:
                told.append(worst)
    return told


def _weights(told: Iterable[Explanation]) -> Mapping[str, int]:
    """The heaviest finding of each code."""
    found: dict[str, int] = {}
    for one in told:
        found[one.finding.code] = max(found.get(one.finding.code, NOTE), one.weight)
    return found
