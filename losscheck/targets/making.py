"""Making a loss of what a target names: calling factories, making instances of classes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from losscheck.model import UsageError
from losscheck.targets.importing import raised
from losscheck.targets.loss import Loss, build
from losscheck.targets.reference import Arguments, Reference


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
