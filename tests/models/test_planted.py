"""Faults that show in the weights of a model: each is found, at its line, and its twin passes."""

from __future__ import annotations

import contextlib
import functools
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from losscheck.engine.task import Task, examine
from losscheck.model import Finding, LossReport
from losscheck.report.json import from_json, to_json
from losscheck.settings.settings import Settings
from losscheck.targets import losses_of_model
from tests.models import planted, sound


@functools.cache
def examined(target: str) -> LossReport:
    """The report of a model as a whole, without its outputs' own."""
    if target.endswith((":argmax_at_the_end", ":words")) and not hasattr(
        keras.Model, "_compute_loss"
    ):
        pytest.skip("Keras 3.3 knows outputs by their layers alone, not by the keys of a dict")
    return examine(Task(target=target, settings=Settings()))


def of(name: str) -> LossReport:
    return examined(f"tests.models.planted:{name}")


def only(name: str) -> Finding:
    (found,) = of(name).findings
    return found


FAULTS = [
    # name, code, severity, what stands on the line, what the message names
    ("nan_at_the_start", "LC203", "error", "tf.sqrt(", "hidden/kernel and hidden/bias"),
    ("divides_by_zero", "LC202", "error", "x / self.scale", "at the start"),
    ("log_of_softmax", "LC201", "error", "tf.math.log(y_pred)", "at the start"),
    ("argmax_inside", "LC102", "error", "tf.argmax(x", "behind/kernel and behind/bias"),
    ("argmax_at_the_end", "LC102", "error", "tf.argmax(x", "[kind]"),
    ("one_output_without_a_loss", "LC102", "warning", "def one_output", "other/kernel"),
    ("stopped", "LC102", "warning", "tf.stop_gradient(x)", "behind/kernel"),
    ("dead_relu", "LC103", "error", "def dead_relu", "[one]"),
    ("clipped", "LC103", "error", "tf.clip_by_value(x, 50.0", "[0]"),
    ("all_zero", "LC103", "warning", "def all_zero", "first/kernel and second/kernel"),
    ("wrong_custom_gradient", "LC101", "error", "upstream * 4.0 * x", "behind/kernel"),
    (
        "wrong_second_path",
        "LC101",
        "error",
        "-2.0 * upstream * weights",
        "The gradient by read/kernel is",
    ),
    ("held_part", "LC101", "warning", "tf.stop_gradient(x * x - x)", "for constant"),
    ("bad_added_loss", "LC202", "error", "self.add_loss", "at the start"),
    ("nan_after_a_step", "LC201", "error", "tf.sqrt(self.level)", "after 1 step of training"),
]


@pytest.mark.parametrize(("name", "code", "severity", "line", "told"), FAULTS)
def test_a_fault_is_found_at_its_line(
    name: str, code: str, severity: str, line: str, told: str
) -> None:
    finding = only(name)
    assert (finding.code, finding.severity) == (code, severity)
    assert finding.location is not None
    assert line in finding.location.source
    assert told in finding.message
    assert finding.cause
    assert finding.fix


def test_a_wrong_gradient_is_told_with_both_numbers() -> None:
    finding = only("wrong_custom_gradient")
    # The slope of x * x is 2 x, and 4 x stands there.
    assert float(finding.observed.gradient) == pytest.approx(
        2 * float(finding.expected.gradient), rel=1e-6
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("nan_at_the_start", "gradient: [[nan"),
        ("argmax_inside", "gradient: None"),
        ("nan_after_a_step", "loss: nan"),
    ],
)
def test_the_program_shows_the_finding(name: str, shown: str) -> None:
    # In this process: one of its own takes seconds to import TensorFlow.
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(only(name).reproduce, name, "exec"), {})
    assert shown in output.getvalue()


def test_the_program_of_a_wrong_gradient_prints_both_numbers() -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(only("wrong_custom_gradient").reproduce, "wrong", "exec"), {})
    gradient, quotient = (
        float(line.partition(":")[2]) for line in output.getvalue().splitlines()[-2:]
    )
    assert gradient == pytest.approx(2 * quotient, rel=0.01)  # in float32


@pytest.mark.slow
def test_the_program_runs_by_itself() -> None:
    program = only("nan_at_the_start").reproduce
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path.cwd(), check=True
    )
    assert "nan" in done.stdout


def test_findings_survive_json() -> None:
    finding = only("nan_at_the_start")
    report = engine_report(of("nan_at_the_start"))
    (back,) = from_json(to_json(report)).losses
    assert back.findings[0].message == finding.message
    assert back.findings[0].id == finding.id
    assert np.isnan(back.findings[0].observed.gradient).all()
    assert back.findings[0].inputs["x"].shape == (1, 4)  # one sample is enough to show it


def engine_report(loss: LossReport) -> Any:
    from losscheck.model import Environment, Report, Summary

    environment = Environment(
        python="", tensorflow="", keras="", numpy="", hypothesis="", platform=""
    )
    summary = Summary(losses=1, passed=0, fail=1, inconclusive=0, error=0, cases=0)
    return Report(
        losscheck="0",
        environment=environment,
        seed=0,
        seconds=0.0,
        summary=summary,
        losses=(loss,),
    )


def test_an_id_is_the_same_from_model_to_model() -> None:
    again = planted.nan_at_the_start()  # Keras counts its layers on
    whole = losses_of_model(again, "tests.models.planted:nan_at_the_start")[0]
    (found,) = examine(
        Task(target=whole.target, settings=Settings(select=("LC203",))), whole
    ).findings
    assert found.id == only("nan_at_the_start").id


SOUND = [
    "length",
    "two_outputs",
    "noisy",
    "zero_residual",
    "frozen",
    "words",
    "pictures",
    "own_class",
    "only_added",
    "unbuilt",
    "with_settings",
    "right_custom_gradient",
    "satisfied",
    "sampled",
    "read_by_its_loss",
    pytest.param("text", marks=pytest.mark.slow),
    pytest.param("strided", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_model_passes(name: str) -> None:
    report = examined(f"tests.models.sound:{name}")
    assert report.verdict == "pass", report.reason
    assert report.findings == ()
    assert report.gradient is not None
    assert report.gradient.digits is not None
    assert report.gradient.digits > 6  # float64 differences of a float32 graph in float64


@pytest.mark.parametrize(
    ("name", "said"), [("own_step", "No loss to compute"), ("python_choice", "Python `bool`")]
)
def test_what_cannot_be_run_is_inconclusive_and_says_why(name: str, said: str) -> None:
    report = of(name)
    assert report.verdict == "inconclusive"
    assert said in report.reason
    assert {check.outcome for check in report.checks} == {"skip"}


def test_guessed_labels_that_no_loss_looks_at_make_no_error() -> None:
    finding = only("unseen_labels")
    assert (finding.code, finding.severity) == ("LC103", "warning")
    assert "takes no notice of the labels" in finding.cause


def test_what_is_not_asked_of_weights_says_so() -> None:
    checks = {check.code: check for check in examined("tests.models.sound:length").checks}
    assert checks["LC203"].outcome == "pass"
    assert checks["LC401"].outcome == "skip"
    assert "each output" in checks["LC401"].reason


def test_the_arguments_are_inputs_labels_and_weights() -> None:
    arguments = {a.name: a for a in examined("tests.models.sound:two_outputs").arguments}
    assert arguments["x"].shape == "(B, 4)"
    assert arguments["y_true[kind]"].domain == "class_index"
    assert arguments["y_true[kind]"].shape == "(B,)"
    assert arguments["y_true[size]"].shape == "(B, 1)"
    assert arguments["weights"].shape == "(49,)"  # 4*5 + 5, 5*3 + 3, 5*1 + 1


def test_numbers_of_words_stay_in_the_table() -> None:
    arguments = {a.name: a for a in examined("tests.models.sound:words").arguments}
    assert arguments["word"].domain == "class_index"
    assert "table of 7" in arguments["word"].why


def test_the_users_model_stays_as_it_is() -> None:
    model = sound.noisy()
    weights = [np.array(v.numpy()) for v in model.variables]
    losses, built = model._compile_loss, model._compile_loss.built
    state = [np.array(v.numpy()) for v in model.optimizer.variables]
    whole = losses_of_model(model)[0]
    task = Task(target=whole.target, settings=Settings())
    assert examine(task, whole).verdict == "pass"
    for before, variable in zip(weights, model.variables, strict=True):
        np.testing.assert_array_equal(before, variable.numpy())
    for before, variable in zip(state, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(before, variable.numpy())
    assert model._compile_loss is losses
    assert model._compile_loss.built == built
