"""Finding compiled models, the losses of their outputs, and what is said of other models."""

from __future__ import annotations

import random
from pathlib import Path

import keras
import pytest

import losscheck
from losscheck.infer import infer
from losscheck.model import Argument, UsageError
from losscheck.targets import resolve
from tests.models import sound


def targets(text: str) -> list[str]:
    losses, left_out = resolve(text, Path.cwd())
    assert left_out == []
    return [loss.target for loss in losses]


def test_a_model_stands_for_itself_and_its_outputs() -> None:
    base = "tests.models.sound:two_outputs"
    assert targets(base) == [base, f"{base}[kind]", f"{base}[size]"]
    assert targets(f"{base}[size]") == [f"{base}[size]"]


def test_outputs_that_nobody_named_are_numbered() -> None:
    base = "tests.models.sound:with_settings(units=2)"
    assert targets(base) == [base, f"{base}[0]"]
    assert targets(f"{base}[0]") == [f"{base}[0]"]


def test_what_has_defaults_is_called_without_arguments() -> None:
    assert targets("tests.models.sound:with_settings")[1:] == [
        "tests.models.sound:with_settings[0]"
    ]


def test_a_model_is_made_once_and_without_touching_the_users_random_numbers() -> None:
    random.seed(3)
    before = random.getstate()
    first, _ = resolve("tests.models.sound:pictures", Path.cwd())
    second, _ = resolve("tests.models.sound:pictures[0]", Path.cwd())
    assert random.getstate() == before
    assert second[0].placed is not None
    assert first[0].compiled is not None
    assert second[0].placed.compiled.model is first[0].compiled.model


MODULE = """
import keras

plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
named = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
named.compile("sgd", loss="mse")

class Own(keras.Model):
    def call(self, x):
        return x

def unbuilt():
    model = Own()
    model.compile("sgd", loss="mse")
    return model

def needs(units):
    return named

def fails():
    raise RuntimeError("no data")

def nothing():
    return None

def pair(y_true, y_pred):
    return y_true - y_pred
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    (tmp_path / "models.py").write_text(MODULE)
    return str(tmp_path / "models.py")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("plain", ["not compiled", "model.compile", "name the loss"]),
        ("unbuilt", ["never built", "keras.Input"]),
        ("needs", ["takes (units)", "write its call", "needs(…)"]),
        ("fails", ["calling it raised", "no data"]),
        ("nothing", ["NoneType"]),
        ("pair[0]", ["brackets name an output"]),
        ("named[1]", ["no loss of that name", "named[0]"]),
        ("named[1.5]", ["the name or number of an output"]),
    ],
)
def test_what_cannot_be_checked_says_what_to_do(module: str, name: str, said: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        resolve(f"{module}:{name}", Path.cwd())
    for part in said:
        assert part in str(raised.value)


def test_an_instance_in_a_module_is_a_target(module: str) -> None:
    assert targets(f"{module}:named") == [f"{module}:named", f"{module}:named[0]"]


def prediction(target: str) -> Argument:
    (loss,), _ = resolve(target, Path.cwd())
    return infer(loss, {}, home="", base=".").spec.prediction


def test_the_model_says_what_its_output_takes() -> None:
    found = prediction("tests.models.sound:two_outputs[kind]")
    # Keras' cross entropy looks behind the softmax.
    assert (found.domain, found.shape, found.origin) == ("logits", "(B, 3)", "known")
    assert "goes into the softmax" in found.why
    assert prediction("tests.models.sound:noisy[0]").domain == "logits"
    found = prediction("tests.models.planted:log_of_softmax[0]")
    assert (found.domain, found.why) == ("simplex", "the model's output ends in a softmax")
    assert prediction("tests.models.sound:own_class[size]").shape == "(B, 1)"


def test_a_linear_output_is_no_probability_to_a_loss_that_wants_one() -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", loss="binary_crossentropy")
    from losscheck.targets import losses_of_model

    found = infer(losses_of_model(model, "model")[1], {}, home="", base=".").spec.prediction
    assert found.domain == "logits"
    assert "linear" in found.why


def test_one_report_tells_of_a_model_and_its_outputs() -> None:
    report = losscheck.check(sound.with_settings(), select=["LC203", "LC501"])
    assert report.verdict == "pass"
    by_code = {check.code: check for check in report.checks}
    assert by_code["LC501"].outcome == "pass"  # asked of the outputs' losses alone
    assert by_code["LC203"].cases > 10_000  # of both
    assert by_code["LC101"].outcome == "skip"
