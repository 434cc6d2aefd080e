"""The code that a fix proposes, run: finite at the trigger, the same numbers elsewhere.

Each row is a faulty line from the catalogue of real losses. The line is run as it stands, the fix
is run in its place; expected values elsewhere are those of the faulty line itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from losscheck.advice.blamed import Blame
from losscheck.findings.steps import remedy
from losscheck.model import Direction, Location, Suspect
from losscheck.rules import find

tf = pytest.importorskip("tensorflow")

# Relative: the proposed forms add 1e-12 under a root or use another formula of equal accuracy.
TOLERANCE = 1e-5


@attrs.frozen(kw_only=True)
class Row:
    line: str  # defines `out` from p (the prediction) and y
    expression: str
    operands: tuple[str, ...]
    op: str
    code: str
    inputs: tuple[Any, ...]  # the op's inputs at the trigger
    trigger: tuple[Any, Any]  # y, p
    ordinary: tuple[Any, Any]
    replaces_line: str = (
        ""  # "{}": what the fix, if it stands in for more than the line, is put into
    )


def row(line: str, expression: str, operands: str, op: str, code: str, **rest: Any) -> Row:
    return Row(
        line=line,
        expression=expression,
        operands=tuple(operands.split("; ")),
        op=op,
        code=code,
        **rest,
    )


ROWS = {
    # The divisor is no part of the fault: a floor for it would cure nothing.
    "large-over-usual": row(
        "out = p / 0.5",
        "p / 0.5",
        "p; 0.5",
        "RealDiv",
        "LC202",
        inputs=(3e38, 0.5),
        trigger=(0.0, 3e38),
        ordinary=(1.0, 2.0),
    ),
    "where-log": row(
        "out = tf.where(p > 0.0, tf.math.log(p), 0.0)",
        "tf.math.log(p)",
        "p",
        "Log",
        "LC203",
        inputs=([0.0],),
        trigger=([1.0], [0.0]),
        ordinary=([1.0, 1.0], [0.3, 2.0]),
    ),
    "log-of-zero": row(
        "out = -y * tf.math.log(p)",
        "tf.math.log(p)",
        "p",
        "Log",
        "LC202",
        inputs=([0.0],),
        trigger=([1.0], [0.0]),
        ordinary=([1.0, 0.0], [0.3, 0.9]),
    ),
    "log-of-one-minus": row(
        "out = -tf.math.log(1.0 - p)",
        "tf.math.log(1.0 - p)",
        "1.0 - p",
        "Log",
        "LC202",
        inputs=([0.0],),
        trigger=([0.0], [1.0]),
        ordinary=([0.0, 0.0], [0.3, 0.9]),
    ),
    "log-softmax": row(
        "out = -y * tf.math.log(tf.nn.softmax(p))",
        "tf.math.log(tf.nn.softmax(p))",
        "tf.nn.softmax(p)",
        "Log",
        "LC202",
        inputs=([1.0, 0.0],),
        trigger=([0.0, 1.0], [200.0, 0.0]),
        ordinary=([0.0, 1.0], [1.0, 2.0]),
    ),
    "log-sigmoid": row(
        "out = -tf.math.log(tf.sigmoid(p))",
        "tf.math.log(tf.sigmoid(p))",
        "tf.sigmoid(p)",
        "Log",
        "LC202",
        inputs=([0.0],),
        trigger=([0.0], [-200.0]),
        ordinary=([0.0, 0.0], [-3.0, 2.0]),
    ),
    "log-one-minus-sigmoid": row(
        "out = -tf.math.log(1.0 - tf.sigmoid(p))",
        "tf.math.log(1.0 - tf.sigmoid(p))",
        "1.0 - tf.sigmoid(p)",
        "Log",
        "LC202",
        inputs=([0.0],),
        trigger=([0.0], [20.0]),
        ordinary=([0.0, 0.0], [-3.0, 2.0]),
    ),
    "log-one-minus-exp": row(
        "out = tf.math.log(1.0 - tf.exp(-p))",
        "tf.math.log(1.0 - tf.exp(-p))",
        "1.0 - tf.exp(-p)",
        "Log",
        "LC202",
        inputs=([0.0],),
        trigger=([0.0], [1e-9]),
        ordinary=([0.0, 0.0], [0.5, 3.0]),
    ),
    "log-sum-exp": row(
        "out = tf.math.log(tf.reduce_sum(tf.exp(p), axis=-1))",
        "tf.math.log(tf.reduce_sum(tf.exp(p), axis=-1))",
        "tf.reduce_sum(tf.exp(p), axis=-1)",
        "Log",
        "LC202",
        inputs=([0.0],),
        trigger=([0.0, 0.0], [-200.0, -210.0]),
        ordinary=([0.0, 0.0], [1.0, 2.0]),
    ),
    "p-log-p": row(
        "out = p * tf.math.log(p)",
        "tf.math.log(p)",
        "p",
        "Log",
        "LC201",
        inputs=([0.0],),
        trigger=([0.0], [0.0]),
        ordinary=([0.0, 0.0], [0.3, 2.0]),
    ),
    "p-log-p-over-q": row(
        "out = p * tf.math.log(p / y)",
        "tf.math.log(p / y)",
        "p / y",
        "Log",
        "LC201",
        inputs=([0.0],),
        trigger=([0.5], [0.0]),
        ordinary=([0.5, 0.2], [0.3, 0.9]),
    ),
    "softplus-by-hand": row(
        "out = tf.math.log(1.0 + tf.exp(p))",
        "tf.exp(p)",
        "p",
        "Exp",
        "LC202",
        inputs=([100.0],),
        trigger=([0.0], [100.0]),
        ordinary=([0.0, 0.0], [-3.0, 2.0]),
    ),
    "logsumexp-by-hand": row(
        "out = tf.math.log(tf.reduce_sum(tf.exp(p), axis=-1))",
        "tf.exp(p)",
        "p",
        "Exp",
        "LC202",
        inputs=([100.0, 0.0],),
        trigger=([0.0, 0.0], [100.0, 0.0]),
        ordinary=([0.0, 0.0], [1.0, 2.0]),
    ),
    "softmax-by-hand": row(
        "out = tf.exp(p) / tf.reduce_sum(tf.exp(p), axis=-1)",
        "tf.exp(p)",
        "p",
        "Exp",
        "LC201",
        inputs=([100.0, 0.0],),
        trigger=([0.0, 0.0], [100.0, 0.0]),
        ordinary=([0.0, 0.0], [1.0, 2.0]),
    ),
    "log-cosh": row(
        "out = tf.math.log(tf.math.cosh(p))",
        "tf.math.cosh(p)",
        "p",
        "Cosh",
        "LC202",
        inputs=([100.0],),
        trigger=([0.0], [100.0]),
        ordinary=([0.0, 0.0], [-3.0, 2.0]),
    ),
    "rmse": row(
        "out = tf.sqrt(tf.reduce_mean(tf.square(y - p)))",
        "tf.sqrt(tf.reduce_mean(tf.square(y - p)))",
        "tf.reduce_mean(tf.square(y - p))",
        "Sqrt",
        "LC203",
        inputs=(0.0,),
        trigger=([1.0, 2.0], [1.0, 2.0]),
        ordinary=([1.0, 2.0], [0.5, 4.0]),
    ),
    "where-sqrt": row(
        "out = tf.where(p > 0.0, tf.sqrt(p), 0.0)",
        "tf.sqrt(p)",
        "p",
        "Sqrt",
        "LC203",
        inputs=([-1.0],),
        trigger=([0.0, 0.0], [-1.0, 0.0]),
        ordinary=([0.0, 0.0], [0.3, 2.0]),
    ),
    "norm": row(
        "out = tf.norm(y - p, axis=-1)",
        "tf.norm(y - p, axis=-1)",
        "y - p",
        "Sqrt",
        "LC203",
        inputs=(0.0,),
        trigger=([1.0, 2.0], [1.0, 2.0]),
        ordinary=([1.0, 2.0], [0.5, 4.0]),
    ),
    "standard-deviation": row(
        "out = tf.math.reduce_std(p)",
        "tf.math.reduce_std(p)",
        "p",
        "Sqrt",
        "LC203",
        inputs=(0.0,),
        trigger=([0.0, 0.0], [2.0, 2.0]),
        ordinary=([0.0, 0.0], [0.5, 4.0]),
    ),
    "root-of-a-difference": row(
        "out = tf.sqrt(y * y - p)",
        "tf.sqrt(y * y - p)",
        "y * y - p",
        "Sqrt",
        "LC201",
        inputs=([-1e-3],),
        trigger=([1.0], [1.001]),
        ordinary=([1.0, 2.0], [0.5, 1.0]),
    ),
    "inverse-root": row(
        "out = p * tf.math.rsqrt(tf.reduce_sum(p * p))",
        "tf.math.rsqrt(tf.reduce_sum(p * p))",
        "tf.reduce_sum(p * p)",
        "Rsqrt",
        "LC201",
        inputs=(0.0,),
        trigger=([0.0, 0.0], [0.0, 0.0]),
        ordinary=([0.0, 0.0], [0.5, 4.0]),
    ),
    "power-slope": row(
        "out = tf.pow(p, 0.5)",
        "tf.pow(p, 0.5)",
        "p; 0.5",
        "Pow",
        "LC204",
        inputs=([0.0], 0.5),
        trigger=([0.0], [0.0]),
        ordinary=([0.0, 0.0], [0.3, 2.0]),
    ),
    "power-of-negative": row(
        "out = p ** 0.7",
        "p ** 0.7",
        "p; 0.7",
        "Pow",
        "LC201",
        inputs=([-0.1], 0.7),
        trigger=([0.0], [-0.1]),
        ordinary=([0.0, 0.0], [0.3, 2.0]),
    ),
    "negative-power": row(
        "out = p ** (-0.5)",
        "p ** (-0.5)",
        "p; -0.5",
        "Pow",
        "LC202",
        inputs=([0.0], -0.5),
        trigger=([0.0], [0.0]),
        ordinary=([0.0, 0.0], [0.3, 2.0]),
    ),
    "zero-by-zero": row(
        "out = y / p",
        "y / p",
        "y; p",
        "RealDiv",
        "LC201",
        inputs=([0.0], [0.0]),
        trigger=([0.0], [0.0]),
        ordinary=([1.0, 2.0], [-0.5, 4.0]),
    ),
    "by-zero": row(
        "out = tf.abs(y - p) / p",
        "tf.abs(y - p) / p",
        "tf.abs(y - p); p",
        "RealDiv",
        "LC202",
        inputs=([1.0], [0.0]),
        trigger=([1.0], [0.0]),
        ordinary=([1.0, 2.0], [-0.5, 4.0]),
    ),
    "where-division": row(
        "out = tf.where(p != 0.0, y / p, 0.0)",
        "y / p",
        "y; p",
        "RealDiv",
        "LC203",
        inputs=([1.0], [0.0]),
        trigger=([1.0], [0.0]),
        ordinary=([1.0, 2.0], [-0.5, 4.0]),
    ),
    "arc-cosine": row(
        "out = tf.math.acos(tf.clip_by_value(tf.multiply(p, 1.0), -1.0, 1.0))",
        "tf.math.acos(tf.clip_by_value(tf.multiply(p, 1.0), -1.0, 1.0))",
        "tf.clip_by_value(tf.multiply(p, 1.0), -1.0, 1.0)",
        "Acos",
        "LC204",
        inputs=([1.0],),
        trigger=([0.0, 0.0], [1.0, -1.0]),
        ordinary=([0.0, 0.0], [0.3, -0.9]),
    ),
    "angle-of-origin": row(
        "out = tf.math.atan2(y - p, p)",
        "tf.math.atan2(y - p, p)",
        "y - p; p",
        "Atan2",
        "LC203",
        inputs=([0.0], [0.0]),
        trigger=([0.0], [0.0]),
        ordinary=([1.0, 2.0], [-0.5, 4.0]),
    ),
    "mask-times-infinite": row(
        "out = y * (1.0 / p)",
        "y * (1.0 / p)",
        "y; 1.0 / p",
        "Mul",
        "LC201",
        inputs=([0.0], [np.inf]),
        trigger=([0.0], [1e-39]),
        ordinary=([1.0, 2.0], [-0.5, 4.0]),
    ),
    "arc-tangent-of-quotient": row(
        "out = tf.math.atan(y / p)",
        "y / p",
        "y; p",
        "RealDiv",
        "LC201",
        inputs=([0.0], [0.0]),
        trigger=([0.0], [0.0]),
        ordinary=([1.0, 2.0], [0.5, 4.0]),
    ),
}
VALUE_ONLY = {
    "mask-times-infinite"
}  # its remark says that the gradient needs the operand made safe


def proposed(row: Row) -> str:
    """The fix as a program that defines `out`."""
    backward = row.code in ("LC203", "LC204")
    direction = Direction.BACKWARD if backward else Direction.FORWARD
    location = Location(
        file="losses.py", line=1, column=None, end_column=None, source=f"    {row.line}",
        op=row.op, direction=direction.value,
    )  # fmt: skip
    blame = Blame(
        location=location,
        op=row.op,
        direction=direction,
        expression=row.expression,
        operands=row.operands,
        operand_values=tuple(np.asarray(v, dtype=np.float32) for v in row.inputs),
        result=None,
    )
    form = "inf" if row.code in ("LC202", "LC204") else "nan"
    suspect = Suspect(code=row.code, form=form, direction=direction)
    return remedy(find(row.code), suspect, blame, ()).fix


def run(program: str) -> Callable[..., Any]:
    def loss(y: Any, p: Any) -> Any:
        names = {"tf": tf, "y": y, "p": p}
        exec(program, names)
        return names["out"]

    return loss


def value_and_gradient(program: str, y: Any, p: Any, xla: bool = False) -> tuple[Any, Any]:
    @functools.partial(tf.function, jit_compile=xla, autograph=False)
    def both(y: Any, p: Any) -> tuple[Any, Any]:
        value = run(program)(y, p)
        return value, tf.gradients(value, p)[0]

    value, gradient = both(tf.constant(y, tf.float32), tf.constant(p, tf.float32))
    return value.numpy(), gradient.numpy()


@pytest.mark.parametrize("name", ROWS)
class TestFix:
    def test_the_faulty_line_fails_at_the_trigger(self, name: str) -> None:
        row = ROWS[name]
        results = [value_and_gradient(row.line, *row.trigger, xla=xla) for xla in (False, True)]
        assert not all(np.isfinite(part).all() for pair in results for part in pair)

    @pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
    def test_is_finite_at_the_trigger(self, name: str, xla: bool) -> None:
        value, gradient = value_and_gradient(proposed(ROWS[name]), *ROWS[name].trigger, xla=xla)
        assert np.isfinite(value).all(), value
        if name not in VALUE_ONLY:
            assert np.isfinite(gradient).all(), gradient

    def test_changes_nothing_elsewhere(self, name: str) -> None:
        before = value_and_gradient(ROWS[name].line, *ROWS[name].ordinary)
        after = value_and_gradient(proposed(ROWS[name]), *ROWS[name].ordinary)
        np.testing.assert_allclose(after[0], before[0], rtol=TOLERANCE)
        np.testing.assert_allclose(after[1], before[1], rtol=TOLERANCE, atol=1e-6)
