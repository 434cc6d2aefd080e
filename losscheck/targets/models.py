"""Compiled models as targets: the loss of each output, and what the model is trained on."""

from __future__ import annotations

import contextlib
import inspect
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from losscheck.model import Source, UsageError
from losscheck.settings.argument_names import is_pair
from losscheck.targets import reading
from losscheck.targets.locating import called
from losscheck.targets.loss import Loss, build
from losscheck.targets.reference import Arguments, Reference

if TYPE_CHECKING:
    from losscheck.program.keras.compiled import Compiled
    from losscheck.program.keras.model_parts import Part


@attrs.frozen(kw_only=True, eq=False)
class Placed:
    """Where a loss stands: the model that is compiled with it, and the output that it is of."""

    compiled: Compiled
    part: Part
    model: str  # the model's own target
    form: str  # of that

    @property
    def instance(self) -> bool:
        """Whether the loss is a keras.losses.Loss, whose `call` is what is checked."""
        from losscheck.program import resolve

        return resolve.is_loss(self.part.loss)

    @property
    def shapes(self) -> tuple[str, ...]:
        """Of the prediction: with letters for what is large, and as it is.

        What a loss does wrong it does at small sizes too, and there it is searched for a thousand
        times as fast; one that knows the sizes of its model by heart needs them.
        """
        output = self.compiled.outputs[self.part.output]
        return tuple(dict.fromkeys((output.loosened, output.written)))


# Models by what made them: each is made once, and its outputs' losses are checked in the same one.
_MADE: dict[tuple[Any, str], Any] = {}


def made_of(obj: Any, reference: Reference, directory: Path) -> Any:
    """What a target gives that may be a model: itself, or what calling it makes; None if neither.

    A function is called without being asked only where it cannot be a loss: it takes nothing, or
    has defaults for all that it takes, and none of it is a label beside a prediction.
    """
    from losscheck.program import resolve

    if resolve.is_model(obj):
        return obj
    if not (_is_model_class(obj) or _may_make_model(obj, called=reference.call is not None)):
        return None
    key = (obj, repr(reference.call or Arguments()))
    if key in _MADE:
        return _MADE[key]
    with same_numbers():
        made = called(obj, reference.call or Arguments(), reference, directory)
    if resolve.is_model(made):
        _MADE[key] = made
    return made


def _is_model_class(obj: Any) -> bool:
    from losscheck.program import resolve

    return resolve.is_model_class(obj)


def _may_make_model(obj: Any, *, called: bool) -> bool:
    listed = reading.parameters_of(obj) if reading.is_function(obj) else None
    if listed is None or reading.makes_loss(obj):
        return False
    needed = [p for p in listed if p.default is p.empty]
    return (called or not needed) and not is_pair(tuple(p.name for p in listed))


@contextlib.contextmanager
def same_numbers() -> Iterator[None]:
    """Seed what Keras draws initial weights with, and put everything back as it was."""
    drawn = random.getstate()
    random.seed(SEED)
    try:
        yield
    finally:
        random.setstate(drawn)


SEED = 0


def losses(model: Any, reference: Reference, maker: Any, directory: Path) -> list[Loss]:
    """Give what a compiled model holds: what it is trained on as a whole, and each output's loss.

    Parameters
    ----------
    reference
        Its target; one that names an output gives that output's loss alone.
    maker
        The function or class that made it, None where there is none.

    Raises
    ------
    UsageError
        It is not compiled, was never built, or has no such output.
    """
    from losscheck.program.keras import compiled

    text = reference.text if reference.output is None else reference.without_output
    read = compiled.read(model, text, base=str(directory))
    form = "model" if maker is None or maker is model else "model-function"
    if reference.output is not None:
        part = read.part(reference.output)
        if part is None:
            labels = ", ".join(_bracketed(text, part.label) for part in read.parts)
            raise UsageError(
                f"{reference.text}: the model has no loss of that name. It has {labels or 'none'}"
            )
        return [_of_output(Placed(compiled=read, part=part, model=text, form=form), directory)]
    outputs = [
        _of_output(Placed(compiled=read, part=part, model=text, form=form), directory)
        for part in read.parts
    ]
    made_by = _makes(model, maker)
    whole = Loss(
        target=text,
        function=model.compute_loss,
        python=made_by,
        form=form,
        parameters=(),
        source=_own_source(made_by, directory),
        docstring="",
        declared={},
        known=None,
        config={},
        autograph=False,
        compiled=read,
        outputs=tuple(outputs),
    )
    return [whole, *outputs]


def _of_output(placed: Placed, directory: Path) -> Loss:
    target = _bracketed(placed.model, placed.part.label)
    found = attrs.evolve(build(placed.part.loss, target, directory), placed=placed)
    if not placed.part.through:
        return found
    behind = _behind(found.function, placed.part.through)
    return attrs.evolve(found, function=behind, handed=behind)


def _behind(loss: Callable[..., Any], activation: str) -> Callable[..., Any]:
    """The loss of the logits, as the model has it."""
    from losscheck.program.keras.model_parts import activated

    def of_logits(y_true: Any, y_pred: Any) -> Any:
        return loss(y_true, activated(activation, y_pred))

    return of_logits


def _bracketed(text: str, label: str | int) -> str:
    plain = isinstance(label, int) or label.isidentifier()
    return f"{text}[{label if plain else repr(label)}]"


def _makes(model: Any, maker: Any) -> Callable[..., Any]:
    """What makes the model: a function of the user's, else the initialisation of its class."""
    found: Callable[..., Any] = maker if reading.is_function(maker) else type(model).__init__
    unwrapped: Callable[..., Any] = inspect.unwrap(found)
    return unwrapped


def _own_source(python: Callable[..., Any], directory: Path) -> Source | None:
    """Where the model is made; None for what Keras itself makes, from no code of the user's."""
    return None if python.__module__.startswith("keras.") else reading.source(python, directory)
