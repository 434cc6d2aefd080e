"""Which findings have one root cause: by what is to blame, and by what flows into it."""

from __future__ import annotations

from collections.abc import Sequence

from losscheck.diagnoses.flow import Flow
from losscheck.findings.explanation import Explanation
from losscheck.model import Severity
from losscheck.rules import by_code, policy
from losscheck.rules.base import Trail

Group = list[Explanation]
WEIGHTIEST = policy.RANK[Severity.ERROR]


def groups(explanations: Sequence[Explanation], flow: Flow) -> list[Group]:
    """Put findings with one root cause together, the weightiest group first.

    Two findings are of one fault where the same expression is to blame for both, whatever the
    dtype, mode or direction; where what one operation loses is what the other fails at; where both
    fail at the same operand; or where the same complaint is raised. A slope that is steep on the
    way to a singular point belongs to what fails there, and so does a mode that fails alone next
    to it.

    Parameters
    ----------
    explanations
        The findings of one loss.
    flow
        Its numbers.
    """
    found: list[Group] = []
    for told in sorted(explanations, key=lambda each: (_is_symptom(each), -each.weight)):
        related = [group for group in found if any(_one_fault(told, one, flow) for one in group)]
        if related and (_is_symptom(told) or told.weight < WEIGHTIEST):
            # A symptom of two faults does not make one of them.
            _nearest(told, related).append(told)
            continue
        found = [group for group in found if not any(group is one for one in related)]
        found.append([*(one for group in related for one in group), told])
    return sorted(found, key=lambda group: -max(one.weight for one in group))


def _nearest(told: Explanation, related: Sequence[Group]) -> Group:
    """The group that blames the same place, else the first."""
    here = (group for group in related if any(_same_place(told, one) for one in group))
    return next(here, related[0])


def _one_fault(told: Explanation, other: Explanation, flow: Flow) -> bool:
    if _same_place(told, other) or _same_complaint(told, other):
        return True
    if not told.node and not other.node:
        return False
    if _is_steep(told):
        return flow.nears(told, other)
    related = flow.carried(told, other) or flow.meets(told, other)
    return related or _rounded_there(told, other, flow) or _rounded_there(other, told, flow)


def _rounded_there(told: Explanation, other: Explanation, flow: Flow) -> bool:
    """Say whether a mode fails alone because its rounding goes to where the other one fails.

    What a mode computes inside cannot be looked at as it runs, so that its blame is a guess.
    """
    rule = by_code(told.finding.code)
    return rule.by_mode and told.suspect.form in rule.nonfinite and flow.nears(told, other)


def _is_symptom(told: Explanation) -> bool:
    """Say whether it comes with a fault: a slope on the way there, a mode that gets there alone."""
    return _is_steep(told) or by_code(told.finding.code).by_mode


def _is_steep(told: Explanation) -> bool:
    """Say whether it is the size of a slope that was found, which is right as it is."""
    return by_code(told.finding.code).trail is Trail.GAIN


def _same_place(told: Explanation, other: Explanation) -> bool:
    """Say whether the same operation, or the same expression as it is written, is to blame."""
    if told.node and told.node == other.node:
        return True
    first, second = told.finding.location, other.finding.location
    if first is None or second is None or first.column is None:
        return False
    # Of what numbers do not tell, a family asks one question: shapes, weights, modes.
    alike = bool(told.node and other.node) or _family(told) == _family(other)
    spans = [(each.file, each.line, each.column, each.end_column) for each in (first, second)]
    return alike and spans[0] == spans[1]


def _family(told: Explanation) -> str:
    """The family of a rule: codes are numbered by it."""
    return told.finding.code[:3]


def _same_complaint(told: Explanation, other: Explanation) -> bool:
    """Say whether the same exception was raised, in different circumstances."""
    first, second = (str(each.suspect.facts.get("exception") or "") for each in (told, other))
    return bool(first.strip()) and first.split("\n")[0] == second.split("\n")[0]
