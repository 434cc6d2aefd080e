"""Every way to hand over a loss, what a module holds, and what is said of a wrong target."""

from __future__ import annotations

import functools
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
import tensorflow as tf

import losscheck
from losscheck.model import UsageError
from losscheck.settings.argument_names import role
from losscheck.settings.settings import ArgumentSettings
from losscheck.targets import Loss, check, from_callable, resolve
from losscheck.targets.reference import parse

LOSSES = '''
import functools
import types

import keras
import tensorflow as tf

import losscheck
from keras.losses import hinge


def squared(y_true, y_pred):
    """Labels of shape (B, D)."""
    return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)


@losscheck.spec(a="real", b=("probability", "(B, D)"))
def declared(a, b):
    return tf.abs(a - b)


def helper(x, eps=1e-7):
    return tf.math.log(x + eps)


def _private(y_true, y_pred):
    return y_true


def scaled(factor=2.0):
    """A scaled loss."""

    def loss(y_true, y_pred):
        return factor * tf.abs(y_true - y_pred)

    return loss


def weighted(weights):
    return lambda y_true, y_pred: tf.abs(y_true - y_pred) * weights


def launch(rockets=1):
    raise SystemExit("called without being asked")


letters = lambda t, p: t
pair = lambda y_true, y_pred: squared(y_true, y_pred)
alias = squared
bound = functools.partial(squared)


@tf.function
def graph(y_true, y_pred):
    if tf.reduce_sum(y_pred) > 0.0:
        return y_true
    return y_pred


class Base(keras.losses.Loss):
    pass


class Sub(keras.losses.Loss):
    """A subclass."""

    def call(self, y_true, y_pred):
        return tf.abs(y_true - y_pred)


class Needs(keras.losses.Loss):
    def __init__(self, gamma, **rest):
        super().__init__(**rest)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        return self.gamma * tf.abs(y_true - y_pred)


class Plain:
    def __call__(self, labels, predictions):
        return tf.abs(labels - predictions)


huber = keras.losses.Huber(delta=2.0)
space = types.SimpleNamespace(loss=squared)
model = keras.Sequential([keras.layers.Dense(1)])
layer = keras.layers.Dense(1)
number = 3
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory whose modules are forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def losses(folder: Path) -> Path:
    (folder / "losses.py").write_text(LOSSES)
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text))


def only(text: str, folder: Path) -> Loss:
    found, left_out = resolve(text, folder)
    assert left_out == []
    (loss,) = found
    return loss


def names(loss: Loss) -> list[str]:
    return [parameter.name for parameter in loss.parameters]


def line_of(text: str) -> int:
    return LOSSES.splitlines().index(text) + 1


# y_true = 1, y_pred = 4: each value follows from the formula in LOSSES by hand.
@pytest.mark.parametrize(
    ("target", "form", "value", "first_line"),
    [
        ("losses:squared", "function", 9.0, "def squared(y_true, y_pred):"),
        ("losses:declared", "function", 3.0, "def declared(a, b):"),
        ("losses:space.loss", "function", 9.0, "def squared(y_true, y_pred):"),
        ("losses:bound", "function", 9.0, "def squared(y_true, y_pred):"),
        ("losses:scaled()", "closure", 6.0, "    def loss(y_true, y_pred):"),
        ("losses:scaled(factor=5.0)", "closure", 15.0, "    def loss(y_true, y_pred):"),
        ("losses:scaled(5.0)", "closure", 15.0, "    def loss(y_true, y_pred):"),
        (
            "losses:pair",
            "lambda",
            9.0,
            "pair = lambda y_true, y_pred: squared(y_true, y_pred)",
        ),
        (
            "losses:weighted([0.5])",
            "lambda",
            1.5,
            "    return lambda y_true, y_pred: tf.abs(y_true - y_pred) * weights",
        ),
        ("losses:Plain", "function", 3.0, "    def __call__(self, labels, predictions):"),
        ("losses:graph", "tf-function", 1.0, "def graph(y_true, y_pred):"),
    ],
)
def test_form(losses: Path, target: str, form: str, value: float, first_line: str) -> None:
    loss = only(target, losses)
    assert loss.target == target
    assert loss.form == form
    assert loss.known is None
    assert loss.source is not None
    assert (loss.source.file, loss.source.line) == ("losses.py", line_of(first_line))
    given = tf.constant([[1.0]]), tf.constant([[4.0]])
    assert float(tf.squeeze(loss.function(*given))) == value


def test_loss_classes_are_called_per_sample(losses: Path) -> None:
    call = line_of('    """A subclass."""') + 2
    sub, needs = only("losses:Sub", losses), only("losses:Needs(gamma=3.0)", losses)
    assert (sub.form, sub.docstring, sub.source and sub.source.line) == (
        "loss-instance",
        "A subclass.",
        call,
    )
    given = tf.constant([[1.0], [2.0]], tf.float64), tf.constant([[4.0], [2.5]], tf.float64)
    result = needs.function(*given)
    assert result.dtype == tf.float64  # Loss.__call__ would have cast to float32
    assert result.numpy().tolist() == [[9.0], [1.5]]


def test_an_instance_of_keras_own_is_known(losses: Path) -> None:
    loss = only("losses:huber", losses)
    assert (loss.form, loss.known, loss.source) == ("loss-instance", "keras.losses.Huber", None)
    assert loss.config["delta"] == 2.0
    assert loss.python is keras.losses.huber


def test_a_subclass_of_keras_own_is_not_known(folder: Path) -> None:
    class Huber(keras.losses.Huber):
        pass

    assert from_callable(Huber()).known is None


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("mse", "keras.losses.mean_squared_error"),
        ("mean_squared_error", "keras.losses.mean_squared_error"),
        ("MeanSquaredError", "keras.losses.MeanSquaredError"),
        ("keras.losses:mean_squared_error", "keras.losses.mean_squared_error"),
        ("keras.losses:Huber(delta=3.0)", "keras.losses.Huber"),
    ],
)
def test_keras_names(folder: Path, name: str, known: str) -> None:
    loss = only(name, folder)
    assert loss.known == known
    assert names(loss) == ["y_true", "y_pred"]
    assert (loss.form == "keras-name") == (":" not in name)


def test_a_module_of_the_user_comes_before_a_name_of_keras(folder: Path) -> None:
    write(folder, "dice.py", "def mine(y_true, y_pred): return y_pred")
    assert only("dice", folder).target == "dice:mine"


def test_tf_function_is_called_through_its_python_function(losses: Path) -> None:
    loss = only("losses:graph", losses)
    assert loss.autograph
    assert not isinstance(loss.function, tf.types.experimental.PolymorphicFunction)
    assert loss.python.__name__ == "graph"


def test_a_call_under_tf_function_is_bound(folder: Path) -> None:
    class Loss(keras.losses.Loss):
        factor = 2.0

        @tf.function(autograph=False)
        def call(self, y_true, y_pred):
            return self.factor * (y_pred - y_true)

    loss = from_callable(Loss())
    assert (loss.form, loss.autograph, names(loss)) == (
        "loss-instance",
        False,
        ["y_true", "y_pred"],
    )
    assert float(loss.function(tf.constant(1.0), tf.constant(4.0))) == 6.0


def test_partial_of_a_tf_function_keeps_its_arguments(folder: Path) -> None:
    @tf.function
    def powered(y_true, y_pred, power):
        return (y_pred - y_true) ** power

    loss = from_callable(functools.partial(powered, power=3.0))
    assert float(loss.function(tf.constant(1.0), tf.constant(3.0))) == 8.0
    power = loss.parameters[-1]
    assert (power.name, power.default, power.keyword_only) == ("power", 3.0, True)


def test_a_module_alone_gives_every_loss_in_it(losses: Path) -> None:
    found, left_out = resolve("losses", losses)
    assert [loss.target for loss in found] == [
        "losses:squared",
        "losses:declared",
        "losses:scaled()",
        "losses:pair",
        "losses:bound",
        "losses:graph",
        "losses:Sub",
        "losses:Plain",
        "losses:huber",
    ]
    reasons = {item.target.removeprefix("losses:"): item.reason for item in left_out}
    assert list(reasons) == [
        "helper",
        "_private",
        "weighted",
        "launch",
        "letters",
        "alias",
        "Base",
        "Needs",
        "model",
    ]
    assert "(x, eps) do not look like labels and predictions" in reasons["helper"]
    assert "losses:weighted(weights=…)" in reasons["weighted"]
    assert reasons["alias"] == "the same as losses:squared"
    assert "gamma" in reasons["Needs"]


def test_what_a_module_gives_resolves_to_the_same_loss(losses: Path) -> None:
    found, _ = resolve("losses", losses)
    again = [only(loss.target, losses) for loss in found]
    assert [loss.source for loss in again] == [loss.source for loss in found]
    assert [loss.form for loss in again] == [loss.form for loss in found]


def test_a_file_alone(losses: Path) -> None:
    found, _ = resolve("losses.py", losses)
    assert found[0].target == "losses.py:squared"
    assert len(found) == 9  # as of the module


def test_the_same_file_is_one_module(losses: Path) -> None:
    by_path = only("losses.py:squared", losses)
    absolute = only(f"{losses}/losses.py:squared", losses)
    assert by_path.function is absolute.function
    (losses / "sub").mkdir()
    assert only("../losses.py:squared", losses / "sub").function is by_path.function


def test_two_files_of_one_name_are_two_modules(folder: Path) -> None:
    for name in ("one", "two"):
        write(folder, f"{name}/losses.py", f"def {name}(y_true, y_pred): return y_pred")
    assert only("one/losses.py", folder).target == "one/losses.py:one"
    assert only("two/losses.py", folder).target == "two/losses.py:two"


def test_a_file_in_a_package_keeps_its_relative_imports(folder: Path) -> None:
    write(folder, "lib/pkg/__init__.py", "")
    write(folder, "lib/pkg/tools.py", "FACTOR = 2.0")
    text = "from .tools import FACTOR\ndef loss(y_true, y_pred): return FACTOR * y_pred"
    write(folder, "lib/pkg/losses.py", text)
    assert only("lib/pkg/losses.py:loss", folder).function(0.0, 3.0) == 6.0


def test_src_is_on_the_path_and_packages_hand_on(folder: Path) -> None:
    write(folder, "src/pkg/__init__.py", "from .own import loss\nfrom math import hypot")
    write(folder, "src/pkg/own.py", "def loss(y_true, y_pred): return y_pred")
    found, left_out = resolve("pkg", folder)
    assert ([loss.target for loss in found], left_out) == (["pkg:loss"], [])
    assert found[0].source is not None
    assert found[0].source.file == "src/pkg/own.py"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("losses:squarde", ["no 'squarde'", "Did you mean 'squared'?"]),
        ("losses:space.los", ["losses.space has no 'los'", "'loss'"]),
        ("loses:squared", ["no module 'loses'", "Did you mean 'losses'?"]),
        ("loses.py:squared", ["no file 'loses.py'", "Did you mean 'losses.py'?"]),
        ("hubr", ["no module 'hubr'", "'huber'", "Keras knows"]),
        ("losses:number", ["3 (int)", "cannot be called"]),
        ("losses:number()", ["cannot be called"]),
        ("losses:model", ["is a model", "name the loss"]),
        ("losses:Needs", ["'gamma'", "losses:Needs(gamma=…)"]),
        ("losses:Needs()", ["'gamma'", "losses:Needs(gamma=…)"]),
        ("losses:scaled(factr=2)", ["'factr'", "(factor=2.0)"]),
        ("losses:scaled", ["factory", "losses:scaled(factor=2.0)"]),
        ("losses:weighted", ["factory", "losses:weighted(weights=…)"]),
        ("losses:helper(3)", ["EagerTensor", "no loss"]),
        ("losses:helper('x')", ["calling it raised", "losses.py:"]),
        ("losses:scaled(factor=f(1))", ["f(1) is no literal"]),
        ("losses:scaled(*[1])", ["without * and **"]),
        ("losses:1+1", ["a (dotted) name was expected"]),
        ("losses:", ["no name and no call"]),
        ("Huber(delta=2.0)", ["keras.losses:Huber(delta=2.0)"]),
        ("a b", ["is no target", "module:loss"]),
    ],
)
def test_wrong_targets(losses: Path, target: str, said: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(target, losses)
    for text in said:
        assert text in str(caught.value)


@pytest.mark.parametrize("by", ["bad:loss", "bad.py:loss", "bad"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def loss(y_true, y_pred)\n    return 1\n", ["SyntaxError", "bad.py:1", "def loss("]),
        ("x = 1\nraise ValueError('no data')\n", ["ValueError: no data", "bad.py:2", "raise"]),
        ("import no_such_module_here\n", ["No module named 'no_such_module_here'", "bad.py:1"]),
        ("import sys\nsys.exit(3)\n", ["SystemExit: 3", "bad.py:2"]),
    ],
)
def test_modules_that_cannot_be_imported(folder: Path, by: str, text: str, said: list[str]) -> None:
    write(folder, "bad.py", text)
    for _ in range(2):  # a failed import leaves nothing behind that would pass for the module
        with pytest.raises(UsageError) as caught:
            resolve(by, folder)
        for part in said:
            assert part in str(caught.value)


def test_nothing_but_factories_is_called(folder: Path) -> None:
    text = """
        def main(folder="x"):
            raise SystemExit("ran")

        def make(y=1):
            def step(a, b):
                return a
            return step
    """
    write(folder, "scripts.py", text)
    found, left_out = resolve("scripts", folder)
    assert found == []
    assert [item.target for item in left_out] == ["scripts:main", "scripts:make"]


def test_declarations_are_read_and_checked(losses: Path) -> None:
    declared = only("losses:declared", losses).declared
    assert declared["b"] == ArgumentSettings(domain="probability", shape="(B, D)")

    @losscheck.spec(y_perd="real")
    def misspelt(y_true, y_pred):
        return y_pred

    with pytest.raises(UsageError, match=r"'y_perd'.*Did you mean 'y_pred'"):
        from_callable(misspelt)


def test_from_callable(folder: Path) -> None:
    def mine(y_true, y_pred, power=2):
        return (y_pred - y_true) ** power

    loss = from_callable(mine)
    assert loss.target == f"{__name__}:test_from_callable.<locals>.mine"
    assert from_callable(mine, "mine").target == "mine"
    assert [(p.name, p.required) for p in loss.parameters] == [
        ("y_true", True),
        ("y_pred", True),
        ("power", False),
    ]
    with pytest.raises(UsageError, match="a label and a prediction"):
        from_callable(lambda x: x)
    with pytest.raises(UsageError, match="cannot be called"):
        from_callable(3)  # type: ignore[arg-type]


def test_a_wrapper_with_star_args_takes_a_pair(folder: Path) -> None:
    def wrapper(*args):
        return args[1]

    assert names(from_callable(wrapper)) == ["y_true", "y_pred"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("y_true", "y_true"),
        ("labels", "y_true"),
        ("target", "y_true"),
        ("expected_output", "y_true"),
        ("y", "y_true"),
        ("y_pred", "y_pred"),
        ("predicted_labels", "y_pred"),
        ("outputs", "y_pred"),
        ("yHat", "y_pred"),
        ("logits", "y_pred"),
        ("sample_weight", "weight"),
        ("label_weights", "weight"),
        ("gamma", None),
        ("x", None),
    ],
)
def test_roles_by_name(name: str, expected: str | None) -> None:
    assert role(name) == expected


def test_literals_are_read_not_run() -> None:
    call = parse("m:f([1, -2.5], {'a': None}, flag=True, text='a:b.py')").call
    assert call is not None
    assert call.positional == ([1, -2.5], {"a": None})
    assert call.keywords == {"flag": True, "text": "a:b.py"}


def test_a_mistake_in_a_declaration_is_no_reason_to_leave_the_loss_out(tmp_path: Path) -> None:
    (tmp_path / "declared.py").write_text(
        "import losscheck\n\n\n@losscheck.spec(y_pred='probabilty')\n"
        "def loss(y_true, y_pred):\n    return y_true - y_pred\n"
    )
    with pytest.raises(UsageError, match=r"spec of declared.py:loss: y_pred: 'probabilty'"):
        resolve("declared.py", tmp_path)


@pytest.mark.parametrize("text", ["nowhere.py:loss", "nowhere.py", "no_module.sub:loss"])
def test_what_is_not_there_is_told_before_anything_is_imported(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"there is no (file|module)"):
        check([text], tmp_path)
    check(["mse"], tmp_path)  # Keras may know it


def test_a_module_is_looked_for_within_its_package_without_an_import(tmp_path: Path) -> None:
    (tmp_path / "unimported").mkdir()
    (tmp_path / "unimported" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (tmp_path / "unimported" / "losses.py").write_text("")
    check(["unimported.losses:loss"], tmp_path)
    with pytest.raises(UsageError, match=r"there is no module 'unimported.lossse'"):
        check(["unimported.lossse:loss"], tmp_path)
