"""From an operation to the user's expression: the file, the line and the columns."""

import functools
import importlib.util
import os
import sys

import pytest

from tests.program.calling import call, traced

tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

from losscheck.program.tracing.origin import _place, is_users  # noqa: E402
from losscheck.program.tracing.trace import CallError, trace  # noqa: E402

LOSSES = """\
import keras
import tensorflow as tf
from helpers_of_test_origin import slope


def plain(y_true, y_pred):
    entropy = -y_true * tf.math.log(y_pred)
    return tf.reduce_sum(entropy)


def accented(y_true, y_pred):
    größe = 2.0; δ = "日本語 → "; error = größe * tf.math.sqrt(y_pred)  # naïve
    return tf.reduce_sum(error * y_true)


def several_lines(y_true, y_pred):
    return tf.reduce_mean(
        tf.math.exp(
            y_pred
            - y_true
        )
        * 0.5
    )


@tf.custom_gradient
def own_square(error):
    def gradient(upstream):
        return upstream * tf.math.cos(error)

    return tf.math.square(error), gradient


def custom(y_true, y_pred):
    return tf.reduce_sum(own_square(y_pred - y_true))


short = lambda y_true, y_pred: tf.reduce_sum(tf.math.abs(y_true - y_pred))


def helped(y_true, y_pred):
    return tf.reduce_sum(slope(y_true - y_pred))


def spread(y_true, y_pred):
    return tf.math.reduce_std(y_pred) + tf.reduce_sum(y_true)


def by_keras(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, y_pred)


def repeated(y_true, y_pred):
    return tf.reduce_sum(tf.map_fn(lambda row: tf.math.tanh(row), y_pred)) + tf.reduce_sum(y_true)


def halved(y_true, y_pred):
    small = lambda x: tf.while_loop(lambda y: tf.reduce_max(y) > 1.0, lambda y: (y / 2.0,), (x,))
    return tf.reduce_sum(small(y_pred)[0]) + tf.reduce_sum(y_true)


def by_sign(y_true, y_pred):
    error = tf.math.square(y_true - y_pred)
    if tf.reduce_sum(y_pred) > 0:
        error = tf.math.log(error)
    return tf.reduce_mean(error)


def raising(y_true, y_pred):
    return tf.matmul(y_true, y_pred)
"""
HELPERS = """\
import tensorflow as tf


def slope(error):
    return tf.math.sinh(error)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("user")
    (home / "losses.py").write_text(LOSSES, encoding="utf-8")
    (home / "helpers_of_test_origin.py").write_text(HELPERS, encoding="utf-8")
    sys.path.insert(0, str(home))
    yield home
    sys.path.remove(str(home))
    sys.modules.pop("helpers_of_test_origin", None)


@pytest.fixture(scope="module")
def losses(folder):
    spec = importlib.util.spec_from_file_location("losses_of_test_origin", folder / "losses.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def origins(losses, folder):
    @functools.cache
    def of(name):
        return traced(getattr(losses, name), home=str(folder), base=str(folder)).origins

    return of


def named(origins, op_type, *, backward=False):
    """The only operation of a type whose place in the user's code is known."""
    found = [
        op.name
        for op in origins._graph.get_operations()
        if op.type == op_type
        and op.name.startswith("gradients/") == backward
        and origins.location(op.name) is not None
    ]
    assert len(found) == 1, found
    return found[0]


def place(expression, text=LOSSES):
    """Line and columns of an expression that stands once in the text, counted in characters."""
    ((number, line),) = [
        (i, line) for i, line in enumerate(text.splitlines(), 1) if expression in line
    ]
    column = line.index(expression) + 1
    return number, column, column + len(expression), line


@pytest.mark.parametrize(
    ("loss", "op", "expression"),
    [
        ("plain", "Neg", "-y_true"),
        ("plain", "Log", "tf.math.log(y_pred)"),
        ("plain", "Mul", "-y_true * tf.math.log(y_pred)"),
        ("plain", "Sum", "tf.reduce_sum(entropy)"),
        ("accented", "Sqrt", "tf.math.sqrt(y_pred)"),
        ("custom", "Square", "tf.math.square(error), gradient"),
        ("custom", "Sub", "y_pred - y_true"),
        ("custom", "IdentityN", "own_square(y_pred - y_true)"),
        ("short", "Abs", "tf.math.abs(y_true - y_pred)"),
        ("short", "Sum", "tf.reduce_sum(tf.math.abs(y_true - y_pred))"),
        ("spread", "Sqrt", "tf.math.reduce_std(y_pred)"),
        ("by_keras", "Log", "keras.losses.binary_crossentropy(y_true, y_pred)"),
        ("repeated", "Tanh", "tf.math.tanh(row)"),
        (
            "halved",
            "StatelessWhile",
            "tf.while_loop(lambda y: tf.reduce_max(y) > 1.0, lambda y: (y / 2.0,), (x,))",
        ),
    ],
)
def test_a_forward_operation_has_the_columns_of_its_expression(origins, loss, op, expression):
    of = origins(loss)
    first = next(o.name for o in of._graph.get_operations() if o.type == op)
    found = of.location(first)
    line, column, end, source = place(expression)
    end -= len(", gradient") if expression.endswith(", gradient") else 0
    assert (found.file, found.op, found.direction) == ("losses.py", op, "forward")
    assert (found.line, found.column, found.end_column) == (line, column, end)
    assert found.source == source


@pytest.mark.parametrize(
    ("loss", "op", "forward", "expression"),
    [
        ("plain", "Reciprocal", "Log", "tf.math.log(y_pred)"),
        ("accented", "SqrtGrad", "Sqrt", "tf.math.sqrt(y_pred)"),
        ("short", "Sign", "Abs", "tf.math.abs(y_true - y_pred)"),
    ],
)
def test_a_backward_operation_is_blamed_on_its_forward_one(origins, loss, op, forward, expression):
    of = origins(loss)
    name = named(of, op, backward=True)
    found = of.location(name)
    assert (found.line, found.column, found.end_column) == place(expression)[:3]
    assert (found.op, found.direction) == (forward, "backward")
    assert of.forward_name(name) == forward
    assert of.forward_name(forward) == forward
    assert not of.users_own(name)
    assert of.users_own(forward)


def test_a_custom_gradient_has_its_own_lines(origins):
    of = origins("custom")
    name = named(of, "Cos", backward=True)
    found = of.location(name)
    assert (found.line, found.column, found.end_column) == place("tf.math.cos(error)")[:3]
    assert (found.op, found.direction) == ("Cos", "backward")
    assert of.forward_name(name) == "IdentityN"
    assert of.users_own(name)


def test_an_expression_over_lines_is_shown_from_its_first_line_on(origins):
    of = origins("several_lines")
    found = of.location(named(of, "Exp"))
    line, column, _, source = place("tf.math.exp(")
    assert (found.line, found.column) == (line, column)
    assert found.end_column == len(source) + 1
    assert of.location(named(of, "Mean")).line == line - 1


def test_a_helper_in_another_file_is_blamed_there(origins):
    found = origins("helped").location("Sinh")
    line, column, end, source = place("tf.math.sinh(error)", HELPERS)
    assert found.file == "helpers_of_test_origin.py"
    assert (found.line, found.column, found.end_column, found.source) == (line, column, end, source)


def test_what_has_no_place_in_the_users_code_has_none(origins):
    of = origins("plain")
    assert of.location("gradients/grad_ys_0") is None
    assert of.location("no such operation") is None
    assert of.forward_name("no such operation") == "no such operation"
    assert not of.users_own("no such operation")


def test_files_outside_the_base_keep_their_whole_path(losses, folder, tmp_path):
    found = traced(losses.plain, home=str(folder), base=str(tmp_path)).origins.location("Log")
    assert found.file == os.path.realpath(folder / "losses.py")


def test_autograph_keeps_the_lines(losses, folder):
    made = traced(losses.by_sign, home=str(folder), base=str(folder), autograph=True)
    assert made.origins.location("Square").line == place("tf.math.square(y_true - y_pred)")[0]
    assert made.origins.location("Mean").line == place("return tf.reduce_mean(error)")[0]


def test_an_error_raised_by_tensorflow_is_blamed_on_the_users_line(losses, folder):
    signature = {"y_true": ((2, 3), "float32"), "y_pred": ((2, 3), "float32")}
    with pytest.raises(CallError) as caught:
        trace(call(losses.raising, home=str(folder), base=str(folder)), signature)
    found = caught.value.location
    expected = place("tf.matmul(y_true, y_pred)")[:3]
    assert (found.line, found.column, found.end_column) == expected
    assert (found.file, found.op) == ("losses.py", "")


def test_a_loss_of_keras_is_blamed_inside_keras():
    function = keras.losses.mean_squared_error
    home = os.path.dirname(function.__code__.co_filename)
    found = traced(function, home=home).origins.location("Square")
    assert os.path.basename(found.file) == "losses.py"
    assert "square(" in found.source


TENSORFLOW = tf.__file__
PACKAGES = os.path.dirname(os.path.dirname(TENSORFLOW))


@pytest.mark.parametrize(
    ("file", "home", "users"),
    [
        ("/project/losses.py", "/project", True),
        ("/elsewhere/helper.py", "/project", True),
        (os.path.join(PACKAGES, "focal_loss", "focal.py"), "/project", True),
        (TENSORFLOW, "/project", False),
        (keras.__file__, "", False),
        (functools.__file__, "/project", False),
        ("<frozen importlib._bootstrap>", "/project", False),
        ("<stdin>", "", True),
        ("<__array_function__ internals>", "/project", False),
        ("/tmp/__autograph_generated_file1.py", "/project", False),
        (
            keras.losses.mean_squared_error.__code__.co_filename,
            os.path.dirname(keras.__file__),
            True,
        ),
        # A virtual environment in the project's folder, beside the loss.
        (TENSORFLOW, PACKAGES, False),
        (keras.__file__, os.path.dirname(os.path.dirname(PACKAGES)), False),
    ],
)
def test_which_files_are_the_users(file, home, users):
    assert is_users(file, home) is users


def test_an_environment_below_the_losss_folder_is_not_blamed(losses, folder):
    made = traced(losses.plain, home=os.path.dirname(PACKAGES), base=str(folder))
    assert made.origins.location("Log").source == place("tf.math.log(y_pred)")[3]


def test_code_that_is_alike_is_placed_in_the_file_that_it_stands_in():
    text = "def loss(y_true, y_pred):\n    return y_true - y_pred\n"
    codes = [compile(text, file, "exec").co_consts[0] for file in ("one.py", "other.py")]
    assert codes[0] == codes[1]
    assert [_place(code, 0, 1).file for code in codes] == ["one.py", "other.py"]
