"""Told what they are, traced as their Keras does, and judged by what can be judged of them."""

from __future__ import annotations

import functools
import sys
import warnings
from typing import Any

import keras
import pytest
import tensorflow as tf

from losscheck.api import check
from losscheck.model import LossReport
from losscheck.report.blocks import of_loss
from losscheck.report.verdicts import fails
from losscheck.settings.settings import Settings
from losscheck.targets import from_callable
from losscheck.targets.written import UNWRITTEN, Written
from tests.verdicts import codes, errors, found
from tests.wild import contain_losses as losses


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (losses.awaited, "It is an async function"),
        (losses.Served(), "It is an async function"),
        (losses.in_steps, "There is a yield in it"),
        (losses.streamed, "There is a yield in it"),
    ],
)
def test_what_gives_no_tensor_is_told_what_it_is(loss: Any, told: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of coroutines that nobody awaits
        report = check(loss)
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("LC404", "error")
    assert told in finding.cause
    assert "losscheck itself failed" not in of_loss(report)


def test_an_async_function_is_to_be_written_without_async() -> None:
    (finding,) = check(losses.awaited).findings
    assert finding.fix.startswith("def awaited(")


@pytest.mark.parametrize(
    "loss", [losses.ByRank(), pytest.param(losses.BySize(), marks=pytest.mark.slow)]
)
def test_a_loss_that_its_keras_converts_is_traced_so(loss: Any) -> None:
    report = check(loss, arguments={"y_true": "real", "y_pred": ("real", "(B, D)")})
    assert errors(report) == []
    assert not found(report, "LC501")
    training = next(c for c in report.checks if c.code == "LC603")
    assert (training.outcome, "another Keras" in training.reason) == ("skip", True)


def test_a_loss_that_nobody_converts_is_not_traceable() -> None:
    assert codes(check(losses.Unconverted(), select=["LC501"]), "error") == {"LC501"}


@pytest.mark.parametrize(
    ("loss", "label"),
    [(losses.pairs, "class_index"), pytest.param(losses.in_order, "real", marks=pytest.mark.slow)],
)
def test_a_prediction_for_each_pair_of_samples_is_trained_by_no_model(
    loss: Any, label: str
) -> None:
    report = check(loss, arguments={"y_true": (label, "(B,)"), "y_pred": ("real", "(B, B)")})
    assert errors(report) == []
    assert report.faults == ()
    checks = {c.code: c for c in report.checks}
    assert checks["LC603"].outcome == "skip"
    assert "each pair of samples" in checks["LC603"].reason
    assert checks["LC403"].outcome == "skip"


def outcome(report: LossReport, code: str) -> str:
    """What a rule came to."""
    return next(c.outcome for c in report.checks if c.code == code)


def test_a_family_passes_only_where_all_of_it_did() -> None:
    """log(0) is infinite and 0 times it NaN: LC201 and LC202, beside an LC204 that passes."""
    declared = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}
    selected = check(losses.scaled, arguments=declared, select=["LC204"])
    assert outcome(selected, "LC204") == "pass"
    assert "passed    gradient-inf" in of_loss(selected)
    assert "NaN and Inf" not in of_loss(selected)
    reasons = {"LC201": "known", "LC202": "known"}
    ignored = check(losses.scaled, arguments=declared, select=["LC2"], ignore=reasons)
    assert outcome(ignored, "LC201") == "skip"
    text = of_loss(ignored)
    assert "NaN and Inf" not in text
    assert "forward-nan" not in text
    assert all(f"ignored   {code} at " in text for code in reasons)


SCALE = 0.5
local = lambda y_true, y_pred: -SCALE * losses.kept_mean(y_true * tf.math.log(y_pred))  # noqa: E731


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (losses.bound, "tests.wild.contain_losses:bound"),
        (
            functools.partial(losses.weighted_log, power=1.0),
            "tests.wild.contain_losses:weighted_log",
        ),
        (losses.scaled, "tests.wild.contain_losses:scaled"),
        (losses.Scaled(0.5), "tests.wild.contain_losses:Scaled"),
        (losses.closed(2.0), "tests.wild.contain_losses:closed.<locals>.log_loss"),
        (local, "tests.wild.test_contain:local"),
        (functools.partial(losses.closed(0.25)), "tests.wild.contain_losses:closed"),
    ],
)
def test_what_is_handed_over_is_named_and_made_again(loss: Any, name: str) -> None:
    found = from_callable(loss)
    assert found.target.startswith(name)
    if found.written is not None:
        assert value_of(found.written) == at_half(loss)


def at_half(loss: Any) -> float:
    """The loss of a prediction of 1/2 where 1 is right."""
    return float(loss(tf.ones((1, 2)), tf.fill((1, 2), 0.5))[0])


def value_of(written: Written) -> float:
    """The same of the loss that these lines make."""
    space: dict[str, Any] = {}
    exec("\n".join([*written.imports, *written.lines]), space)
    return at_half(space["loss"])


@pytest.mark.parametrize("loss", [losses.Scaled(0.5), functools.partial(losses.closed(0.25))])
def test_a_program_with_what_was_handed_over_runs(
    loss: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """-log(0) is infinite: each program shows the loss of its finding."""
    declared = {"y_true": ("binary", "(B, D)"), "y_pred": ("probability", "(B, D)")}
    report = check(loss, arguments=declared, select=["LC202"])
    (finding,) = (f for f in report.findings if f.severity == "error")
    exec(compile(finding.reproduce, "program", "exec"), {})
    assert f"loss: {finding.observed.value}" in capsys.readouterr().out


def in_main(y_true: Any, y_pred: Any) -> Any:
    """As a function of a script."""
    return -SCALE * losses.kept_mean(y_true * tf.math.log(y_pred))


def test_what_a_script_holds_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program has a `__main__` of its own."""
    monkeypatch.setattr(in_main, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "in_main", in_main, raising=False)
    lines = from_callable(in_main).written
    assert lines is not None
    assert value_of(lines) == at_half(in_main)


def test_what_no_line_says_is_left_to_whoever_has_it() -> None:
    loss = functools.partial(losses.weighted_log, power=tf.constant(2.0))
    assert from_callable(loss).written == UNWRITTEN


class Powered(keras.losses.Loss):  # type: ignore[misc]
    """It has an argument without a default."""

    def __init__(self, power: float, name: str = "powered", **rest: Any) -> None:
        super().__init__(name=name, **rest)
        self.power = power

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """A power of the error."""
        return tf.reduce_mean(tf.abs(y_true - y_pred) ** self.power, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """All of it."""
        return {**super().get_config(), "power": self.power}


class Forgetful(Powered):
    """Its config has lost the argument."""

    def get_config(self) -> dict[str, Any]:
        """The power of nobody."""
        return {"power": 1.0}


def test_a_loss_of_keras_is_made_of_its_config_where_that_is_all_of_it() -> None:
    lines = from_callable(Powered(3.0)).written
    assert lines is not None
    space: dict[str, Any] = {}
    exec("\n".join([*lines.imports, *lines.lines]), space)
    assert space["loss"].power == 3.0
    assert from_callable(Forgetful(3.0)).written is None


@pytest.mark.parametrize(
    ("loss", "severity", "verdict"),
    [(losses.nan_nearby, "error", "fail"), (losses.nan_far_off, "warning", "inconclusive")],
)
def test_nan_of_which_nobody_knows_the_truth_is_no_pass(
    loss: Any, severity: str, verdict: str
) -> None:
    arguments = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
    report = check(loss, arguments=arguments, select=["LC201"])
    (finding,) = (f for f in report.findings if f.severity != "note")
    assert (finding.code, finding.severity, finding.kind) == ("LC201", severity, None)
    assert report.verdict == verdict
    assert outcome(report, "LC201") == ("fail" if severity == "error" else "inconclusive")


def always(y_true: Any, y_pred: Any) -> Any:
    """Raises whatever it is given."""
    raise RuntimeError("always")


@pytest.mark.slow
def test_a_loss_that_always_raises_is_no_success() -> None:
    report = check(always)
    assert report.verdict in ("fail", "inconclusive")
    assert report.faults == ()
    assert fails(report, Settings().fail_on)
