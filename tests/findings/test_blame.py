"""From a bad case to the operation at fault: the walk back through the graph."""

import numpy as np
import pytest

from tests.program.calling import PAIR, SHAPE, traced

tf = pytest.importorskip("tensorflow")

from losscheck.findings.blame import nonfinite_source  # noqa: E402
from losscheck.program.tracing.wiring import wiring  # noqa: E402


@pytest.fixture(scope="module")
def graph():
    made = traced(lambda y_true, y_pred: tf.reduce_sum(tf.acos(y_pred * y_true)))
    return wiring(made, PAIR, "y_pred")


def values(graph, bad):
    """One for every tensor, and NaN for what these operations of the forward pass give."""
    return {
        tensor: np.full(SHAPE, np.nan if node.type in bad and not node.backward else 1.0)
        for node in graph.nodes
        for tensor in node.outputs
    }


def test_the_first_that_is_not_finite_is_to_blame(graph):
    found = nonfinite_source(graph, graph.value, values(graph, {"Identity", "Sum", "Acos"}))
    assert found.type == "Acos"


@pytest.mark.parametrize("bad", [{"Identity"}, set()])
def test_what_hands_a_number_on_has_not_made_it(graph, bad):
    # The graph that ran met an edge that this run of it, with all tensors asked for, has missed.
    assert nonfinite_source(graph, graph.value, values(graph, bad)).type == "Sum"


def test_what_is_not_finite_is_followed_through_complex_numbers():
    def spectrum(y_true, y_pred):
        return tf.reduce_sum(tf.math.real(tf.signal.rfft(tf.acos(y_pred * y_true))))

    graph = wiring(traced(spectrum), PAIR, "y_pred")
    bad = values(graph, {"Identity", "Sum", "Real", "Acos"})
    seen = {tensor: bad[tensor] for node in graph.nodes for tensor in node.floats}
    assert nonfinite_source(graph, graph.value, seen).type == "Acos"
