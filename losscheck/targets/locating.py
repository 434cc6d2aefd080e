"""From the text of a target to the objects that it names, and from these to losses."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

from losscheck.model import LeftOut, UsageError
from losscheck.settings.argument_names import is_pair
from losscheck.settings.decorator import ATTRIBUTE
from losscheck.targets import importing, reading
from losscheck.targets.importing import raised
from losscheck.targets.loss import DeclarationError, Loss, build
from losscheck.targets.reference import Arguments, Reference, parse


def locate(reference: Reference, directory: Path) -> Any:
    """Import the place that a reference names, and find the object in it.

    Raises
    ------
    UsageError
        If there is no such place or no such name; the message says what comes close.
    """
    directory = directory.resolve()
    importing.put_on_path(directory)
    return attribute(import_place(reference, directory), reference)


def check_place(reference: Reference, directory: Path) -> None:
    """Complain of a module or file that is not there, before anything is imported.

    Raises
    ------
    UsageError
        The message says what comes close.
    """
    if reference.is_file:
        importing.file_of(reference.place, directory)
    elif not importing.exists(reference.place):
        raise importing.missing(reference.place, directory)


def file_of_place(text: str, directory: Path) -> Path | None:
    """Find the file that a target names, by path or as a module, before anything is imported.

    None where it is no file: a name that Keras knows, a package without a file.
    """
    reference = parse(text)
    if reference.is_file:
        return importing.file_of(reference.place, directory)
    return importing.file_of_module(reference.place)


def import_place(reference: Reference, directory: Path) -> ModuleType:
    """Import the module or file of a reference."""
    from losscheck.program import resolve

    check_place(reference, directory)
    resolve.prepare()
    if reference.is_file:
        return importing.import_file(reference.place, directory)
    return importing.import_module(reference.place, directory)


def attribute(module: ModuleType, reference: Reference) -> Any:
    """Find the (dotted) name of a reference in its module."""
    obj: Any = module
    shown = reference.place
    for name in reference.names:
        try:
            obj = getattr(obj, name)
        except AttributeError:
            own = [n for n, value in vars(obj).items() if _may_be_loss(n, value, module)]
            listed = ", ".join(own[:8])  # as many as fit on a line or two
            otherwise = f" It has {listed}." if own else " It defines nothing that can be called."
            hint = importing.suggest(name, own, otherwise)
            raise UsageError(f"{reference.text!r}: {shown} has no {name!r}.{hint}") from None
        shown += f".{name}" if obj is not module else ""
    return obj


def _may_be_loss(name: str, value: Any, module: ModuleType) -> bool:
    if name.startswith("__") or not callable(value):
        return False
    # What the module imported is not worth suggesting; instances do not say where they were made.
    named = inspect.isroutine(value) or inspect.isclass(value)
    return not named or value.__module__ == module.__name__


def make(obj: Any, reference: Reference, directory: Path) -> Loss:
    """Make the loss that a target names of the object that was found under that name.

    A class is called without arguments, anything with the arguments that the target gives.

    Raises
    ------
    UsageError
        If the call fails, or what comes out is no loss.
    """
    if reference.call is None and not inspect.isclass(obj):
        return build(obj, reference.text, directory)
    call = reference.call or Arguments()
    if not callable(obj):
        raise UsageError(f"{reference.text}: {obj!r:.60} cannot be called; leave the (…) away")
    made = called(obj, call, reference, directory)
    return build(made, reference.text, directory, maker=obj)


def called(obj: Any, call: Arguments, reference: Reference, directory: Path) -> Any:
    """Call what makes a loss or a model, and say what is wrong with it or with what comes out."""
    _check_call(obj, call, reference)
    try:
        made = obj(*call.positional, **call.keywords)
    except Exception as error:
        raise UsageError(
            f"{reference.text}: calling it raised {raised(error, directory)}"
        ) from error
    if inspect.isclass(made):
        raise UsageError(
            f"{reference.text} gives the class {made.__name__}; an instance was expected"
        )
    if not callable(made):
        raise UsageError(
            f"{reference.text} gives {made!r:.60} ({type(made).__name__}), which is no loss: a "
            "function of labels and predictions or a keras.losses.Loss was expected"
        )
    return made


def _check_call(obj: Any, call: Arguments, reference: Reference) -> None:
    """Complain of arguments that do not fit, before anything is run."""
    try:
        signature = inspect.signature(obj)
    except (ValueError, TypeError):
        return  # its arguments cannot be read; the call itself will tell
    try:
        signature.bind(*call.positional, **call.keywords)
    except TypeError as error:
        shown = reference.text if reference.call is None else reference.text.partition("(")[0]
        raise UsageError(
            f"{reference.text}: {error}. It takes {signature}; write them as literals: "
            f"{shown}({', '.join(_examples(signature)) or ''})"
        ) from None


def _examples(signature: inspect.Signature) -> list[str]:
    """Give the arguments of an example call: the required ones, else the first of the others."""
    listed = [
        p for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    required = [f"{p.name}=…" for p in listed if p.default is p.empty]
    return required or [f"{p.name}={p.default!r}" for p in listed[:1]]


def discover(module: ModuleType, prefix: str, directory: Path) -> tuple[list[Loss], list[LeftOut]]:
    """Find every loss that a module defines.

    A loss is a function (also a lambda, a partial or a tf.function) of at least a label and a
    prediction, by the names of its arguments; anything that @losscheck.spec declares; an instance
    or subclass of keras.losses.Loss; and what a factory whose arguments all have defaults returns,
    where its source shows that it returns such a function. Nothing else is called.

    Parameters
    ----------
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
