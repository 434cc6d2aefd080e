"""Where a loss tests for NaN or Inf and puts something else in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from losscheck.cases.blocks import CaseBlock, Population
from losscheck.evidence.gather import Evidence, Instance
from losscheck.model import Array, Inputs, Location, Range
from losscheck.program.tracing.wiring import Node, Wiring

TESTS = frozenset({"IsNan", "IsInf", "IsFinite"})
WRONG = 1e-2  # relative: the loss without the term is another loss
FOLLOWED = 4_096  # suspected cases whose every tensor is looked at
REPLACING = frozenset({"SelectV2", "Select", "MulNoNan"})
_ON = frozenset(
    {"LogicalAnd", "LogicalOr", "LogicalNot", "Identity", "Cast", "Reshape", "BroadcastTo"}
)


@attrs.frozen(kw_only=True, eq=False)
class FiniteTest(Population):
    """One test for NaN or Inf whose outcome replaces a value, over the cases of a sweep."""

    node: str  # the test, by name
    location: Location | None  # of what replaces the value: the where()
    totals: Array
    # (N,) bool: the tested value is not finite though the input is, and the loss comes out finite
    # by its replacement alone: a mask that happens to drop the sample hides nothing.
    replaced: Array
    rerun: Callable[[CaseBlock], FiniteTest]


def finite_tests(evidence: Evidence) -> tuple[FiniteTest, ...]:
    """Evaluate every such test on the cases of the smallest instance."""
    found: list[FiniteTest] = []
    for instance, sweep in zip(evidence.instances, evidence.sweeps, strict=False):
        if instance.wiring is None or found:
            continue
        tests = _tests(instance.wiring)
        found += [_evaluate(evidence, instance, sweep.cases, tests, i) for i in range(len(tests))]
    return tuple(found)


def _tests(graph: Wiring) -> list[tuple[Node, Node]]:
    """Tests on values that depend on the prediction, each with what replaces them."""
    depends = graph.depends(graph.prediction)
    result = []
    for node in graph.forward:
        unequal = node.type == "NotEqual" and len(set(node.inputs)) == 1  # x != x is NaN's test
        if (node.type in TESTS or unequal) and node.inputs[0] in depends:
            replacing = _replacing(graph, node)
            if replacing is not None:
                result.append((node, replacing))
    return result


def _replacing(graph: Wiring, test: Node) -> Node | None:
    followed = set(test.outputs)
    for user in graph.forward:
        if followed.isdisjoint(user.inputs):
            continue
        if user.type in REPLACING:
            return user
        if user.type in _ON:
            followed.update(user.outputs)
    return None


def _flushed(cases: CaseBlock) -> Array:
    """(N,) bool: kernels take a number of the case for 0, though float64 has another one."""
    found = np.zeros(len(cases), bool)
    for array in cases.inputs.values():
        size = np.abs(array.reshape(len(cases), -1).astype(np.float64))
        found |= ((size > 0) & (size < np.finfo(np.float32).tiny)).any(axis=1)
    return found


def _evaluate(
    evidence: Evidence,
    instance: Instance,
    cases: CaseBlock,
    tests: Sequence[tuple[Node, Node]],
    which: int,
) -> FiniteTest:
    program = instance.program.graphed
    assert program is not None
    test, replacing = tests[which]
    # What all of them test at once: to vectorize the graph for each takes longer than to run it.
    names = [program.traced.value.name, *(each.inputs[0] for each, _ in tests)]
    value, *numbers = program.fetch(names, cases.inputs)
    tested = numbers[which]
    n = len(cases)
    bad = ~np.isfinite(tested.reshape(n, -1)).all(axis=1)
    total = np.asarray(value.reshape(n, -1).astype(np.float64).sum(axis=1))
    kept = np.isfinite(value.reshape(n, -1)).all(axis=1) & ~_flushed(cases)
    suspects = np.flatnonzero(bad & kept)[:FOLLOWED]
    replaced = np.zeros(n, bool)
    if len(suspects):
        chosen = cases.take(suspects)
        replaced[suspects] = _absorbed(instance, chosen.inputs, {replacing.name}) & _differs(
            total[suspects], evidence.double(chosen)[0]
        )
    return FiniteTest(
        node=test.name,
        location=program.traced.origins.location(replacing.name),
        cases=cases,
        totals=total,
        replaced=replaced,
        rerun=lambda others: _evaluate(evidence, instance, others, tests, which),
    )


def _differs(total: Array, truth: Array) -> Array:
    """(N,) bool: float64, in which nothing overflowed, says something else."""
    with np.errstate(invalid="ignore"):
        return np.asarray(~(np.abs(total - truth) <= WRONG * np.abs(truth)))


@attrs.frozen(kw_only=True, eq=False)
class NonfiniteInput:
    """What the loss makes of predictions that are NaN or Inf themselves."""

    inputs: dict[str, Array]
    value: float
    gradient: Array
    # The loss comes out finite, and only by replacing what it tested: a mask or a product that
    # happens to drop the sample hides nothing.
    replaced: bool


def nonfinite_inputs(evidence: Evidence) -> tuple[NonfiniteInput, ...]:
    """Run an ordinary batch with one element of the prediction NaN, Inf and -Inf."""
    main, sweep = evidence.main, evidence.main_sweep
    name = evidence.spec.prediction.name
    ordinary = np.flatnonzero((sweep.ranges == Range.ORDINARY) & sweep.forward_finite)
    if main.wiring is None or not len(ordinary):
        return ()
    tests = _tests(main.wiring)
    found = []
    for bad in (np.nan, np.inf, -np.inf) if tests else ():
        block = sweep.cases.take(ordinary[:1])
        array = np.array(block.inputs[name])
        array.reshape(1, -1)[:, 0] = bad
        inputs = {**block.inputs, name: array}
        outcome = main.program.run(inputs)
        finite = bool(np.isfinite(outcome.total[0]))
        found.append(
            NonfiniteInput(
                inputs={n: a[0] for n, a in inputs.items()},
                value=float(outcome.total[0]),
                gradient=np.asarray(outcome.gradient[0]),
                replaced=finite and bool(_absorbed(main, inputs, {n.name for _, n in tests})[0]),
            )
        )
    return tuple(found)


def _absorbed(instance: Instance, inputs: Inputs, replacing: set[str]) -> Array:
    """(N,) bool: each way of a bad value to the loss ends where a tested one is replaced."""
    graph, program = instance.wiring, instance.program.graphed
    assert graph is not None
    assert program is not None
    floating = [node for node in graph.forward if node.floating]
    names = [t for node in floating for t in node.floats]
    values = program.fetch(names, inputs)
    n = len(values[0])
    finite = [np.isfinite(array.reshape(n, -1)).all(axis=1) for array in values]
    bad = {name: ~whole for name, whole in zip(names, finite, strict=True)}
    never = np.zeros(n, bool)
    ended, elsewhere = never.copy(), never.copy()
    for node in floating:
        comes_in = np.any([bad.get(t, never) for t in node.inputs] or [never], axis=0)
        goes_out = np.any([bad[t] for t in node.floats], axis=0)
        if node.name in replacing:
            ended |= comes_in & ~goes_out
        else:
            elsewhere |= comes_in & ~goes_out
    return np.asarray(ended & ~elsewhere)
