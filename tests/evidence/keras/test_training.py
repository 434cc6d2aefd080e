"""What Keras makes of a loss: a small model trained, batches weighed, configs and files."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from losscheck.evidence.gather import Evidence
from losscheck.evidence.graph import GraphFacts
from losscheck.evidence.keras.sample_weights import weighing
from losscheck.evidence.keras.training import Training, saving, training
from losscheck.infer import infer
from losscheck.model import Suspect
from losscheck.program.keras import training as keras_training
from losscheck.rules import find
from losscheck.rules.evidence import LeftOut
from losscheck.settings.settings import argument
from losscheck.targets import from_callable
from tests.program.calling import call
from tests.zoo import planted_training as planted
from tests.zoo.sound_classification import binary_crossentropy, sparse_crossentropy
from tests.zoo.sound_embedding import info_nce
from tests.zoo.sound_regression import masked_mean, poisson_log_rate, weighted_squares

REALS = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
WEIGHTED = {**REALS, "sample_weight": ("weight", "(B,)")}
STEPS = {"y_true": ("real", "(B, T, D)"), "y_pred": ("real", "(B, T, D)")}


def _evidence(loss: Any, arguments: dict[str, tuple[str, str]]) -> Evidence:
    declared = {name: argument(given, name) for name, given in arguments.items()}
    home = os.path.dirname(planted.__file__)
    inferred = infer(from_callable(loss), declared, home=home, base=os.getcwd())
    return Evidence(inferred=inferred, dtypes=("float32",), modes_wanted=("eager", "graph"), seed=0)


def _trained(loss: Any, arguments: dict[str, tuple[str, str]]) -> Training | LeftOut:
    # Layouts and XLA are other rules': without them no sweep is run here.
    return training(_evidence(loss, arguments), (), None, GraphFacts())


def _of_training(loss: Any, arguments: dict[str, tuple[str, str]] = REALS) -> list[Suspect]:
    return list(find("LC603").judge(training=_trained(loss, arguments)))


def _of_weights(loss: Any, arguments: dict[str, tuple[str, str]] = REALS) -> list[Suspect]:
    weighed = weighing(_evidence(loss, arguments), ())
    return list(find("LC602").judge(weighing=weighed, graph=GraphFacts()))


def _of_saving(loss: Any) -> list[Suspect]:
    return list(find("LC601").judge(saving=saving(_evidence(loss, REALS))))


class TestTraining:
    def test_what_keras_reports_is_what_direct_calls_give(self) -> None:
        given = {"y_true": ("class_index", "(B,)"), "y_pred": ("logits", "(B, C)")}
        found = _trained(sparse_crossentropy, given)
        assert isinstance(found, Training)
        assert found.ways == ("evaluate", "fit", "eager", "mixed")
        assert [trial.labels for trial in found.trials][:2] == ["float32", "int32"]
        assert all(trial.compared and trial.apart < 1e-6 for trial in found.trials)
        assert len(found.task.x) % found.task.batch == 2
        assert set(found.left_out) == {"jit", "mirrored"}

    def test_labels_of_yes_and_no_come_as_bools_too(self) -> None:
        given = {"y_true": ("binary", "(B, 1)"), "y_pred": ("probability", "(B, 1)")}
        found = _trained(binary_crossentropy, given)
        assert isinstance(found, Training)
        assert [trial.labels for trial in found.trials] == ["float32", "int32", "bool", "float32"]
        assert _of_training(binary_crossentropy, given) == []

    def test_a_call_without_weights_fails_at_once(self) -> None:
        (suspect,) = _of_training(planted.BareCall())
        assert suspect.form == "raises"
        assert suspect.facts["how"] == "evaluate"
        assert "positional arguments" in suspect.facts["exception"]
        assert _of_training(planted.BareCallTwin()) == []
        assert _of_training(planted.WeighingCall()) == []

    def test_a_count_in_python_stands_still_in_a_graph(self) -> None:
        (suspect,) = _of_training(planted.WarmUp())
        assert suspect.form == "differs"
        assert suspect.value != suspect.expected_value

    def test_a_sum_is_compared_batch_by_batch(self) -> None:
        # 4, 4 and 2 rows: the epoch's value is no mean over rows, and Keras weighs by size.
        assert _of_training(keras.losses.MeanSquaredError(reduction="sum")) == []
        assert _of_training(keras.losses.MeanSquaredError(reduction=None)) == []

    def test_a_loss_with_further_arguments_is_left_out(self) -> None:
        found = _trained(planted.weights_within, WEIGHTED)
        assert isinstance(found, LeftOut)
        assert "it takes sample_weight" in found.reason

    def test_a_loss_that_takes_predictions_first_is_left_out(self) -> None:
        def loss(y_pred: tf.Tensor, y_true: tf.Tensor) -> tf.Tensor:
            return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

        found = _trained(loss, REALS)
        assert isinstance(found, LeftOut)
        assert found.reason.startswith("Keras calls loss(y_true, y_pred)")

    def test_the_state_of_the_user_is_left_alone(self) -> None:
        names = [keras.layers.Dense(1).name for _ in range(2)]
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        policy = keras.config.dtype_policy().name
        _trained(planted.of_samples, REALS)
        assert keras.layers.Dense(1).name == f"dense_{int(names[1].rpartition('_')[2]) + 1}"
        assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
        assert keras.config.dtype_policy().name == policy


@pytest.mark.parametrize(
    ("loss", "arguments", "form"),
    [
        (planted.weights_within, WEIGHTED, "otherwise"),
        (planted.weights_apart, WEIGHTED, "otherwise"),
        (planted.weights_left, REALS, "ignored"),
        (planted.weights_apart, REALS, "otherwise"),
        (planted.DeafCall(), REALS, "ignored"),
        (planted.penalty_unweighted, WEIGHTED, "part"),
        (planted.scalar, REALS, "scalar"),
        (planted.elements, REALS, "elements"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_how_weights_act(loss: Any, arguments: dict[str, tuple[str, str]], form: str) -> None:
    (suspect,) = _of_weights(loss, arguments)
    assert suspect.form == form


@pytest.mark.parametrize(
    ("loss", "arguments"),
    [
        (planted.weights_within_twin, WEIGHTED),
        (planted.WeighingCall(), REALS),
        (planted.of_samples, REALS),
        (planted.of_steps, STEPS),
        (weighted_squares, {**REALS, "sample_weights": ("weight", "(B,)")}),
        (weighted_squares, {}),  # its layout is guessed, and no guess may be held against it
        (masked_mean, {**REALS, "mask": ("mask", "(B, D)")}),
        (poisson_log_rate, {"y_true": ("count", "(B, 1)"), "y_pred": ("real", "(B, 1)")}),
    ],
)
def test_weights_that_act_as_in_keras(loss: Any, arguments: dict[str, tuple[str, str]]) -> None:
    assert _of_weights(loss, arguments) == []


def test_samples_that_depend_on_each_other_have_no_weights_of_their_own() -> None:
    rows = {"y_true": ("unit_vector", "(B, D)"), "y_pred": ("unit_vector", "(B, D)")}
    found = weighing(_evidence(info_nce, rows), ())
    assert isinstance(found, LeftOut)
    assert "depend on each other" in found.reason


def test_a_line_that_called_losscheck_is_not_to_blame(tmp_path: Path) -> None:
    # TensorFlow writes the stack of an operation into its message, from the caller inwards.
    caller, own = tmp_path / "my_ci.py", tmp_path / "my_loss.py"
    own.write_text("x = 1\ny = 2\n")
    trainer = SimpleNamespace(_call=call(len, home=str(tmp_path), base=str(tmp_path)))
    stack = [(str(caller), 3), (keras_training.__file__, 5)]
    told = "\n".join(f'File "{file}", line {line}, in f' for file, line in stack)
    assert keras_training.Trainer._blamed(trainer, ValueError(told)) is None
    within = ValueError(f'{told}\nFile "{own}", line 2, in loss')
    assert keras_training.Trainer._blamed(trainer, within).source == "y = 2"


class TestSaving:
    def test_an_argument_that_is_left_out_of_the_config(self) -> None:
        (suspect,) = _of_saving(planted.PowerError())
        assert suspect.form == "lost"
        assert suspect.facts["lost"] == {"power": ("3.0", "2.0")}
        assert _of_saving(planted.PowerKept()) == []

    def test_a_constructor_that_does_not_take_its_own_config(self) -> None:
        (suspect,) = _of_saving(planted.RigidError())
        assert suspect.form == "rebuild"
        assert "'name'" in suspect.facts["exception"]

    def test_a_config_that_survives_no_file(self) -> None:
        (suspect,) = _of_saving(planted.TensorScale())
        assert suspect.form == "file"

    def test_a_count_of_calls_is_no_argument(self) -> None:
        assert _of_saving(planted.WarmUp()) == []

    def test_huber_of_keras_loses_its_delta(self) -> None:
        # Keras 3.15: Huber.get_config returns the config of the base class alone.
        (suspect,) = _of_saving(keras.losses.Huber(delta=0.5))
        assert suspect.facts["lost"] == {"delta": ("0.5", "1.0")}

    def test_functions_have_no_config(self) -> None:
        found = saving(_evidence(planted.of_samples, REALS))
        assert isinstance(found, LeftOut)
