"""What an object is to TensorFlow and Keras: the only part of finding a loss that asks them."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from losscheck.program.quiet import keras_module, silence, tensorflow
from losscheck.settings.argument_names import is_pair

# In Keras' modules of losses, but none themselves.
NOT_LOSSES = frozenset({"Loss", "LossFunctionWrapper", "get", "serialize", "deserialize"})


@attrs.frozen(kw_only=True, eq=False)
class Nature:
    """How an object is called as a loss, and where its code is."""

    function: Callable[..., Any]  # what to call
    python: Callable[..., Any]  # the Python function that computes the loss
    kind: str  # callable, loss-instance, metric or tf-function
    autograph: bool = False  # a tf.function through AutoGraph: a Python `if` on tensors works in it
    known: str | None = None  # Keras' own, by its public name
    config: Mapping[str, Any] = attrs.field(factory=dict)


def prepare() -> None:
    """Import TensorFlow and Keras silently, before the user's module imports them noisily."""
    tensorflow()


def is_model(obj: Any) -> bool:
    """Say whether this is a Keras model."""
    return isinstance(obj, keras_module().Model)


def is_model_class(obj: Any) -> bool:
    """Say whether this is a class of Keras models."""
    return inspect.isclass(obj) and issubclass(obj, keras_module().Model)


def is_loss_class(obj: Any) -> bool:
    """Say whether this is a subclass of keras.losses.Loss."""
    return inspect.isclass(obj) and issubclass(obj, keras_module().losses.Loss)


def is_loss(obj: Any) -> bool:
    """Say whether this is an instance of keras.losses.Loss, or of a class made like it."""
    return isinstance(obj, keras_module().losses.Loss) or _is_like_loss(obj)


def _is_like_loss(obj: Any) -> bool:
    """Say whether an object computes a loss per sample in `call` and reduces it, as Keras' do.

    So do the losses of tf_keras, which share no class with those of Keras 3.
    """
    if inspect.isclass(obj) or not callable(obj) or not hasattr(obj, "reduction"):
        return False
    call = getattr(obj, "call", None)
    return callable(call) and is_pair(tuple(_arguments(call)))


def is_foreign(obj: Any) -> bool:
    """Say whether this is a loss like those of Keras that shares no class with them."""
    return _is_like_loss(obj) and not isinstance(obj, keras_module().losses.Loss)


def _arguments(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (ValueError, TypeError):
        return []


def is_metric(obj: Any) -> bool:
    """Say whether this collects values over batches in variables, as Keras' metrics do."""
    if isinstance(obj, keras_module().metrics.Metric):
        return True
    collects = all(callable(getattr(obj, name, None)) for name in ("update_state", "result"))
    return collects and not inspect.isclass(obj)


def averaged(obj: Any) -> Any | None:
    """The function of labels and predictions that a metric averages over batches, if it is one."""
    function = getattr(obj, "_fn", None)
    return function if is_metric(obj) and callable(function) else None


def is_abstract(cls: type) -> bool:
    """Say whether a subclass of keras.losses.Loss does not say how it computes."""
    base = keras_module().losses.Loss
    return _attribute(cls, "call") is base.call and _attribute(cls, "__call__") is base.__call__


def is_tf_function(obj: Any) -> bool:
    """Say whether this was made by tf.function."""
    return isinstance(obj, tensorflow().types.experimental.PolymorphicFunction)


def by_keras_name(name: str) -> Any | None:
    """Look up a name such as "mse" or "MeanSquaredError" as Keras does, None if it knows none."""
    if name in NOT_LOSSES:
        return None
    try:
        return keras_module().losses.get(name)
    except (ValueError, TypeError):
        return None


def keras_names() -> list[str]:
    """List the names that Keras knows, for suggestions."""
    public = [name for name in vars(keras_module().losses) if not name.startswith("_")]
    return [
        *(name for name in public if name not in NOT_LOSSES),
        "mse",
        "mae",
        "mape",
        "msle",
        "bce",
    ]


def nature(obj: Callable[..., Any]) -> Nature:
    """Find out how an object is called as a loss.

    A Keras Loss is called through `call`: per sample, in the dtype of its input, before reduction.
    A tf.function is called through its Python function, so that its operations lie in one graph
    and keep their lines.

    Parameters
    ----------
    obj
        A function, a tf.function, an instance of keras.losses.Loss, a functools.partial of one of
        them, or any other object that can be called.
    """
    if is_loss(obj):
        return _of_instance(obj)
    if (function := averaged(obj)) is not None:
        return _of_metric(obj, function)
    if is_tf_function(obj):
        return _of_tf_function(obj)
    if isinstance(obj, functools.partial):
        inner = nature(obj.func)
        bound = functools.partial(inner.function, *obj.args, **obj.keywords)
        return attrs.evolve(inner, function=bound, known=None, config={})
    if inspect.isroutine(obj):
        python = obj.__func__ if inspect.ismethod(obj) else obj
        return Nature(
            function=obj, python=inspect.unwrap(python), kind="callable", known=_known_function(obj)
        )
    inner = _of_method(obj, "__call__")
    # The object itself is called, unless a tf.function would hide its operations.
    return attrs.evolve(inner, function=inner.function if inner.kind == "tf-function" else obj)


def _of_instance(obj: Any) -> Nature:
    cls = type(obj)
    base = keras_module().losses.Loss
    own_call = not isinstance(obj, base) or _attribute(cls, "call") is not base.call
    method = "call" if own_call else "__call__"
    inner = _of_method(obj, method)
    wrapped = getattr(obj, "fn", None)
    if callable(wrapped) and inner.python.__module__.startswith(("keras.", "tf_keras.")):
        wrapped = wrapped.python_function if is_tf_function(wrapped) else wrapped
        inner = attrs.evolve(inner, python=inspect.unwrap(wrapped))  # Keras' function wrapper
    own = vars(keras_module().losses).get(cls.__name__) is cls
    return attrs.evolve(
        inner,
        kind="loss-instance",
        autograph=inner.autograph or (is_foreign(obj) and _converts(obj)),
        known=f"keras.losses.{cls.__name__}" if own else None,
        # Some of Keras' own (Huber in 3.15) leave their arguments out of get_config.
        config={**getattr(obj, "_fn_kwargs", {}), **obj.get_config()} if own else {},
    )


def _converts(obj: Any) -> bool:
    """Say whether `__call__` runs `call` through AutoGraph by itself, as that of tf_keras does."""
    tf = tensorflow()
    outside = tf.__internal__.autograph.control_status_ctx()

    def call(y_true: Any, y_pred: Any) -> Any:
        if tf.reduce_sum(y_true) > 0.0:  # Python decides on a tensor, which AutoGraph alone allows
            return y_pred
        return y_true

    def run(*pair: Any) -> Any:
        with outside:  # AutoGraph is allowed, and nothing here asks for it
            return probe(*pair)

    try:
        probe = copy.copy(obj)
        probe.call = call
        with silence():
            compiled = tf.function(run, autograph=False)
            compiled.get_concrete_function(*[tf.TensorSpec((2, 2))] * 2)
    except Exception:  # it does not, or cannot be asked
        return False
    return True


def _of_metric(obj: Any, function: Any) -> Nature:
    """What a metric averages: no gradient passes through the variables that it collects in."""
    inner = nature(function)
    options = dict(getattr(obj, "_fn_kwargs", {}))
    return attrs.evolve(
        inner,
        function=functools.partial(inner.function, **options) if options else inner.function,
        kind="metric",
        config=options,
    )


def _of_method(obj: Any, name: str) -> Nature:
    method = _attribute(type(obj), name)
    if is_tf_function(method):
        inner = _of_tf_function(method)
        return attrs.evolve(inner, function=inner.function.__get__(obj))
    return Nature(function=getattr(obj, name), python=inspect.unwrap(method), kind="callable")


def _of_tf_function(obj: Any) -> Nature:
    inner = nature(obj.python_function)
    # The switch has no public name; without it, what tf.function does by default holds.
    return attrs.evolve(inner, kind="tf-function", autograph=getattr(obj, "_autograph", True))


def _attribute(cls: type, name: str) -> Any:
    """Read an attribute of a class as it was written there, without binding it."""
    return inspect.getattr_static(cls, name)


def _known_function(obj: Any) -> str | None:
    name, keras = getattr(obj, "__name__", ""), keras_module()
    for place in ("losses", "ops"):  # keras.api.losses, as Keras 3.3 names the first
        if vars(getattr(keras, place)).get(name) is obj:
            return f"keras.{place}.{name}"
    return None
