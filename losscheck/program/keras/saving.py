"""What becomes of a Loss that goes through its config, or through a saved model."""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, Direction, Location
from losscheck.program.keras.keras_loss import KerasLoss
from losscheck.program.keras.small_model import Head, build
from losscheck.program.quiet import keras_module, said, undisturbed
from losscheck.program.tracing.origin import Frame, is_users, locate
from losscheck.program.tracing.trace import Call

_PLAIN = (bool, int, float, str, type(None))  # what can be compared without asking what it is


@attrs.frozen(kw_only=True, eq=False)
class Survival:
    """A Loss that went through its config, or a file."""

    how: str  # "config" or "file"
    # The arguments it was made with, where those are known: {} stands for the Loss as given.
    made: Mapping[str, Any]
    # What get_config gives, by name and as text.
    config: Mapping[str, str] = attrs.field(factory=dict)
    # What raised: "get_config", "from_config", "save", "load" or "call"; "" where nothing did.
    stage: str = ""
    error: str = ""
    # (N, ...) what it returns, and what the other one returns.
    before: Array | None = None
    after: Array | None = None
    # Attributes that are not what they were: name -> (before, after), as text.
    lost: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)

    @property
    def differs(self) -> bool:
        """Whether the values are finite and others than before."""
        if self.before is None or self.after is None:
            return False
        if self.before.shape != self.after.shape:
            return True
        finite = np.isfinite(self.before) & np.isfinite(self.after)
        apart = np.abs(np.where(finite, self.before - self.after, 0.0))
        return bool(
            apart.max(initial=0.0) > ROUNDING * np.abs(self.before[finite]).max(initial=0.0)
        )


ROUNDING = 1e-5  # relative: the same operations in the same order, but for those that threads share


class Saver:
    """Sends a Loss through its config and through a saved model.

    Parameters
    ----------
    call
        The loss: an instance of keras.losses.Loss.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._loss = call.handed

    @staticmethod
    def is_loss(call: Call) -> bool:
        """Say whether this is a Keras Loss: functions have no config."""
        return KerasLoss(call).is_instance

    def through_config(self, y_true: Array, y_pred: Array) -> Iterator[Survival]:
        """Send the Loss, and one made with other arguments, through get_config and from_config."""
        with undisturbed(), self._call.state.kept():
            found = [_through_config(self._call, self._loss, {}, y_true, y_pred)]
            if not found[0].error:
                for changed in _others(self._loss):
                    made = _make(self._loss, changed)
                    if made is not None:
                        found.append(_through_config(self._call, made, changed, y_true, y_pred))
        yield from found

    def through_file(
        self, shape: tuple[int, ...], head: Head, y_true: Array, y_pred: Array
    ) -> Survival:
        """Save a model that is compiled with the Loss, load it, and call its loss."""
        survival = Survival(how="file", made={}, config=_written(self._loss))
        kept = self._call.state.kept()
        with undisturbed(), kept, tempfile.TemporaryDirectory() as folder:
            keras, file = keras_module(), os.path.join(folder, "model.keras")
            try:
                model = build(shape, head)
                model.compile("sgd", loss=self._loss, jit_compile=False)
                model.save(file)
            except Exception as error:
                return attrs.evolve(survival, stage="save", error=said(error))
            cls = type(self._loss)
            # Keras 3.3 writes this initializer of the model by a name that it does not read.
            known = {cls.__name__: cls, "IdentityInitializer": keras.initializers.Identity}
            try:
                loaded = keras.saving.load_model(file, custom_objects=known)
            except Exception as error:
                return attrs.evolve(survival, stage="load", error=said(error))
            return _compared(survival, self._call, self._loss, loaded.loss, y_true, y_pred)

    def where(self) -> Location | None:
        """Find the line to change: the class's own get_config, else its __init__, else itself."""
        for name in ("get_config", "__init__", "call"):
            for cls in type(self._loss).__mro__:
                code = getattr(vars(cls).get(name), "__code__", None)
                if code is None or not is_users(code.co_filename, self._call.home):
                    continue
                frame = Frame(code.co_filename, code.co_firstlineno)
                return locate(frame, "", Direction.FORWARD, self._call.base)
        return None


def _through_config(
    call: Call, loss: Any, made: Mapping[str, Any], y_true: Array, y_pred: Array
) -> Survival:
    survival = Survival(how="config", made=made)
    try:
        config = loss.get_config()
    except Exception as error:
        return attrs.evolve(survival, stage="get_config", error=said(error))
    survival = attrs.evolve(survival, config=_written(loss))
    try:
        again = type(loss).from_config(config)
    except Exception as error:
        return attrs.evolve(survival, stage="from_config", error=said(error))
    return _compared(survival, call, loss, again, y_true, y_pred)


def _compared(
    survival: Survival, call: Call, loss: Any, again: Any, y_true: Array, y_pred: Array
) -> Survival:
    try:
        before, second = (_value(call, loss, y_true, y_pred) for _ in range(2))
    except Exception:  # as given or with other arguments, it does not run: there is nothing to keep
        return survival
    if not np.array_equal(before, second, equal_nan=True):  # it counts its calls, or is random
        return survival
    lost = _lost(loss, again)
    try:
        after = _value(call, again, y_true, y_pred)
    except Exception as error:
        return attrs.evolve(survival, stage="call", error=said(error), lost=lost)
    return attrs.evolve(survival, before=before, after=after, lost=lost)


def _value(call: Call, loss: Any, y_true: Array, y_pred: Array) -> Array:
    of = KerasLoss(attrs.evolve(call, handed=loss, constants={}))
    if of.calls_itself:
        return np.asarray(of.by_itself(y_true, y_pred, None), np.float64)
    return np.asarray(of.returned(y_true, y_pred), np.float64)


def _others(loss: Any) -> Iterator[dict[str, Any]]:
    """Give other arguments that the class takes, one at a time: numbers and switches alone."""
    try:
        parameters = inspect.signature(type(loss).__init__).parameters.values()
    except (ValueError, TypeError):
        return
    for parameter in list(parameters)[1:]:
        default = parameter.default
        if parameter.name in ("name", "reduction", "dtype"):  # Keras' own
            continue
        if isinstance(default, bool):
            yield {parameter.name: not default}
        elif isinstance(default, int):
            yield {parameter.name: default + 1}
        elif isinstance(default, float):
            # Inside (0, 1) where it was; a share of 0.5 becomes 0.75.
            yield {parameter.name: (default + 1.0) / 2 if 0.0 <= default < 1.0 else 1.5 * default}


def _make(loss: Any, arguments: Mapping[str, Any]) -> Any | None:
    try:
        return type(loss)(**arguments)
    except Exception:  # another argument is required, or this one cannot be so
        return None


def _lost(loss: Any, again: Any) -> dict[str, tuple[str, str]]:
    before, after = _attributes(loss), _attributes(again)
    return {
        name: (repr(value), repr(after.get(name)))
        for name, value in before.items()
        if name in after and after[name] != value
    }


def _attributes(loss: Any) -> dict[str, Any]:
    kept = {**vars(loss), **(getattr(loss, "_fn_kwargs", None) or {})}
    return {
        name: value
        for name, value in kept.items()
        if isinstance(value, _PLAIN) and name not in ("name", "_fn_kwargs")
    }


def _written(loss: Any) -> dict[str, str]:
    try:
        return {str(name): repr(value)[:60] for name, value in loss.get_config().items()}
    except Exception:
        return {}
