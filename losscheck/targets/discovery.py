"""Every loss in a module, and for the rest why it was taken for none."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from losscheck.model import LeftOut, UsageError
from losscheck.settings.argument_names import is_pair
from losscheck.settings.decorator import ATTRIBUTE
from losscheck.targets import reading
from losscheck.targets.locating import make
from losscheck.targets.loss import DeclarationError, Loss, build
from losscheck.targets.reference import Arguments, Reference


def discover(module: ModuleType, prefix: str, directory: Path) -> tuple[list[Loss], list[LeftOut]]:
    """Find every loss that a module defines.

    A loss is a function (also a lambda, a partial or a tf.function) of at least a label and a
    prediction, by the names of its arguments; anything that @losscheck.spec declares; an instance
    or subclass of keras.losses.Loss; and what a factory whose arguments all have defaults returns,
    where its source shows that it returns such a function. Nothing else is called.

    Parameters
    ----------
    module
        The module.
    prefix
        How it is named in targets.
    directory
        The working directory, absolute.

    Returns
    -------
    losses : list of Loss
        In the order of the source.
    left_out : list of LeftOut
        Functions, classes and models that are no losses, and why.
    """
    losses: list[Loss] = []
    left_out: list[LeftOut] = []
    seen: dict[int, str] = {}
    for name in reading.defined(module):
        obj, target = vars(module)[name], f"{prefix}:{name}"
        try:
            found = _consider(
                name, obj, Reference(text=target, place=prefix, is_file=False), directory
            )
            if found is not None and id(obj) in seen:
                raise _NoLossError(f"the same as {seen[id(obj)]}")
        except DeclarationError:  # to leave it out would hide the mistake
            raise
        except UsageError as error:
            left_out.append(LeftOut(target=target, reason=str(error).removeprefix(f"{target}: ")))
            continue
        if found is not None:
            seen[id(obj)] = target
            losses.append(found)
    return losses, left_out


class _NoLossError(UsageError):
    """Why something is left out."""


def _consider(name: str, obj: Any, reference: Reference, directory: Path) -> Loss | None:
    """Make a loss of it; None where nobody would take it for one, _NoLossError where one might."""
    from losscheck.program import resolve

    if resolve.is_model(obj):
        raise _NoLossError("a model; name it to have its losses checked through it")
    if resolve.is_metric(obj):
        raise _NoLossError("a metric; name it to have what it averages checked as a loss")
    if resolve.is_loss(obj):
        return build(obj, reference.text, directory)
    if inspect.isclass(obj):
        return _consider_class(obj, reference, directory)
    if not callable(obj):
        return None
    names = _names(obj)
    declared = bool(getattr(obj, ATTRIBUTE, None))
    pair = is_pair(names)
    if (pair or declared) and not name.startswith("_"):
        if reading.makes_loss(obj) and not pair:
            return _consider_factory(obj, reference, directory)
        return build(obj, reference.text, directory)
    if not inspect.isroutine(obj):
        return None
    if name.startswith("_"):
        if pair:
            raise _NoLossError("private, by its underscore; name it to have it checked")
        return None
    if reading.makes_loss(obj):
        return _consider_factory(obj, reference, directory)
    raise _NoLossError(
        f"its arguments ({', '.join(names)}) do not look like labels and predictions; declare them "
        "with @losscheck.spec, or name it to have it checked"
    )


def _consider_class(obj: Any, reference: Reference, directory: Path) -> Loss | None:
    from losscheck.program import resolve

    if resolve.is_loss_class(obj):
        if resolve.is_abstract(obj):
            raise _NoLossError("a base class: it has no call of its own")
        return make(obj, reference, directory)
    # A class of another kind is a loss if its instances are called with labels and predictions.
    if is_pair(_names(getattr(obj, "__call__", None))):  # noqa: B004  (its arguments are read)
        return make(obj, reference, directory)
    return None


def _consider_factory(obj: Any, reference: Reference, directory: Path) -> Loss:
    required = [p.name for p in reading.parameters_of(obj) or [] if p.default is p.empty]
    if required:
        example = ", ".join(f"{name}=…" for name in required)
        raise _NoLossError(
            f"a factory that needs {', '.join(required)}; write its call: "
            f"{reference.text}({example})"
        )
    call = Reference(
        text=f"{reference.text}()", place=reference.place, is_file=False, call=Arguments()
    )
    return make(obj, call, directory)


def _names(obj: Any) -> tuple[str, ...]:
    # A layer and a metric take *args too: that alone does not make a loss of anything.
    listed = reading.parameters_of(obj, pair_in_rest=False) if callable(obj) else None
    return tuple(p.name for p in listed or [])
