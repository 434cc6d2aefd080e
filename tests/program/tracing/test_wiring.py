"""The graph as plain data: what feeds what, what depends on what, what has a slope."""

import numpy as np
import pytest

from tests.program.calling import PAIR, SHAPE, traced

tf = pytest.importorskip("tensorflow")

from losscheck.program.tracing.wiring import wiring  # noqa: E402


def read(function, **changes):
    return wiring(traced(function, **changes), PAIR, "y_pred")


def of_type(graph, kind, *, backward=False):
    (node,) = [n for n in graph.nodes if n.type == kind and n.backward == backward]
    return node


def entropy(y_true, y_pred):
    return -tf.reduce_sum(y_true * tf.math.log(y_pred + 0.5))


@pytest.fixture(scope="module")
def graph():
    return read(entropy)


def test_names_of_arguments_value_and_gradient(graph):
    assert set(graph.arguments) == set(PAIR)
    assert graph.prediction == "y_pred"
    assert graph.producer(graph.arguments["y_pred"]).type == "Placeholder"
    assert graph.value != graph.gradient
    assert graph.producer(graph.gradient).type == "Identity"
    assert graph.producer(graph.gradient).shapes == (SHAPE,)
    assert read(lambda t, p: tf.reduce_sum(tf.round(p))).gradient is None


def test_the_nodes_of_a_formula(graph):
    log = of_type(graph, "Log")
    assert log.shapes == (SHAPE,)
    assert log.dtypes == ("float32",)
    assert log.floating
    assert not log.backward
    add = graph.producer(log.inputs[0])
    assert add.type == "AddV2"
    assert add.inputs[0] == graph.arguments["y_pred"]
    constant = graph.producer(add.inputs[1])
    assert constant.constant == pytest.approx(0.5)
    assert of_type(graph, "Reciprocal", backward=True).backward


def test_inputs_come_before_what_uses_them(graph):
    for node in graph.nodes:
        for tensor in node.inputs:
            assert graph.order(graph.producer(tensor)) < graph.order(node)


def test_forward_is_what_the_value_needs(graph):
    assert [n.type for n in graph.forward if n.type not in ("Placeholder", "Const")] == [
        "AddV2",
        "Log",
        "Mul",
        "Sum",
        "Neg",
        "Identity",
    ]
    assert not any(n.backward for n in graph.forward)
    assert {n.name for n in graph.forward} < {n.name for n in graph.ancestors(graph.gradient)} | {
        n.name for n in graph.forward
    }


def test_consumers_are_listed_once_each():
    found = read(lambda t, p: tf.reduce_sum(p * p + t))
    (square,) = [n for n in found.consumers[found.arguments["y_pred"]] if not n.backward]
    assert square.inputs[0] == square.inputs[1]


def test_dependence_is_on_values_and_not_on_shapes():
    def loss(t, p):
        return tf.reduce_sum(t) / tf.cast(tf.size(p), tf.float32) + 0.0 * tf.reduce_sum(p)

    found = read(loss, shape=(None, 3))
    division = next(n for n in found.forward if n.type == "RealDiv")
    assert division.outputs[0] in found.depends("y_true")
    assert division.outputs[0] not in found.depends("y_pred")
    assert found.value in found.depends("y_pred")
    assert found.arguments["y_pred"] in found.depends("y_pred")


def test_unknown_sizes_are_none():
    found = read(entropy, shape=(None, 3))
    assert of_type(found, "Log").shapes == ((None, 3),)
    assert of_type(read(entropy, shape=None), "Log").shapes == (None,)


def test_large_constants_are_left_out():
    def loss(t, p):
        return tf.reduce_sum(p) * tf.reduce_sum(tf.constant(np.ones(size, np.float32))) + t

    for size, kept in ((4096, True), (4097, False)):
        constants = [n for n in read(loss).nodes if n.type == "Const" and n.shapes == ((size,),)]
        assert [n.constant is not None for n in constants] == [kept]


@pytest.mark.parametrize(
    ("loss", "op", "stateful"),
    [
        (lambda t, p: tf.reduce_sum(p * tf.random.normal(SHAPE)), "RandomStandardNormal", True),
        (lambda t, p: tf.reduce_sum(tf.numpy_function(np.sin, [p], tf.float32)), "PyFunc", True),
        (lambda t, p: tf.reduce_sum(tf.exp(p)), "Exp", False),
    ],
)
def test_what_keeps_state_is_marked(loss, op, stateful):
    assert of_type(read(loss), op).stateful is stateful


def test_reading_a_variable_is_no_state_of_the_loss():
    variable = tf.Variable(2.0)
    found = read(lambda t, p: tf.reduce_sum(variable * p + t))
    assert not any(n.stateful for n in found.forward)


@pytest.mark.parametrize(
    ("loss", "op", "differentiable"),
    [
        (lambda t, p: tf.reduce_sum(tf.exp(p)), "Exp", True),
        (lambda t, p: tf.reduce_sum(tf.where(p > t, p, t)), "SelectV2", True),
        (lambda t, p: tf.reduce_sum(tf.where(p > t, p, t)), "Greater", False),
        (lambda t, p: tf.reduce_sum(tf.round(p)), "Round", False),
        (lambda t, p: tf.reduce_sum(tf.cast(tf.argmax(p), tf.float32)), "ArgMax", False),
    ],
)
def test_what_has_a_gradient_is_marked(loss, op, differentiable):
    assert of_type(read(loss), op).differentiable is differentiable


def test_inputs_come_before_what_uses_them_in_the_gradient_of_a_loop() -> None:
    # It hands lists that it makes later to the loop of the loss.
    graph = read(lambda t, p: tf.reduce_sum(tf.scan(lambda a, x: a * x, p) * t))
    made: set[str] = set()
    for node in graph.nodes:
        assert made.issuperset(node.inputs)
        made.update(node.outputs)
