"""What is drawn of a loss, beside numbers that are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from losscheck.evidence.desk import Desk
from losscheck.evidence.drawn import drawn
from tests.desks import desk


def hinge(y_true, y_pred):
    return tf.reduce_mean(tf.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


@tf.custom_gradient
def twice(x):
    return tf.square(x), lambda upstream: upstream * 3.0 * x  # 2 x is right


def wrong(y_true, y_pred):
    half = tf.constant(0.5, tf.float32)
    return tf.reduce_mean(half * twice(y_pred - y_true), axis=-1)


def shown(laid: Desk) -> dict[str, object]:
    return drawn(laid, lambda _, do, __: do())


def gathered(loss, *names: str, **arguments: str) -> Desk:
    laid = desk(loss, **arguments)
    for name in names:
        laid.get(name)
    return laid


@pytest.fixture(scope="module")
def of_hinge() -> dict[str, object]:
    names = ("sweeps", "gradients", "dtypes", "modes", "halves", "layouts")
    return shown(gathered(hinge, *names, y_true="sign", y_pred="real"))


def test_the_kink_of_a_hinge_lies_at_the_label(of_hinge) -> None:
    for curve in of_hinge["curves"]:
        label = float(curve.label.removeprefix("y_true = "))
        (found,) = curve.breaks
        assert (found.at, found.kind) == (label, "kink")
        assert {found.before, found.after} == {0, -label}
        right = np.maximum(1 - label * curve.x.astype(np.float32).astype(float), 0)
        assert curve.value_double == pytest.approx(right, abs=1e-8)


def test_gradients_of_a_hinge_agree(of_hinge) -> None:
    found = of_hinge["slopes"]
    assert found.wrong == 0
    assert found.verified > 1000
    right = np.asarray([kind == "v" for kind in found.outcome])
    assert (found.off[right] <= found.resolving[right]).all()
    assert (np.diff(found.gradient) >= 0).all()
    assert len(found.outcome) < 80


def test_dtypes_and_modes_of_a_hinge(of_hinge) -> None:
    cells = {(each.dtype, each.mode): each for each in of_hinge["executions"]}
    assert len(cells) == 12
    assert cells["float32", "graph"].outcome == "reference"
    assert cells["float32", "xla"].outcome == cells["float32", "eager"].outcome == "agrees"
    assert cells["float64", "graph"].outcome == cells["bfloat16", "graph"].outcome == "runs"
    assert cells["float64", "xla"].outcome == "not run"
    assert cells["float32", "xla"].cases == cells["float32", "graph"].cases > 1000


def test_layouts_of_a_hinge(of_hinge) -> None:
    outcomes = {tuple(each.shapes.values()): each.outcome for each in of_hinge["layouts"]}
    assert outcomes["(1, 3)", "(1, 3)"] == outcomes["any", "any"] == "runs"
    assert outcomes["(4,)", "(4, 1)"] == "broadcasts"


def test_a_wrong_gradient_and_a_dtype_that_fails() -> None:
    found = shown(gathered(wrong, "sweeps", "gradients", "dtypes", y_true="real", y_pred="real"))
    slopes = found["slopes"]
    assert slopes.wrong > 100
    bad = np.asarray([kind == "w" for kind in slopes.outcome])
    assert slopes.gradient[bad] == pytest.approx(1.5 * slopes.numeric[bad], rel=1e-4)
    cells = {(each.dtype, each.mode): each for each in found["executions"]}
    assert cells["float64", "graph"].outcome == "raises"
    assert "TypeError" in cells["float64", "graph"].reason
    assert cells["float32", "xla"].outcome == "not run"


def over_classes(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.nn.log_softmax(y_pred), axis=-1)


def test_where_one_class_says_nothing_a_batch_is_followed() -> None:
    found = shown(gathered(over_classes, "sweeps", y_true="binary", y_pred="logits"))
    assert found["landscape"] is None
    assert len(found["curves"]) == 2
    for curve in found["curves"]:
        assert curve.label.startswith("y_true[0] = [")
        assert np.ptp(curve.value) > 1


def test_nothing_is_gathered_to_be_drawn() -> None:
    found = shown(desk(hinge, y_true="sign", y_pred="real"))
    assert found == {
        "curves": (),
        "landscape": None,
        "slopes": None,
        "executions": (),
        "layouts": (),
    }
