"""Who is to blame, case by case: the operation, the line, and the numbers that went through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np

from losscheck.advice.blamed import Blame
from losscheck.cases.blocks import CaseBlock, spread
from losscheck.evidence.gather import Evidence, Instance
from losscheck.evidence.gradient.second_order import SecondOrderCheck
from losscheck.evidence.precision.lost_digits import vectorized
from losscheck.evidence.search.refusals import Refusals
from losscheck.findings.blame import (
    Values,
    gain_sources,
    made_nan,
    nonfinite_source,
    ran,
    value_of,
    vanished,
    zero_source,
)
from losscheck.findings.code import expression, operands, spelled
from losscheck.findings.inside import apart, fetched, followed, in_blocks, patterns, tensors
from losscheck.findings.lost import Loss, Pair, lost_sources
from losscheck.model import Array, Direction, Location
from losscheck.program.running.program import Program
from losscheck.program.tracing.origin import is_backward
from losscheck.program.tracing.wiring import Node, Wiring
from losscheck.rules import by_code
from losscheck.rules.base import Trail
from losscheck.rules.crowd import Crowd

FOLLOWED = 1_024  # cases whose every tensor is looked at
WALKED = 96  # the same where the walk takes two programs, whose numbers it compares
# As many are looked at first: where one operation is to blame for all of them, another that was
# missed is to blame for less than one case in fifty.
FIRST = 192
VECTOR_MODES = {"eager": "plain"}


@attrs.frozen(kw_only=True, eq=False)
class Group:
    """Cases of a crowd that one operation is to blame for."""

    node: str  # forward operation, by name; "" where none is known
    members: Array  # indices into the crowd's population
    count: int  # of its cases; more than `members` where only some of a large crowd were followed


def groups(evidence: Evidence, crowd: Crowd) -> list[Group]:
    """Split a crowd by the user's expression at fault, the largest group first."""
    members = crowd.members
    instance = evidence.instance_of(crowd.population.cases.take(members[:1]))
    most = FOLLOWED if vectorized(instance) else FOLLOWED // 16
    rule = by_code(crowd.code)
    counts = (FIRST,) if rule.few else (FIRST, most)
    for count in (WALKED,) if rule.trail is Trail.DIGITS else counts:
        members, weights = of_each_range(crowd, min(count, most))
        blamed = keys(evidence, crowd, crowd.population.cases.take(members))
        if len(set(blamed)) < 2 or len(members) == len(crowd.members):
            break
    found: dict[str, list[int]] = {}
    for place, key in enumerate(blamed):
        found.setdefault(key, []).append(place)
    if rule.trail is Trail.DIGITS and len(found) > 1 and "" in found:
        # Where float64 has no digits left either nothing shows; the others tell whose fault it is.
        max((found[key] for key in found if key), key=len).extend(found.pop(""))
    made = [
        Group(node=key, members=members[index], count=round(float(weights[index].sum())))
        for key, index in found.items()
    ]
    return sorted(made, key=lambda group: -len(group.members))


def of_each_range(crowd: Crowd, most: int = FOLLOWED) -> tuple[Array, Array]:
    """Take some members, spread evenly over each range, and say how many each of them stands for.

    A few that are ordinary may show a fault of their own beside thousands where all overflows.
    """
    ranges = crowd.population.cases.ranges[crowd.members]
    apart = [crowd.members[ranges == reach] for reach in np.unique(ranges)]
    room = most // len(apart)
    parts = [spread(own, room) for own in apart]
    weights = [
        np.full(len(part), len(own) / len(part)) for own, part in zip(apart, parts, strict=True)
    ]
    members, stands_for = np.concatenate(parts), np.concatenate(weights)
    order = np.argsort(members, kind="stable")
    return members[order], stands_for[order]


def keys(evidence: Evidence, crowd: Crowd, cases: CaseBlock) -> list[str]:
    """Name the forward operation to blame for each case."""
    if by_code(crowd.code).trail is Trail.DIGITS:
        return [
            "" if lost is None else _forward_of(instance, lost)
            for instance, lost in _losses(evidence, crowd.direction, cases)
        ]
    return [
        instance.program.traced.origins.forward_name(node.name)
        if instance is not None and instance.program.traced is not None and node is not None
        else ""
        for instance, node, _ in _sources(evidence, crowd, cases)
    ]


def blame(evidence: Evidence, crowd: Crowd, case: CaseBlock) -> tuple[str, Blame]:
    """Blame one case: the name of the forward operation, and what the words need."""
    if by_code(crowd.code).trail is Trail.DIGITS:
        return of_lost_digits(evidence, crowd.direction, case)
    instance, node, values = next(_sources(evidence, crowd, case))
    if instance is None or instance.wiring is None:
        return "", of_location(_known(evidence, crowd, case), crowd.direction)
    name, blamed = described(instance, instance.wiring, node, crowd.direction, values)
    if node is None:
        return name, blamed
    forward = next(n for n in instance.wiring.nodes if n.name == name)
    lost = vanished(evidence, instance, instance.wiring, forward, values, crowd.dtype)
    return name, attrs.evolve(blamed, vanished=lost)


def of_location(location: Location | None, direction: Direction) -> Blame:
    """Blame a line that the evidence itself knows."""
    text = expression(location)
    return Blame(
        location=location,
        op="" if location is None else location.op,
        direction=direction,
        expression=text,
        operands=operands(text),
        operand_values=(),
        result=None,
    )


def _known(evidence: Evidence, crowd: Crowd, cases: CaseBlock) -> Location | None:
    """The line that is known without looking at numbers."""
    if crowd.facts.get("location") is not None:
        return crowd.facts["location"]  # type: ignore[no-any-return]
    instance = evidence.instance_of(cases)
    rule = by_code(crowd.code)
    gradient = rule.by_derivative or (rule.by_mode and crowd.form == "gradient")
    return own_gradient(instance) if gradient else None


def _sources(
    evidence: Evidence, crowd: Crowd, cases: CaseBlock
) -> Iterator[tuple[Instance | None, Node | None, Values]]:
    """The operation at fault in each case, with its numbers; no instance where lines are known."""
    if isinstance(crowd.population, SecondOrderCheck):
        yield from _of_slopes(crowd, crowd.population, cases)
        return
    instance = evidence.instance_of(cases)
    graph = instance.wiring
    if isinstance(crowd.population, Refusals):
        node = _raising(instance, crowd.population)
        yield from ((instance if node else None, node, {}) for _ in range(len(cases)))
        return
    rule = by_code(crowd.code)
    finite = rule.by_mode and crowd.form not in rule.nonfinite
    followed = graph is not None and rule.trail is not Trail.KNOWN and not finite
    if not followed or graph is None:
        yield from ((None, None, {}) for _ in range(len(cases)))
        return
    mode = VECTOR_MODES.get(crowd.mode, crowd.mode)
    values = tensors(instance, cases, mode, crowd.dtype, evidence)
    found = _found(crowd, graph, values, len(cases))
    end = graph.value if crowd.direction is Direction.FORWARD else graph.gradient
    unseen = by_code(crowd.code).trail is Trail.BAD and end in values and mode != "xla"
    rewritten: tuple[Node | None, Values] | None = None
    for i, node in enumerate(found):
        own = {name: array[i] for name, array in values.items()}
        if unseen and end and np.isfinite(own[end]).all():
            if rewritten is None:
                one = apart(instance, end, cases.take(np.array([i])), mode, crowd.dtype, evidence)
                rewritten = _find(crowd, graph, one), one
            yield instance, *rewritten
        else:
            yield instance, node, own


def _found(
    crowd: Crowd, graph: Wiring, values: Mapping[str, Sequence[Array] | Array], count: int
) -> list[Node | None]:
    """The operation at fault in each case."""
    if by_code(crowd.code).trail is Trail.GAIN and graph.gradient:
        largest = crowd.form == "huge"
        return [
            node
            for part in in_blocks(values, count)
            for node in gain_sources(graph, graph.gradient, part, largest=largest)
        ]
    alike: dict[bytes, Node | None] = {}  # the walk asks of a tensor only what a pattern says
    found = []
    for i, pattern in enumerate(patterns(values)):
        key = pattern.tobytes()
        if key not in alike:
            alike[key] = _find(crowd, graph, {name: array[i] for name, array in values.items()})
        found.append(alike[key])
    return found


def _of_slopes(
    crowd: Crowd, check: SecondOrderCheck, cases: CaseBlock
) -> Iterator[tuple[Instance | None, Node | None, Values]]:
    """The same in the graph of the slopes, along the first direction that shows it."""
    instance = check.derived.main
    graph = instance.wiring
    if crowd.form != "nonfinite" or graph is None or graph.gradient is None:
        yield from ((None, None, {}) for _ in range(len(cases)))
        return
    values = tensors(instance, check.directed(cases), "graph", crowd.dtype, check.derived)
    count = len(check.directions)
    finite = np.isfinite(values[graph.gradient]).reshape(len(cases), count, -1).all(axis=2)
    for i, row in enumerate(np.argmin(finite, axis=1)):
        one = {name: array[i * count + row] for name, array in values.items()}
        yield instance, _find(crowd, graph, one), one


def _raising(instance: Instance, place: Refusals) -> Node | None:
    """The operation of the graph that raises eagerly; None where the graph has none there.

    What a call raises on the way back, no line of the user's is told of: the operation says it.
    """
    if instance.wiring is None or instance.program.traced is None:
        return None
    origins, where = instance.program.traced.origins, place.location
    for node in instance.wiring.nodes:
        if node.type == place.op and node.backward is (where is None):
            found = origins.location(node.name)
            if found and (
                where is None or (found.line, found.column) == (where.line, where.column)
            ):
                return node
    return None


def _losses(
    evidence: Evidence, direction: Direction, cases: CaseBlock
) -> Iterator[tuple[Instance, Loss | None]]:
    """Where each case lost its digits: as it is written, beside the same graph in float64."""
    instance = evidence.instance_of(cases)
    graph, program = instance.wiring, instance.program.graphed
    end = graph and (graph.value if direction is Direction.FORWARD else graph.gradient)
    if graph is None or not end or program is None or graph.runs_python:
        yield from ((instance, None) for _ in range(len(cases)))
        return
    names = followed(graph)
    single, exact = (
        dict(zip(names, fetched(each, names, cases, "plain"), strict=True))
        for each in (program, program.in_float64())
    )
    parts = (in_blocks(values, len(cases)) for values in (single, exact))
    for one, other in zip(*parts, strict=True):
        pairs = {name: Pair(array, other[name]) for name, array in one.items()}
        for lost in lost_sources(graph, end, pairs):
            yield instance, lost


def of_lost_digits(evidence: Evidence, direction: Direction, case: CaseBlock) -> tuple[str, Blame]:
    """Blame the operation that lost the digits of value or gradient, in a block of one case."""
    return _of_loss(direction, *next(_losses(evidence, direction, case)))


def of_nonfinite(
    evidence: Evidence, direction: Direction, case: CaseBlock, mode: str, dtype: str
) -> tuple[str, Blame]:
    """Blame the operation that made value or gradient NaN or Inf, in a block of one case."""
    instance = evidence.instance_of(case)
    graph = instance.wiring
    end = graph and (graph.value if direction is Direction.FORWARD else graph.gradient)
    if graph is None or not end:
        return "", of_location(None, direction)
    values = tensors(instance, case, VECTOR_MODES.get(mode, mode), dtype, evidence)
    one = {name: np.asarray(array[0]) for name, array in values.items()}
    return described(instance, graph, nonfinite_source(graph, end, one), direction, one)


def _forward_of(instance: Instance, lost: Loss) -> str:
    """The forward operation of one that lost digits; a sum on the way back has none of its own."""
    assert instance.program.traced is not None
    assert instance.wiring is not None
    origins, graph = instance.program.traced.origins, instance.wiring
    names = [lost.node.name, *(graph.producer(t).name for t in lost.node.inputs)]
    if lost.node.backward:
        names = [name for name in names if not is_backward(origins.forward_name(name))]
    return origins.forward_name(names[0]) if names else ""


def _of_loss(direction: Direction, instance: Instance, lost: Loss | None) -> tuple[str, Blame]:
    if lost is None or instance.wiring is None or instance.program.traced is None:
        return "", of_location(None, direction)
    name = _forward_of(instance, lost)
    origins = instance.program.traced.origins
    location = origins.location(name)
    told = spelled(origins.frame(name))
    text = expression(location) if told is None else told.expression
    forward = next((node for node in instance.wiring.nodes if node.name == name), lost.node)
    return name, Blame(
        location=location,
        op=forward.type,
        direction=Direction.BACKWARD if lost.node.backward else Direction.FORWARD,
        expression=text,
        operands=operands(text),
        operand_values=() if lost.node.backward else tuple(map(np.asarray, lost.operands)),
        result=lost.single,
        exact=lost.exact,
        span=told.span if told else None,
        statement=told.statement if told else "",
    )


def _find(crowd: Crowd, graph: Wiring, values: Values) -> Node | None:
    if by_code(crowd.code).trail is Trail.ZERO:
        return zero_source(graph, graph.gradient, values) if graph.gradient else None
    if crowd.direction is Direction.FORWARD or graph.gradient is None:
        return nonfinite_source(graph, graph.value, values)
    return nonfinite_source(graph, graph.gradient, values)


def described(
    instance: Instance, graph: Wiring, node: Node | None, direction: Direction, values: Values
) -> tuple[str, Blame]:
    """Blame an operation of a graph: the name of its forward operation, and what the words need."""
    if node is None:
        return "", of_location(None, direction)
    assert instance.program.traced is not None
    origins = instance.program.traced.origins
    location = origins.location(node.name)
    forward = next(n for n in graph.nodes if n.name == origins.forward_name(node.name))
    told = spelled(origins.frame(node.name))
    text = expression(location) if told is None else told.expression
    result = values.get(node.outputs[0])
    return forward.name, Blame(
        location=location,
        op=forward.type,
        direction=Direction.BACKWARD if node.backward else Direction.FORWARD,
        expression=text,
        operands=operands(text),
        operand_values=tuple(
            known for t in forward.inputs if (known := value_of(graph, t, values)) is not None
        ),
        result=None if result is None else _first_bad(result),
        ran=ran(graph, node, values),
        then=made_nan(graph, node, values) if node.backward else None,
        span=told.span if told else None,
        statement=told.statement if told else "",
    )


def _first_bad(array: Array) -> float:
    flat = np.asarray(array, np.float64).ravel()
    bad = flat[~np.isfinite(flat)]
    return float(bad[0]) if len(bad) else float(flat[0]) if len(flat) else 0.0


def own_gradient(instance: Instance) -> Location | None:
    """Locate the user's own backward code in a loss that is run as a graph; None without any."""
    program = instance.program.graphed
    if program is None or instance.wiring is None:
        return None
    return custom_gradient(program, instance.wiring)


def custom_gradient(
    program: Program, graph: Wiring, right: frozenset[str] = frozenset()
) -> Location | None:
    """Locate the user's own backward code: operations of the gradient that carry his lines.

    Parameters
    ----------
    right
        Names of operations that gradients share which are right.
    """
    origins = program.traced.origins
    of_gradient = graph.ancestors(graph.gradient) if graph.gradient else ()
    own = [node for node in of_gradient if node.backward and origins.users_own(node.name)]
    own = [node for node in own if node.name not in right] or own
    if own:
        return origins.location(own[-1].name)
    # One that computes nothing on the way back has no line there: the op that stands for the call.
    calls = [node for node in graph.nodes if node.type == "IdentityN" and not node.backward]
    return origins.location(calls[-1].name) if calls else None
