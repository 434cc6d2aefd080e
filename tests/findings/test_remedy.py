"""Words for every rule and form: none is empty, numbers appear, every fix is Python."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
import pytest

from losscheck.advice import nonfinite
from losscheck.advice.blamed import Blame
from losscheck.findings.steps import Remedy, remedy
from losscheck.model import Argument, Direction, Kind, Location, Suspect
from losscheck.rules import find

ARGUMENTS = (
    Argument(name="y_true", role="y_true", domain="real", shape="(B, D)", dtype="float32",
             origin="declared"),
    Argument(name="scores", role="y_pred", domain="probability", shape="(B, D)", dtype="float32",
             origin="declared"),
    Argument(name="importance", role="weight", domain="weight", shape="(B,)", dtype="float32",
             origin="declared"),
)  # fmt: skip
BLAMELESS = Blame(
    location=None,
    op="",
    direction=Direction.FORWARD,
    expression="",
    operands=(),
    operand_values=(),
    result=None,
)


def told(suspect: Suspect, blame: Blame, arguments: tuple[Argument, ...]) -> Remedy:
    return remedy(find(suspect.code), suspect, blame, arguments)


GRADIENTS = {"gradient": [[2.001]], "expected_gradient": [[2.0]]}
SIDES = {"at": {"scores": 1.25}, "left": 1.0, "right": 2.5, "gradient": 2.5}
PART = {
    "part": "y_pred[:, 2:]", "kept": 2, "size": 4, "axis": 1, "labelled": True, "beyond": True,
    "cases": 4096,
}  # fmt: skip
FLOOR = {"right": 77.0, "wrong": 0.7, "without": 0.0, "constant": 1e-10}
UNTAKEN = {"argument": "y_true", "number": 1.0, "says": False, "cases": 1024}
SECOND = {"direction": [[1.0]], "product": [[0.83]], "numeric": [[0.2]]}
LAYOUT = {
    "argument": "importance", "shape": (5,), "other_shape": (5, 1), "result_shape": (5, 5),
    "value": 0.104, "aligned_value": 0.02,
}  # fmt: skip
RAISED = {"argument": "importance", "shape": (7,), "batch": 1, "size": 3,
          "exception": "Incompatible shapes: [3] vs. [7]"}  # fmt: skip

# code, form, facts, further fields of the suspect, a text that must appear in message or cause
ROWS: list[tuple[str, str, Mapping[str, Any], Mapping[str, Any], str]] = [
    ("LC101", "mismatch", {}, GRADIENTS, "2.001"),
    ("LC101", "tie", {}, GRADIENTS, "2.001"),
    ("LC101", "stop-gradient", {}, GRADIENTS, "2.001"),
    ("LC101", "upstream", {"upstream": np.array([3.0])}, GRADIENTS, "ignores the upstream"),
    ("LC101", "upstream", {"ignored": False}, GRADIENTS, "does not multiply"),
    ("LC102", "none", {}, {}, "None"),
    ("LC102", "part", PART, {}, "2 of 4 along axis 1, though the labels"),
    ("LC102", "part-unasked", PART | {"labelled": False, "beyond": False}, {}, "y_pred[:, 2:]"),
    ("LC102", "part-flat", PART, {}, "depends on it"),
    ("LC102", "part-ends", PART, {}, "4,096 cases"),
    ("LC108", "floor", FLOOR, {}, "1e-10 is added"),
    ("LC404", "axes", {"shape": (4, 3)}, {}, "(4, 3)"),
    ("LC109", "label", UNTAKEN, {}, "false in all 1,024 cases"),
    ("LC109", "prediction", UNTAKEN | {"says": True}, {}, "true in all"),
    ("LC401", "batch", {"argument": "y_pred", "other_shape": (4,)}, {}, "(4,)"),
    ("LC106", "missing", SECOND | {"op": "StopGradient", "product": None}, {}, "0.2"),
    ("LC106", "missing", {"reason": "LookupError: no gradient defined"}, {}, "LookupError"),
    ("LC106", "missing", {"op": "PyFunc", "custom": True}, {}, "NumPy"),
    ("LC106", "wrong", SECOND | {"custom": True}, {}, "0.83"),
    ("LC106", "wrong", SECOND | {"op": "Sign"}, {}, "Sign"),
    ("LC106", "wrong", {}, {}, "differences"),
    ("LC106", "nonfinite", SECOND | {"product": [[float("nan")]]}, {}, "0.2"),
    ("LC107", "huge", {"ordinary": 2.0}, {"gradient": [[1e8]]}, "5e7 times"),
    ("LC107", "faint", {"ordinary": 2.0}, {"gradient": [[3e-9]]}, "3e-9"),
    ("LC108", "lower", {"right": 4.5, "wrong": [0.5], "prediction": [1.0]}, {}, "4.5"),
    ("LC108", "falls", {"right": 0.0, "wrong": [3.5, 2.5], "prediction": [1.0]}, {}, "3.5, 2.5"),
    ("LC206", "value", {"label": -1, "classes": 3, "raised": [], "op": "OneHot"}, {}, "-1"),
    ("LC206", "mode", {"label": 3, "classes": 3, "raised": ["eager"], "op": ""}, {}, "eager"),
    ("LC303", "wrap", {"integers": "uint8", "came": 254.0, "right": -2.0}, {}, "254"),
    ("LC505", "inf", {}, {"dtype": "float16"}, "float16"),
    ("LC505", "nan", {}, {"dtype": "bfloat16"}, "bfloat16"),
    ("LC506", "compile", {"op": "PyFunc", "exception": ""}, {}, "Python"),
    ("LC506", "compile", {"op": "", "exception": "No kernel"}, {}, "No kernel"),
    ("LC103", "point", {}, {"value": 16.1}, "16.1"),
    ("LC103", "region", {"low": 0.25, "high": 0.75}, {"value": 16.1}, "from 0.25 to 0.75"),
    ("LC103", "point", {"low": 1.5, "high": None}, {}, "for every scores from 1.5 on"),
    ("LC103", "point", {"low": None, "high": 0.1, "element": (0, 1)}, {},
     "for every scores[0, 1] up to 0.1, the others held"),
    ("LC103", "region", {"low": None, "high": None}, {}, "for every scores."),
    ("LC103", "most", {"share": 0.62}, {"value": 16.1}, "62%"),
    ("LC104", "kink", {**SIDES, "error": 1.0}, {}, "error of 1"),
    ("LC104", "kink", SIDES, {}, "scores = 1.25"),
    ("LC105", "branches", SIDES, {}, "from 1 to 2.5"),
    ("LC105", "selection", SIDES, {}, "from 1 to 2.5"),
    ("LC201", "nan", {}, {"inputs": {"scores": np.array([[0.5]])}}, "scores = 0.5"),
    ("LC202", "inf", {}, {"inputs": {"scores": np.array([[0.5]])}}, "scores = 0.5"),
    ("LC203", "nan", {}, {"value": 0.75, "direction": Direction.BACKWARD}, "0.75"),
    ("LC204", "inf", {}, {"value": 0.75, "direction": Direction.BACKWARD}, "0.75"),
    ("LC205", "overflow", {}, {"value": 0.0, "inputs": {"scores": [3e38]}}, "3e38"),
    ("LC205", "nonfinite-input", {}, {"value": 0.0, "inputs": {"scores": [np.inf]}}, "Inf"),
    ("LC401", "layout", LAYOUT, {}, "0.104 where 0.02"),
    ("LC401", "constant", LAYOUT, {}, "(5, 5)"),
    ("LC401", "rank", LAYOUT, {}, "(5, 5)"),
    ("LC402", "batch-of-one", RAISED, {}, "batch of 1"),
    ("LC402", "unknown-batch", RAISED, {}, "[3] vs. [7]"),
    ("LC402", "size", RAISED, {}, "size of 3"),
    ("LC402", "declared-rank", RAISED, {}, "(7,)"),
    ("LC402", "weights", RAISED, {}, "(7,)"),
    ("LC402", "unknown-rank", RAISED, {}, "[3] vs. [7]"),
    ("LC403", "coupled", {"value": 1.5, "parts": 1.25}, {}, "1.25"),
    ("LC403", "summed", {"value": 5.0, "parts": 1.25}, {}, "1.25"),
    ("LC404", "none", {}, {}, "None"),
    ("LC404", "not-a-tensor", {"type": "a dict"}, {}, "a dict"),
    ("LC404", "shape", {"shape": (3, 3)}, {}, "(3, 3)"),
    ("LC501", "python-control-flow", RAISED, {}, "[3] vs. [7]"),
    ("LC501", "numpy", RAISED, {}, "[3] vs. [7]"),
    ("LC501", "other", RAISED, {}, "[3] vs. [7]"),
    ("LC502", "dtype", {**RAISED, "dtype": "float16", "exception": "cannot compute Mul as input "
     "#1(zero-based) was expected to be a half tensor but is a float tensor"}, {}, "is fixed"),
    ("LC502", "kernel", {**RAISED, "dtype": "float16", "exception": "Value for attr 'Treal' of "
     "half is not in the list of allowed values: float, double"}, {}, "not take float16."),
    ("LC503", "nonfinite", {"values": {"graph": 0.0, "xla": np.nan}}, {}, "xla gives NaN"),
    ("LC503", "value", {"graph": 1.0, "xla": 1.125}, {}, "xla gives 1.125"),
    ("LC503", "gradient", {"graph": 1.0, "xla": 1.125}, {}, "xla gives 1.125"),
    ("LC504", "random", {"first": 0.5, "second": 0.625}, {}, "0.625"),
    ("LC901", "attribute", {"name": "diff", "owner": "tf", "suggestions": ["keras.ops.diff"]}, {},
     "keras.ops.diff"),
    ("LC901", "name", {"name": "model"}, {}, "model"),
    ("LC901", "raises", RAISED, {}, "[3] vs. [7]"),
]  # fmt: skip


def assert_complete(words: Remedy) -> None:
    for text in (words.message, words.cause, words.fix):
        assert text.strip() == text != ""
        assert "{" not in text
    assert words.message.endswith(".")
    assert words.cause.endswith(".")
    ast.parse(words.fix)


@pytest.mark.parametrize(("code", "form", "facts", "fields", "said"), ROWS)
def test_every_form_has_words_with_its_numbers(
    code: str, form: str, facts: Mapping[str, Any], fields: Mapping[str, Any], said: str
) -> None:
    words = told(Suspect(code=code, form=form, facts=facts, **fields), BLAMELESS, ARGUMENTS)
    assert_complete(words)
    assert said in f"{words.message} {words.cause}"


@pytest.mark.parametrize(("code", "form"), sorted({row[:2] for row in ROWS}))
def test_missing_facts_leave_whole_sentences(code: str, form: str) -> None:
    words = told(Suspect(code=code, form=form), BLAMELESS, ())
    assert_complete(words)
    assert not any(hole in words.message + words.cause for hole in ("is None)", "  ", "''", "()."))


def blamed(op: str, direction: str, expression: str = "", *operands: str, line: str = "",
           values: tuple[Any, ...] = ()) -> Blame:  # fmt: skip
    location = Location(file="losses.py", line=7, column=1, end_column=None, source=line, op=op)
    return Blame(
        location=location,
        op=op,
        direction=Direction(direction),
        expression=expression,
        operands=operands,
        operand_values=tuple(np.asarray(v, dtype=np.float32) for v in values),
        result=np.nan,
    )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("kind", [None, Kind.INHERENT])
@pytest.mark.parametrize(("op", "direction"), [*nonfinite.ADVICE, ("Betainc", "forward")])
def test_every_op_has_advice(op: str, direction: str, kind: Kind | None, dtype: str) -> None:
    code = "LC201" if direction == "forward" else "LC203"
    suspect = Suspect(code=code, form="nan", kind=kind, dtype=dtype)
    assert_complete(told(suspect, blamed(op, direction), ()))
    assert_complete(told(suspect, blamed(op, direction, values=([0.0, 2.0], [0.0, 1.0])), ()))


def test_log_behind_a_where_names_its_operand_and_its_value() -> None:
    line = "hit = tf.where(scores > 0., tf.math.log(scores), 0.)"
    blame = blamed("Log", "backward", "tf.math.log(scores)", "scores", line=f"    {line}",
                   values=([[0.3, 0.0]],))  # fmt: skip
    suspect = Suspect(code="LC203", form="nan", value=0.0, direction=Direction.BACKWARD)
    words = told(suspect, blame, ARGUMENTS)
    assert words.message == "The gradient is NaN while the loss is 0."
    assert words.cause == (
        "The slope of log at scores = 0 is infinite; on the way back it becomes NaN."
    )
    assert words.fix.splitlines()[:2] == [
        "safe = tf.where(scores > 0.0, scores, 1.0)",
        "hit = tf.where(scores > 0., tf.math.log(safe), 0.)",
    ]


def test_a_wider_replacement_is_put_in_parentheses() -> None:
    line = "out = y_true * tf.math.log(tf.math.cosh(d))"
    blame = blamed("Cosh", "forward", "tf.math.cosh(d)", "d", line=line, values=([100.0],))
    fix = told(Suspect(code="LC202", form="inf"), blame, ()).fix
    assert "y_true * (a + tf.math.softplus(-2.0 * a) - tf.math.log(2.0))" in fix


def test_an_unknown_function_around_the_op_is_not_rewritten() -> None:
    blame = blamed("Log", "forward", "helper(scores)", "scores", line="out = helper(scores)",
                   values=([0.0],))  # fmt: skip
    words = told(Suspect(code="LC202", form="inf"), blame, ())
    assert words.cause == "The logarithm of 0 is -Inf."
    assert words.fix.splitlines()[0] == "tf.math.log(tf.maximum(x, 1e-7))"


@pytest.mark.parametrize(("op", "what"), [("StatelessWhile", "loop"), ("If", "branch")])
@pytest.mark.parametrize("kind", [None, Kind.INHERENT])
def test_what_runs_a_function_is_looked_into(op: str, what: str, kind: Kind | None) -> None:
    run = "lambda i, x: i < 2", "lambda i, x: (i + 1, tf.math.log(x))"
    blame = blamed(op, "forward", f"tf.while_loop({', '.join(run)}, (0, e))", *run, "(0, e)")
    words = told(Suspect(code="LC201", form="nan", kind=kind), blame, ())
    assert f"inside the {what}" in words.cause
    assert "lambda" not in words.fix
    assert_complete(words)
    huge = told(Suspect(code="LC107", form="huge"), blame, ())
    assert huge.fix.startswith("# Keep what the slope grows with away")


def test_a_number_that_is_written_out_is_not_bounded() -> None:
    steep = blamed("Mul", "backward", "255.0 * image", "255.0", "image")
    huge = told(Suspect(code="LC107", form="huge"), steep, ())
    assert all(line.startswith("#") for line in huge.fix.splitlines())
    near = blamed("RealDiv", "backward", "1.0 / image", "1.0", "image")
    huge = told(Suspect(code="LC107", form="huge"), near, ())
    assert huge.fix.startswith("tf.maximum(image, 1e-3)  # in place of image")


def test_slopes_of_what_is_too_long_to_be_said_are_those_of_this_branch() -> None:
    blame = attrs.evolve(blamed("StatelessIf", "backward"), result=0.5, exact=2.0)
    words = told(Suspect(code="LC302", form="small"), blame, ())
    assert words.cause.startswith("The slopes of this branch lose their digits")


@pytest.mark.parametrize(
    ("facts", "fix"),
    [
        ({"argument": "importance", "shape": (5,), "other_shape": (5, 1)}, "(-1, 1)"),
        ({"argument": "importance", "shape": (5,), "other_shape": "(B, T, F)"}, "(-1, 1, 1)"),
        ({"argument": "importance", "shape": (5, 1), "other_shape": (5,)}, "(-1,)"),
        ({"argument": "importance", "shape": (5, 1)}, "(-1,)"),
        ({"argument": "y_true", "shape": (5,), "other_shape": (5, 1)}, "tf.shape(scores)"),
    ],
)
def test_broadcast_is_undone_in_the_shape_of_the_other_operand(
    facts: Mapping[str, Any], fix: str
) -> None:
    words = told(Suspect(code="LC401", form="layout", facts=facts), BLAMELESS, ARGUMENTS)
    name = facts["argument"]
    assert words.fix == f"{name} = tf.reshape({name}, {fix})"


def test_what_is_too_large_in_truth_is_bounded_and_not_rewritten() -> None:
    blame = blamed("Exp", "forward", "tf.exp(z)", "z", line="out = tf.exp(z) - y * z",
                   values=([100.0],))  # fmt: skip
    words = told(Suspect(code="LC202", form="inf", kind=Kind.INHERENT), blame, ())
    assert "no other formula can help" in words.cause
    assert words.fix.startswith("tf.clip_by_value(z, -80.0, 80.0)")
