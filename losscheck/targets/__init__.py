"""Finding losses: "module:attr", "file.py:attr", "module:factory(gamma=2)", "mse" -> Loss.

A compiled model stands for what it is trained on and for the losses of its outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.model import LeftOut, UsageError
from losscheck.targets import importing, models, written
from losscheck.targets.locating import attribute, check_place, discover, import_place, make
from losscheck.targets.loss import Loss, Parameter, build
from losscheck.targets.reference import Reference, parse

__all__ = ["Loss", "Parameter", "check", "from_callable", "losses_of_model", "resolve"]


def resolve(text: str, directory: Path) -> tuple[list[Loss], list[LeftOut]]:
    """Find the losses that a target names.

    The working directory and its src/ are put on the import path, and the user's module is
    imported. A name that Keras knows needs no import of the user's, and gives way to a module of
    that name in the working directory.

    Parameters
    ----------
    text
        `pkg.module:attr`, `path/file.py:attr`, `module:factory(gamma=2.0)`, a module or file
        alone (every loss in it), a compiled model or what makes one (`module:build_model`, or
        `module:build_model[output]` for the loss of one output), or a name that Keras knows.

    Returns
    -------
    losses : list of Loss
        What was found: one loss, for a module or file any number, for a model what it is
        trained on and then the loss of each output.
    left_out : list of LeftOut
        What a module or file holds besides, and why it was taken for no loss.

    Raises
    ------
    UsageError
        If there is no such thing, or it is no loss; the message says what comes close.
    """
    from losscheck.program import resolve as objects

    reference = parse(text)
    directory = directory.resolve()
    importing.put_on_path(directory)
    if not reference.is_file and not reference.names and reference.place.isidentifier():
        known = _by_keras_name(reference.place, directory)
        if known is not None:
            return [known], []
    module = import_place(reference, directory)
    if not reference.names:
        return discover(module, reference.text, directory)
    obj = attribute(module, reference)
    made = models.made_of(obj, reference, directory)
    if objects.is_model(made):
        return models.losses(made, reference, obj, directory), []
    if reference.output is not None:
        raise UsageError(
            f"{reference.text}: brackets name an output of a compiled model, and "
            f"{reference.without_output} is none"
        )
    if made is not None and reference.call is not None:
        return [build(made, reference.text, directory, maker=obj)], []
    return [make(obj, reference, directory)], []


def check(texts: Sequence[str], directory: Path) -> None:
    """Complain of targets whose module or file is not there, before TensorFlow is imported.

    Raises
    ------
    UsageError
        For the first of them. A name alone may be one that Keras knows.
    """
    importing.put_on_path(directory)
    for reference in map(parse, texts):
        if reference.is_file or reference.names or not reference.place.isidentifier():
            check_place(reference, directory)


def from_callable(obj: Callable[..., Any], name: str | None = None) -> Loss:
    """Take an object for a loss, as it is.

    Parameters
    ----------
    obj
        A function of labels and predictions, a keras.losses.Loss (instance, or a class that needs
        no arguments), a tf.function, or anything else that can be called so.
    name
        How to name it in reports; by default its module and name.

    Returns
    -------
    Loss
        The loss. Files are reported relative to the current directory.

    Raises
    ------
    UsageError
        If it is no loss.
    """
    target = name or written.name(obj)
    reference = Reference(text=target, place=target.partition(":")[0], is_file=False)
    loss = make(obj, reference, Path.cwd())
    if name is not None or loss.known is not None or loss.form in ("metric", "tf-function"):
        return loss
    lines = written.written(loss.handed)
    importable = reference.place != "__main__"
    if loss.form == "loss-instance" and lines is written.UNWRITTEN and importable:
        return loss  # its class made without arguments comes close
    return attrs.evolve(loss, written=lines)


def losses_of_model(model: Any, name: str | None = None) -> list[Loss]:
    """Take a compiled model for what it is trained on, followed by the losses of its outputs.

    Raises
    ------
    UsageError
        It is not compiled, or was never built.
    """
    target = name or f"{type(model).__module__}:{type(model).__qualname__}"
    reference = Reference(text=target, place=type(model).__module__, is_file=False)
    return models.losses(model, reference, None, Path.cwd())


def _by_keras_name(name: str, directory: Path) -> Loss | None:
    from losscheck.program import resolve

    if importing.lies_in(directory, name):
        return None
    known = resolve.by_keras_name(name)
    if known is not None:
        return build(known, name, directory, form="keras-name")
    if not importing.exists(name):
        missing = importing.missing(name, directory)
        near = importing.suggest(name, resolve.keras_names())
        raise UsageError(f"{missing}.{near} (a name that Keras knows)" if near else str(missing))
    return None
