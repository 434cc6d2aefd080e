"""The benchmark's own parts: its functions agree across frameworks, and its criteria can fail."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from benchmarks.accuracy import FAULTS, Row, meaningful, measure
from benchmarks.accuracy_text import accuracy_table, worse
from benchmarks.family import Family
from benchmarks.scalar_families import scalar_families
from benchmarks.spaces import mpmath_space, numpy_space, tensorflow_space
from benchmarks.tensor_families import tensor_families
from benchmarks.tools.base import Answer, Outcome
from benchmarks.tools.estimates import SciPy, judge
from benchmarks.tools.losscheck_tool import LossCheck
from benchmarks.tools.tensorflow_tool import BOUND, TensorFlow
from losscheck.program.quiet import tensorflow

FAMILIES = (*scalar_families(), *tensor_families())
FEW = 2  # points of a family; the benchmark itself meets them all


@pytest.fixture(scope="module")
def tf():
    return tensorflow()


def named(name: str) -> Family:
    return next(family for family in FAMILIES if family.name == name)


def test_the_benchmark_is_large_enough() -> None:
    assert len(FAMILIES) >= 20
    assert sum(len(family.points) for family in FAMILIES) >= 400
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_frameworks_and_truth_agree(tf, family: Family) -> None:
    family = attrs.evolve(family, points=family.points[:FEW])
    exact, plain, graph = mpmath_space(), numpy_space(), tensorflow_space()
    for point, slopes in zip(family.points, family.truth, strict=True):
        value = float(family.value(exact, np.array([exact.like(v, v) for v in point])))
        x = tf.constant(point)
        with tf.GradientTape() as tape:
            tape.watch(x)
            computed = family.value(graph, x)
        near = pytest.approx(value, rel=1e-9, abs=1e-9)
        assert float(family.value(plain, point)) == near
        assert float(computed) == near
        # TensorFlow differentiates by its rules, mpmath by a difference: two ways to one number.
        off = np.abs(tape.gradient(computed, x).numpy() - slopes)
        assert (off <= 1e-6 * np.fmax(np.abs(slopes), family.scale)).all()


def test_points_lie_inside_their_domains() -> None:
    for family in FAMILIES:
        assert ((family.points > family.lower) & (family.points < family.upper)).all(), family.name


def test_a_judge_of_estimates_can_say_everything() -> None:
    value, error = np.array([[2.0]] * 4), np.array([[1e-8], [1e-8], [1.0], [np.nan]])
    said = judge(np.array([[2.0], [2.001], [2.0], [2.0]]), value, error, 1.0)
    expected = [Outcome.RIGHT, Outcome.WRONG, Outcome.UNDECIDED, Outcome.UNDECIDED]
    assert said.tolist() == expected


@pytest.mark.parametrize("tool", [LossCheck(), TensorFlow("float64", BOUND), SciPy()])
def test_tools_tell_right_from_wrong(tool, tf) -> None:
    whole = named("squared error")
    family = attrs.evolve(whole, points=whole.points[:FEW])
    said = tool.answer(family, [family.truth, 1.5 * family.truth]).outcome
    assert (said[0] == Outcome.RIGHT).all()
    assert (said[1] == Outcome.WRONG).all()


class Yes:
    """A tool that finds every gradient right, and claims an error of 0."""

    name = "yes"
    criterion = "never"

    def answer(self, family, gradients) -> Answer:
        shape = len(gradients), len(family.points)
        return Answer(
            outcome=np.full(shape, Outcome.RIGHT, np.int8),
            seconds=1e-6,
            value=2 * family.truth,
            error=np.zeros_like(family.truth),
        )


def test_rates_count_what_they_say() -> None:
    family = named("sin")
    row = measure(Yes(), [family])
    assert row.alarms == 0
    assert row.misses == (1.0,) * len(FAULTS)
    assert row.coverage == 0
    assert row.microseconds == pytest.approx(1)
    assert len(row.odd) == len(FAULTS) * int(meaningful(family).sum())


def test_faults_of_nothing_are_left_out() -> None:
    family = named("exp")  # of slopes from 5e-5 to 2e4
    assert 0 < meaningful(family).sum() < len(family.points)


def test_the_page_says_where_losscheck_is_worse() -> None:
    def row(tool: str, miss: float, coverage: float | None, speed: float) -> Row:
        return Row(
            tool=tool,
            criterion="",
            alarms=0.01,
            misses=(miss,) * len(FAULTS),
            undecided=0.0,
            coverage=coverage,
            microseconds=speed,
            odd=(),
        )

    rows = [row("losscheck", 0.02, 0.99, 80), row("other", 0.01, None, 20)]
    text = worse(rows)
    assert "missed 0.5: losscheck 2.0%; other 1.0% (1.0% false alarms)" in text
    assert "µs a coordinate: losscheck 80; other 20" in text
    assert "covered" not in text  # no estimate is no better coverage
    assert worse([rows[0], row("other", 0.02, 0.5, 99)]) == "In no column of this table."
    assert accuracy_table(rows).count("\n") == 3
