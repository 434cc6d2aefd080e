"""The code that a fix for lost digits proposes, run in float32: right where the line was not.

The truth is the faulty line itself with 50 digits (mpmath), at a point where it cancels and at
ordinary ones.
"""

from __future__ import annotations

from typing import Any

import attrs
import mpmath
import numpy as np
import pytest

from losscheck.advice.blamed import Blame
from losscheck.findings.steps import remedy
from losscheck.model import Argument, Direction, Location, Suspect
from losscheck.rules import find

tf = pytest.importorskip("tensorflow")

RIGHT = 1e-5  # relative: five digits, where two are asked for


@attrs.frozen
class Row:
    """A line that defines `out` from p, what is blamed on it, and the truth as a function of p."""

    line: str
    expression: str
    op: str
    truth: Any
    lossy: float
    ordinary: tuple[float, ...] = (0.5, 2.0)


def _operands(row: Row) -> tuple[str, ...]:
    if row.op == "Log":
        return (row.expression.removeprefix("tf.math.log(").removesuffix(")"),)
    return ("", "")


ROWS = {
    "versine-over-square": Row(
        "out = (1.0 - tf.cos(p)) / p**2",
        "1.0 - tf.cos(p)",
        "Sub",
        lambda p: (1 - mpmath.cos(p)) / p**2,
        1e-4,
    ),
    "versine": Row(
        "out = 1.0 - tf.cos(p)", "1.0 - tf.cos(p)", "Sub", lambda p: 1 - mpmath.cos(p), 1e-4
    ),
    "cosine-minus-one": Row(
        "out = tf.cos(p) - 1.0", "tf.cos(p) - 1.0", "Sub", lambda p: mpmath.cos(p) - 1, 1e-4
    ),
    "exp-minus-one": Row(
        "out = tf.exp(p) - 1.0", "tf.exp(p) - 1.0", "Sub", lambda p: mpmath.expm1(p), 1e-7
    ),
    "one-minus-exp": Row(
        "out = 1.0 - tf.exp(-p)", "1.0 - tf.exp(-p)", "Sub", lambda p: -mpmath.expm1(-p), 1e-7
    ),
    "linex": Row(
        "out = tf.exp(p) - p - 1.0",
        "tf.exp(p) - p - 1.0",
        "Sub",
        lambda p: mpmath.exp(p) - p - 1,
        1e-4,
        (0.05, 0.5, -2.0),
    ),
    "root-minus-one": Row(
        "out = tf.sqrt(1.0 + p * p) - 1.0",
        "tf.sqrt(1.0 + p * p) - 1.0",
        "Sub",
        lambda p: mpmath.sqrt(1 + p * p) - 1,
        1e-4,
    ),
    "one-minus-root": Row(
        "out = 1.0 - tf.sqrt(1.0 - p)",
        "1.0 - tf.sqrt(1.0 - p)",
        "Sub",
        lambda p: 1 - mpmath.sqrt(1 - p),
        1e-7,
        (0.5, 0.9),
    ),
    "one-minus-sigmoid": Row(
        "out = 1.0 - tf.sigmoid(p)",
        "1.0 - tf.sigmoid(p)",
        "Sub",
        lambda p: 1 / (1 + mpmath.exp(p)),
        18.0,
    ),
    "one-minus-tanh": Row(
        "out = 1.0 - tf.tanh(p)",
        "1.0 - tf.tanh(p)",
        "Sub",
        lambda p: 2 / (1 + mpmath.exp(2 * p)),
        9.0,
    ),
    "one-plus-tanh": Row(
        "out = 1.0 + tf.tanh(p)",
        "1.0 + tf.tanh(p)",
        "AddV2",
        lambda p: 2 / (1 + mpmath.exp(-2 * p)),
        -9.0,
    ),
    "one-minus-erf": Row(
        "out = 1.0 - tf.math.erf(p)",
        "1.0 - tf.math.erf(p)",
        "Sub",
        mpmath.erfc,
        3.5,
    ),
    "one-plus-erf": Row(
        "out = 1.0 + tf.math.erf(p)",
        "1.0 + tf.math.erf(p)",
        "AddV2",
        lambda p: mpmath.erfc(-p),
        -3.5,
    ),
    "log-one-plus": Row(
        "out = tf.math.log(1.0 + p)",
        "tf.math.log(1.0 + p)",
        "Log",
        lambda p: mpmath.log1p(p),
        1e-7,
    ),
    "log-one-minus": Row(
        "out = tf.math.log(1.0 - p)",
        "tf.math.log(1.0 - p)",
        "Log",
        lambda p: mpmath.log1p(-p),
        1e-7,
        (0.5, 0.9),
    ),
    "log-sigmoid": Row(
        "out = tf.math.log(tf.sigmoid(p))",
        "tf.math.log(tf.sigmoid(p))",
        "Log",
        lambda p: -mpmath.log1p(mpmath.exp(-p)),
        18.0,
    ),
    "softplus": Row(
        "out = tf.math.log(1.0 + tf.exp(p))",
        "tf.math.log(1.0 + tf.exp(p))",
        "Log",
        lambda p: mpmath.log1p(mpmath.exp(p)),
        -18.0,
    ),
    "log-cosh": Row(
        "out = tf.math.log(tf.cosh(p))",
        "tf.math.log(tf.cosh(p))",
        "Log",
        lambda p: mpmath.log(mpmath.cosh(p)),
        1e-4,
    ),
}


def proposed(line: str, expression: str, op: str, operands: tuple[str, ...]) -> str:
    """The fix as a program that defines `out`."""
    location = Location(
        file="losses.py", line=1, column=None, end_column=None, source=f"    {line}", op=op
    )
    blame = Blame(
        location=location,
        op=op,
        direction=Direction.FORWARD,
        expression=expression,
        operands=operands,
        operand_values=(),
        result=0.0,
        exact=1.0,
    )
    return remedy(find("LC301"), Suspect(code="LC301", form="large"), blame, ()).fix


def run(program: str, **inputs: Any) -> Any:
    names = {"tf": tf, **{n: tf.constant(x, tf.float32) for n, x in inputs.items()}}
    exec(program, names)
    return names["out"].numpy()


def truth(row: Row, p: float) -> float:
    with mpmath.workdps(50):
        return float(row.truth(mpmath.mpf(float(np.float32(p)))))


@pytest.mark.parametrize("name", ROWS)
def test_the_line_loses_its_digits_and_the_fix_does_not(name: str) -> None:
    row = ROWS[name]
    right = truth(row, row.lossy)
    assert abs(run(row.line, p=row.lossy) - right) > 0.01 * abs(right)
    fix = proposed(row.line, row.expression, row.op, _operands(row))
    for p in (row.lossy, *row.ordinary):
        assert run(fix, p=p) == pytest.approx(truth(row, p), rel=RIGHT), p


def test_a_variance_is_taken_after_the_mean() -> None:
    line = "out = tf.reduce_mean(p * p, axis=-1) - tf.reduce_mean(p, axis=-1) ** 2"
    fix = proposed(line, line.removeprefix("out = "), "Sub", ("", ""))
    p = np.float32([[3.0, 3.001, 2.999]])
    right = p.astype(float).var(axis=-1)
    assert run(fix, p=p) == pytest.approx(right, rel=RIGHT)
    assert abs(run(line, p=p) - right) > 0.01 * right


@pytest.mark.parametrize(
    "product", ["tf.reduce_sum(p * q, axis=-1)", "tf.matmul(p, q, transpose_b=True)"]
)
def test_a_distance_is_subtracted_first(product: str) -> None:
    line = f"out = a + b - 2.0 * {product}"
    fix = proposed(line, line.removeprefix("out = "), "Sub", ("", ""))
    p, q = np.float32([[2.0, 1.0]]), np.float32([[2.0001, 1.0001]])
    right = ((p.astype(float) - q) ** 2).sum(axis=-1)
    assert np.ravel(run(fix, p=p, q=q)) == pytest.approx(right, rel=RIGHT)


def test_a_vanished_constant_becomes_a_maximum() -> None:
    line = "out = tf.math.log(p + 1e-12)"
    fix = proposed(line, "tf.math.log(p + 1e-12)", "Log", ("p + 1e-12",))
    assert run(fix, p=1.0) == 0.0
    assert np.isfinite(run(fix, p=0.0))


def test_what_has_no_known_form_is_computed_in_float64() -> None:
    arguments = tuple(
        Argument(
            name=name, role=name, domain="real", shape="(B,)", dtype="float32", origin="declared"
        )
        for name in ("y_true", "y_pred")
    )
    blame = Blame(
        location=None,
        op="Sub",
        direction=Direction.FORWARD,
        expression="f(y_pred) - g(y_true)",
        operands=("f(y_pred)", "g(y_true)"),
        operand_values=(np.asarray(1.0), np.asarray(1.0)),
        result=0.0,
        exact=1e-9,
    )
    words = remedy(find("LC301"), Suspect(code="LC301", form="large"), blame, arguments)
    assert "tf.cast(y_pred, tf.float64)" in words.fix
    assert "1 and 1 leave 0 where 1e-9 is right" in words.cause
