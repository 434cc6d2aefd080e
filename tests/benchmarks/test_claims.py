"""Numbers in sentences are computed again by the loss alone."""

from __future__ import annotations

import inspect
from typing import Any

import attrs
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.claims import Claim, claims, repeated
from losscheck.model import Expected, Finding, Location, Observed, Severity


def share(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    hits = tf.reduce_sum(y_true * y_pred)
    return hits / tf.reduce_sum(y_true + y_pred)


LINE = inspect.getsourcelines(share)[1] + 2


def _finding(cause: str, value: Any = np.nan) -> Finding:
    return Finding(
        id="LC201-0",
        code="LC201",
        slug="forward-nan",
        severity=Severity.ERROR,
        message="The loss is NaN at y_true = [0, 0], y_pred = 0.",
        cause=cause,
        location=Location(
            file="test_claims.py", line=LINE, column=11, end_column=52, source="", op="RealDiv"
        ),
        kind=None,
        range=None,
        dtype="float32",
        mode="graph",
        count=1,
        expected=Expected(),
        fix="",
        inputs={"y_true": np.zeros(2, np.float32), "y_pred": np.zeros(2, np.float32)},
        observed=Observed(value=value),
        reproduce="def value_and_gradient",
    )


@pytest.mark.parametrize(
    ("cause", "holds"),
    [
        ("0 / 0 is NaN: hits = 0 and tf.reduce_sum(y_true + y_pred) = 0.", [True, True]),
        ("0 / 0 is NaN: hits = 2.", [False]),
        ("The operand is a = 3.", [None]),  # no name of that line
        ("The values are y_true + 1.0 = [1, 1].", [True]),
        ("The values are y_true + 1.0 = [1, 2].", [False]),
    ],
)
def test_a_number_behind_an_expression_is_computed_again(
    cause: str, holds: list[bool | None]
) -> None:
    value, *message = (claim.holds for claim in claims(_finding(cause), share))
    assert value is True
    assert message == [True, True, *holds]


def test_a_loss_that_is_not_what_was_said_is_named() -> None:
    assert [c.holds for c in claims(_finding("", value=1.0), share)] == [False, True, True]


def cancelled(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum((tf.exp(y_pred) - 1.0 - y_pred) / tf.square(y_pred) + 0.0 * y_true)


def test_where_float64_loses_its_digits_it_is_no_judge_of_what_is_right() -> None:
    def held(prediction: float, right: float) -> list[bool | None]:
        finding = attrs.evolve(
            _finding(""),
            inputs={"y_true": np.zeros(1), "y_pred": np.array([prediction])},
            expected=Expected(value=np.array(right)),
        )
        return [c.holds for c in claims(finding, cancelled) if c.said.startswith("right loss")]

    assert held(1e-8, 0.5) == []  # float64 gives -0.6
    assert held(0.5, 0.594885) == [True]
    assert held(0.5, 0.7) == [False]


def test_a_gradient_that_differences_refute_is_not_held_against_them() -> None:
    def held(code: str) -> list[bool | None]:
        finding = attrs.evolve(
            _finding(""),
            code=code,
            inputs={"y_true": np.zeros(1), "y_pred": np.array([0.5])},
            expected=Expected(gradient=np.array([7.0])),
        )
        said = claims(finding, cancelled)
        return [claim.holds for claim in said if claim.said.startswith("right gradient")]

    assert held("LC101") == []
    assert held("LC302") == [False]


@pytest.mark.parametrize("said", ["7", "2"])
def test_what_xla_has_inside_no_other_run_judges(said: str) -> None:
    finding = attrs.evolve(_finding(f"The sum is y_true + 1.0 = {said}."), mode="xla")
    assert [claim.holds for claim in claims(finding, share)][-1] is None


def test_the_share_that_is_given_again_names_the_others() -> None:
    said = [Claim("LC201-1", "x = 1", True), Claim("LC201-2", "y = 2", False)]
    assert repeated([*said, Claim("LC201-3", "z = 3", None)]) == (
        "Of 2 numbers in its sentences the losses give 1 again (LC201-2: y = 2)."
    )
