"""What is right where the loss is not finite, beside what is known on paper."""

import numpy as np
import pytest

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.precision.truth import of_case
from losscheck.model import Direction, Kind, Range
from tests.desks import desk

tf = pytest.importorskip("tensorflow")


def surprise(y_true, y_pred):
    return -y_true * tf.math.log(1.0 - tf.sigmoid(y_pred))


@pytest.mark.parametrize("direction", list(Direction))
def test_value_and_gradient_are_each_their_own(direction):
    """-log(1 - sigmoid(z)) is log(1 + exp(z)): at 800 it is 800, and its slope 1."""
    evidence = desk(surprise, y_true=("[0, 2]", "(B, 1)"), y_pred=("logits", "(B, 1)")).evidence
    inputs = {"y_true": np.full((1, 1, 1), 2.0), "y_pred": np.full((1, 1, 1), 800.0)}
    case = CaseBlock(inputs, np.asarray([Range.ORDINARY], np.uint8))
    truth = of_case(evidence, case, "float32", direction)
    assert truth.kind is Kind.AVOIDABLE
    assert np.ravel(truth.value).tolist() == [1600.0]
    assert np.ravel(truth.gradient).tolist() == [2.0]
    assert not truth.text
