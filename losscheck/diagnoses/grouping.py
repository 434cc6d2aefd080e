"""Which findings have one root cause: by what is to blame, and by what flows into it.

An operation loses a value where it gives 0, NaN or infinity from numbers that are right, and more
digits give something else: an exponential that overflows, one minus a sigmoid that has become 1. A
logarithm of that 0 is at fault for nothing but what was handed to it. What nearly overflows is as
good as lost: a sum of such squares does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.advice.limits import LARGEST
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.search.singular import SINGULAR, Target
from losscheck.findings.explanation import Explanation
from losscheck.findings.inside import fetched, followed, tensors
from losscheck.model import Array, Range, Severity
from losscheck.program.tracing.wiring import Node, Wiring
from losscheck.rules import by_code, policy
from losscheck.rules.base import Trail

Group = list[Explanation]
WEIGHTIEST = policy.RANK[Severity.ERROR]
NEAR = 1e-2  # of the ordinary distance from a singular point: on its way there
ORDINARY = 16  # cases that say what is ordinary


def groups(explanations: Sequence[Explanation], flow: Flow) -> list[Group]:
    """Put findings with one root cause together, the weightiest group first.

    Two findings are of one fault where the same expression is to blame for both, whatever the
    dtype, mode or direction; where what one operation loses is what the other fails at; where both
    fail at the same operand; or where the same complaint is raised. A slope that is steep on the
    way to a singular point belongs to what fails there, and so does a mode that fails alone next
    to it; steep slopes that nothing fails near are one remark.
    """
    found: list[Group] = []
    for told in sorted(explanations, key=lambda each: (_is_symptom(each), -each.weight)):
        related = [group for group in found if any(_one_fault(told, one, flow) for one in group)]
        related = related or [group for group in found if _is_like(told, group)]
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


def _is_like(told: Explanation, group: Group) -> bool:
    """Say whether slopes are as steep, or as flat, as in what weighs most of a group.

    Which factor of a product makes it so is a guess, and one remark does.
    """
    most = max(one.weight for one in group)
    return all(_alike(told, one) for one in group if one.weight == most)


def _alike(told: Explanation, other: Explanation) -> bool:
    return _is_steep(told) and _is_steep(other) and told.suspect.form == other.suspect.form


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


@attrs.frozen(kw_only=True, eq=False)
class Inside:
    """Every number inside a loss, in the case of one finding."""

    # The loss at the sizes of the case, and what computes it.
    instance: Instance
    graph: Wiring
    single: Mapping[str, Array]  # the float tensors by name, in the dtype of the finding
    lost: frozenset[str]  # the forward operations that lose a value first

    def node(self, told: Explanation) -> Node | None:
        """The operation at fault for a finding."""
        return next((node for node in self.graph.nodes if node.name == told.node), None)


class Flow:
    """Looks into the graph of one loss, once for each finding.

    Parameters
    ----------
    desk
        The evidence; None for a loss that could not be run at all, of which nothing is known.
    """

    def __init__(self, desk: Desk | None) -> None:
        self._evidence = None if desk is None else desk.evidence
        self._known: dict[str, Inside | None] = {}

    def carried(self, first: Explanation, second: Explanation) -> bool:
        """Say whether what one finding's operation loses reaches the other's, or one to both."""
        one, other = self._losers(first), self._losers(second)
        return first.node in other or second.node in one or not one.isdisjoint(other)

    def meets(self, first: Explanation, second: Explanation) -> bool:
        """Say whether two operations fail at the same operand, at the same singular value."""
        return not self._failing(first).isdisjoint(self._failing(second))

    def nears(self, steep: Explanation, failing: Explanation) -> bool:
        """Say whether the case of a steep slope lies on the way to where an operation fails.

        One of the two operations is computed from the other, and the operand of the one that fails
        is much nearer to where it does than in ordinary cases.
        """
        near, at = self._inside(steep), self._inside(failing)
        if near is None or at is None or not _on_one_path(at, steep, failing):
            return False
        for tensor, point in self._failing(failing):
            if tensor in near.single:
                here, usually = _gaps(near.single[tensor], point), self._usual(at, tensor, point)
                if here.min(initial=np.inf) <= NEAR * usually:
                    return True
        return False

    def order(self, told: Explanation) -> float:
        """The position of the operation at fault in the graph; behind all where none is known."""
        seen = self._inside(told) if told.node else None
        node = None if seen is None else seen.node(told)
        return np.inf if seen is None or node is None else seen.graph.order(node)

    def _inside(self, told: Explanation) -> Inside | None:
        """Run the case of a finding; None where it cannot be looked into."""
        key = told.finding.id
        if key not in self._known:
            self._known[key] = None if self._evidence is None else _looked(self._evidence, told)
        return self._known[key]

    def _losers(self, told: Explanation) -> frozenset[str]:
        """The operations that lost what the one at fault was handed; all where none is at fault."""
        seen = self._inside(told)
        if seen is None:
            return frozenset()
        node = seen.node(told)
        if node is None:
            return seen.lost
        above = {each.name for tensor in node.inputs for each in seen.graph.ancestors(tensor)}
        return seen.lost & above

    def _failing(self, told: Explanation) -> frozenset[tuple[str, float]]:
        """The operands of an operation at fault that are where it fails, and where that is."""
        seen = self._inside(told)
        node = None if seen is None else seen.node(told)
        if seen is None or node is None:
            return frozenset()
        found = set()
        for singular in SINGULAR.get(node.type, ()):
            tensor = node.inputs[singular.operand]
            if tensor in seen.single:
                target = Target(node, (tensor,), singular.at, singular.beyond)
                gap = target.gap({tensor: np.asarray(seen.single[tensor], np.float64)})
                if target.met(gap).any():
                    found.add((tensor, singular.at))
        return frozenset(found)

    def _usual(self, at: Inside, tensor: str, point: float) -> float:
        """How far an operand is from a point in ordinary cases."""
        assert self._evidence is not None
        index = self._evidence.instances.index(at.instance)
        cases = self._evidence.sweeps[index].cases
        block = cases.take(np.flatnonzero(cases.ranges == Range.ORDINARY)[:ORDINARY])
        found = tensors(at.instance, block, "plain", "float32", self._evidence)
        gaps = [_gaps(array, point) for array in found[tensor]]
        return float(np.median(np.concatenate(gaps))) if gaps else 0.0


def _looked(evidence: Evidence, told: Explanation) -> Inside | None:
    case = told.case if told.case is not None else _as_block(told)
    if evidence.inferred.error is not None or case is None:
        return None
    shapes = {name: array.shape[1:] for name, array in case.inputs.items()}
    instance = next((each for each in evidence.instances if dict(each.shapes) == shapes), None)
    if instance is None or instance.wiring is None or instance.program.graphed is None:
        return None
    try:
        found = tensors(instance, case, "plain", told.finding.dtype, evidence)
        exact = _exact(instance, case)
    except Exception:  # an operation that does not take the dtype, the label, or its own gradient
        return None
    single = {name: np.asarray(array[0]) for name, array in found.items()}
    lost = _lost(instance.wiring, single, exact)
    return Inside(instance=instance, graph=instance.wiring, single=single, lost=lost)


def _as_block(told: Explanation) -> CaseBlock | None:
    """The case of a finding that a rule spoke of alone."""
    inputs = {name: np.asarray(array)[None] for name, array in told.suspect.inputs.items()}
    return CaseBlock(inputs, np.asarray([Range.ORDINARY], np.uint8)) if inputs else None


def _exact(instance: Instance, case: CaseBlock) -> Mapping[str, Array]:
    """The same numbers in float64."""
    program = instance.program.graphed
    assert program is not None
    assert instance.wiring is not None
    names = followed(instance.wiring)
    values = fetched(program.in_float64(), names, case, "plain")
    return {name: np.asarray(array[0]) for name, array in zip(names, values, strict=True)}


def _lost(graph: Wiring, single: Mapping[str, Array], exact: Mapping[str, Array]) -> frozenset[str]:
    both = single.keys() & exact.keys()
    wrong = {name for name in both if _wrong(single[name], exact[name])}
    return frozenset(
        node.name
        for node in graph.nodes
        if not node.backward
        and not wrong.isdisjoint(node.outputs)
        and wrong.isdisjoint(node.inputs)
    )


def _wrong(single: Array, exact: Array) -> bool:
    """Say whether an element is 0, NaN or infinite which in more digits is none of these.

    Or nearly infinite.
    """
    if single.shape != exact.shape:
        return False
    rounded = np.asarray(single, np.float64)
    largest = LARGEST.get(str(single.dtype), LARGEST["float32"])
    bad = (rounded == 0) & (exact != 0) | ~(np.abs(rounded) < NEAR * largest)
    return bool((bad & np.isfinite(exact)).any())


def _on_one_path(at: Inside, first: Explanation, second: Explanation) -> bool:
    """Say whether one operation is computed from the other."""
    ends = [node.outputs[0] for told in (first, second) if (node := at.node(told)) is not None]
    if len(ends) < 2:
        return False
    above = [{node.name for node in at.graph.ancestors(end)} for end in ends]
    return first.node in above[1] or second.node in above[0]


def _gaps(numbers: Array, point: float) -> Array:
    """How far each number is from a point."""
    return np.asarray(np.abs(np.asarray(numbers, np.float64).ravel() - point))
