"""The model that a loss is trained with: small however wide its outputs are."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from losscheck.program.keras.small_model import WIDEST, Head, build, layers, outputs

WIDE = (2, WIDEST + 1)


@pytest.mark.parametrize("shape", [(3,), (2, 3), WIDE, ()])
def test_it_starts_as_the_identity_and_has_something_to_train(shape: tuple[int, ...]) -> None:
    model = build(shape, Head())
    batch = np.linspace(-1.0, 1.0, 4 * int(np.prod(shape))).reshape(4, *(shape or (1,)))
    given = outputs(model, batch.astype(np.float32))
    np.testing.assert_array_equal(given, batch.reshape(4, *shape).astype(np.float32))
    assert model.trainable_weights


def test_a_wide_one_has_a_weight_for_each_output() -> None:
    # A Dense layer would have the square of it: four megabytes here, 3.6 gigabytes for 30,000.
    assert build(WIDE, Head()).count_params() == 2 * WIDE[-1]


@pytest.mark.parametrize("shape", [(3,), WIDE])
def test_the_program_of_a_finding_builds_the_same(shape: tuple[int, ...]) -> None:
    made = Head("sigmoid", 2.0, -1.0)
    written = [eval(call, {"keras": keras}) for _, call in layers(shape, made)]
    model = keras.Sequential([keras.Input(shape), *written])
    batch = np.ones((2, *shape), np.float32)
    np.testing.assert_array_equal(outputs(model, batch), outputs(build(shape, made), batch))
