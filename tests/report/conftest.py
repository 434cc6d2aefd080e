"""A report as a real run would give it, with everything that is awkward to show."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from losscheck.model import (
    Argument,
    Check,
    Curve,
    Diagnosis,
    Environment,
    Execution,
    Expected,
    Finding,
    GradientSummary,
    Ignored,
    Layout,
    LeftOut,
    Location,
    LossReport,
    Observed,
    Report,
    SelfTest,
    Slopes,
    Source,
    Summary,
)

LONG = (
    "    return tf.reduce_mean(tf.reduce_sum(alpha * tf.pow(1.0 - probability_of_the_class, gamma)"
    " * tf.math.log(probability_of_the_class), axis=-1)) + regularisation_strength * penalty(y)"
)
LOG = "    hit = tf.where(y_pred > 0.0, tf.math.log(y_pred), 0.0)"


def location(source: str, blamed: str, line: int, op: str, direction: str) -> Location:
    column = source.index(blamed) + 1
    return Location(
        file="my_package/losses.py",
        line=line,
        column=column,
        end_column=column + len(blamed),
        source=source,
        op=op,
        direction=direction,
    )


GRADIENT_NAN = Finding(
    id="LC203-1f2e3d4c",
    code="LC203",
    slug="gradient-nan",
    severity="error",
    kind="avoidable",
    range="working",
    message="the gradient is NaN while the loss is finite",
    dtype="float32",
    mode="graph",
    count=1234,
    inputs={
        "y_true": np.array([[1, 0]], np.float32),
        "y_pred": np.array([[0, 0.1]], np.float32),
    },
    observed=Observed(value=np.float32(0.0), gradient=np.array([[np.nan, -0.0]], dtype=np.float32)),
    expected=Expected(value=0.0, gradient=np.zeros((1, 2))),
    location=location(LOG, "tf.math.log(y_pred)", 16, "Log", "backward"),
    cause=(
        "The slope of log at y_pred = 0 is infinite; tf.where multiplies it by 0 on the way back, "
        "and 0 times infinity is NaN."
    ),
    fix=(
        "safe = tf.where(y_pred > 0.0, y_pred, 1.0)\n"
        "hit = tf.where(y_pred > 0.0, tf.math.log(safe), 0.0)"
    ),
    reproduce=(
        "import tensorflow as tf\n"
        "from my_package.losses import focal\n\n"
        "y_pred = tf.constant([[0.0, 0.1]])\n"
        "with tf.GradientTape() as tape:\n"
        "    tape.watch(y_pred)\n"
        "    loss = focal(tf.constant([[1.0, 0.0]]), y_pred)\n"
        "print(tape.gradient(loss, y_pred))\n"
    ),
)
OVERFLOW = Finding(
    id="LC202-00aa11bb",
    code="LC202",
    slug="forward-inf",
    severity="warning",
    kind="inherent",
    range="extreme",
    message="the loss is infinite: [bold]the square[/bold] of <script>alert(1)</script> overflows",
    dtype="float16",
    mode="xla",
    count=1,
    inputs={
        "y_true": np.linspace(0, 1, 128, dtype=np.float16).reshape(16, 8),
        "y_pred": np.full((16, 8), 60000, np.float16),
    },
    observed=Observed(value=np.float16(np.inf), gradient=np.full((16, 8), -np.inf, np.float16)),
    expected=Expected(value=3.6e9, gradient=None, text="the square of 60000 is 3.6e9"),
    location=location(LONG, "tf.math.log(probability_of_the_class)", 27, "Log", "forward"),
    cause="",
    fix="Scale the error before it is squared, or compute this term in float32.",
    reproduce="",
)
KINK = Finding(
    id="LC104-deadbeef",
    code="LC104",
    slug="gradient-kink",
    severity="note",
    kind=None,
    range=None,
    message="the slope jumps from 1 to 2 at an error of 1; the gradient takes the right side",
    dtype="float32",
    mode="graph",
    count=3,
    inputs={"y_true": np.array([0.0], np.float32), "y_pred": np.array([1.0], np.float32)},
    observed=Observed(value=np.float32(1.0), gradient=np.array([2.0], np.float32)),
    expected=Expected(),
    location=Location(
        file="my_package/losses.py",
        line=9,
        column=None,
        end_column=None,
        source="\treturn tf.where(error < 1.0, error, error ** 2)",
        op="SelectV2",
    ),
    cause="The two branches meet in value but not in slope.",
    fix="",
    reproduce="",
)
CALL = Finding(
    id="LC901-0badc0de",
    code="LC901",
    slug="call-fails",
    severity="error",
    kind=None,
    range=None,
    message="raises AttributeError: module 'tensorflow' has no attribute 'diff'\x1b[31m",
    dtype="float32",
    mode="eager",
    count=1,
    inputs={},
    observed=Observed(),
    expected=Expected(),
    location=None,
    cause="",
    fix="tf.experimental.numpy.diff(y_pred, axis=1)",
    reproduce="",
)
RAISED = "TypeError: Input 'y' of 'Mul' Op has type float64 that does not match type float32."
RAN = (
    Execution(dtype="float32", mode="eager", outcome="agrees", cases=1200),
    Execution(dtype="float32", mode="graph", outcome="reference", cases=1200, count=7),
    Execution(dtype="float32", mode="xla", outcome="differs", cases=1200, count=3),
    Execution(dtype="float64", mode="eager", outcome="not run"),
    Execution(dtype="float64", mode="graph", outcome="raises", reason=RAISED),
    Execution(dtype="float64", mode="xla", outcome="not run"),
    Execution(dtype="float16", mode="eager", outcome="not run"),
    Execution(dtype="float16", mode="graph", outcome="not finite", cases=160, count=1),
    Execution(dtype="float16", mode="xla", outcome="not run"),
    Execution(dtype="bfloat16", mode="eager", outcome="not run"),
    Execution(dtype="bfloat16", mode="graph", outcome="runs", cases=48),
    Execution(dtype="bfloat16", mode="xla", outcome="not run"),
)
LAID_OUT = (
    Layout(form="batch size", shapes={"y": "(1, 3)", "p": "(1, 3)"}, outcome="runs"),
    Layout(form="batch size", shapes={"y": "(7, 3)", "p": "(7, 3)"}, outcome="runs"),
    Layout(form="mismatched ranks", shapes={"y": "(4,)", "p": "(4, 1)"}, outcome="broadcasts"),
    Layout(
        form="mismatched ranks",
        shapes={"y": "(4, 1)", "p": "(4,)"},
        outcome="raises",
        reason="ValueError: <b>no</b>",
    ),
    Layout(
        form="unknown rank", shapes={"y": "any", "p": "any"}, outcome="raises", reason="E: no depth"
    ),
)
SLOPES = Slopes(
    verified=400,
    wrong=1,
    undecided=12,
    gradient=np.array([-2.0, -1.0, 0.5, 3.0, 9.0]),
    numeric=np.array([-2.0, -1.0, 0.5, 1.5, 9.1]),
    bound=np.array([1e-9, 1e-9, 1e-8, 1e-9, 0.4]),
    off=np.array([0.0, 2e-12, 1e-11, 0.5, 0.01]),
    resolving=np.array([5e-10, 1e-9, 2e-8, 3e-10, 0.04]),
    outcome="vvvwu",
)


def diagnosis(*findings: Finding) -> Diagnosis:
    root = findings[0]
    return Diagnosis(
        id=f"D-{root.id[-8:]}",
        severity=root.severity,
        location=root.location,
        cause=root.cause or root.message,
        fix=root.fix,
        findings=tuple(finding.id for finding in findings),
    )


def checks() -> tuple[Check, ...]:
    every = {"dtypes": ("float32", "float16"), "modes": ("eager", "graph", "xla")}
    graph = {"dtypes": ("float32",), "modes": ("graph",)}
    return (
        Check(code="LC101", slug="gradient-mismatch", outcome="pass", cases=4096, **graph),
        Check(code="LC102", slug="gradient-missing", outcome="pass", cases=4096, **graph),
        Check(
            code="LC106",
            slug="second-order",
            outcome="skip",
            reason="ask with --select LC106",
            applies=False,
        ),
        Check(code="LC202", slug="forward-inf", outcome="warn", cases=65536, **every),
        Check(code="LC203", slug="gradient-nan", outcome="fail", cases=65536, **every, seconds=0.4),
        Check(code="LC301", slug="value-precision", outcome="pass", cases=20000, **graph),
        Check(
            code="LC302",
            slug="gradient-precision",
            outcome="inconclusive",
            cases=20000,
            reason="float64 cancels as well, and the op MatrixSolve has no exact rule",
            **graph,
        ),
        Check(code="LC401", slug="silent-broadcast", outcome="pass", cases=12, **every),
        Check(code="LC506", slug="xla-unsupported", outcome="skip", reason="no XLA on this build"),
        Check(code="LC505", slug="half-nonfinite", outcome="skip", reason="no XLA on this build"),
    )


def curves() -> tuple[Curve, ...]:
    x = np.linspace(0.0, 1.0, 201)
    with np.errstate(divide="ignore"):
        wrong = Curve(label="y_true = 0 <script>", x=x, value=-np.log(1 - x), gradient=1 / (1 - x))
        right = Curve(
            label="y_true = 1",
            x=x,
            value=np.where(x > 0, -np.log(x), 0.0),
            gradient=np.where(x > 0, -1 / x, np.nan),
        )
    return wrong, right


def focal() -> LossReport:
    return LossReport(
        target="my_package.losses:focal(gamma=2.0)",
        verdict="fail",
        seconds=2.31,
        cases=1_204_331,
        source=Source(file="my_package/losses.py", line=12),
        arguments=(
            Argument(
                name="y_true",
                role="y_true",
                domain="one_hot",
                shape="(B, C)",
                dtype="float32",
                origin="declared",
            ),
            Argument(
                name="y_pred",
                role="y_pred",
                domain="simplex",
                shape="(B, C)",
                dtype="float32",
                origin="inferred",
                why="goes into a log; <b>sums to 1</b> where the loss is finite and differentiable",
                plausible=("probability", "positive"),
            ),
        ),
        gradient=GradientSummary(
            digits=11.23,
            max_error=1e-12,
            compute_gradient_max_error=2e-4,
            points=4096,
            float32_digits=6.9,
            forward_mode_max_error=3e-16,
            largest=12,
            self_test=(SelfTest(fault="one element scaled by 1.001", tried=4096, caught=4090),),
        ),
        checks=checks(),
        findings=(KINK, OVERFLOW, GRADIENT_NAN),
        diagnoses=tuple(map(diagnosis, (GRADIENT_NAN, OVERFLOW, KINK))),
        ignored=(
            Ignored(
                id="LC103-aaaaaaaa",
                code="LC103",
                reason="clipping is deliberate",
                count=34,
                location=KINK.location,
            ),
            Ignored(id="LC103-bbbbbbbb", code="LC103", reason="clipping is deliberate"),
        ),
        curves=curves(),
        slopes=SLOPES,
        executions=RAN,
        layouts=LAID_OUT,
        notes=("vectorised tracing failed: 3,000 cases were run one at a time",),
    )


def sound() -> LossReport:
    return LossReport(
        target="my_package.losses:mse",
        verdict="pass",
        seconds=0.8,
        cases=1_000_000,
        source=Source(file="my_package/losses.py", line=3),
        gradient=GradientSummary(
            digits=None, max_error=np.inf, compute_gradient_max_error=None, points=12
        ),
        checks=tuple(check for check in checks() if check.outcome == "pass"),
    )


def unread() -> LossReport:
    return LossReport(
        target="my_package.losses:temporal",
        verdict="inconclusive",
        seconds=0.1,
        cases=0,
        source=None,
        reason="the gradient could not be judged: no ordinary point gave a finite loss",
    )


def broken() -> LossReport:
    return attrs.evolve(
        sound(), target="my_package.losses:diff", verdict="fail", findings=(CALL,), checks=()
    )


@pytest.fixture
def report() -> Report:
    return Report(
        losscheck="0.1.0",
        environment=Environment(
            python="3.11.9",
            tensorflow="2.21.0",
            keras="3.15.0",
            numpy="2.4.0",
            hypothesis="6.150.0",
            platform="Linux x86_64",
            devices=("CPU:0",),
        ),
        seed=0,
        seconds=3.9,
        summary=Summary(losses=4, passed=1, fail=2, inconclusive=1, error=0, cases=3_204_331),
        losses=(focal(), sound(), broken(), unread()),
        left_out=(
            LeftOut(target="my_package.losses:helper", reason="takes one argument, not two"),
        ),
    )


@pytest.fixture
def single(report: Report) -> Report:
    summary = Summary(losses=1, passed=0, fail=1, inconclusive=0, error=0, cases=1_204_331)
    return attrs.evolve(report, losses=report.losses[:1], summary=summary, left_out=())
