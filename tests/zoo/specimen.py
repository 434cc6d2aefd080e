"""A specimen of the zoo: a faulty loss, its sound twin, and what must be said of the faulty one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

Arguments = Mapping[str, tuple[str, str]]  # name -> (domain, shape)


@attrs.frozen(kw_only=True, eq=False)
class Specimen:
    """A fault and the same loss written well; both take the same arguments.

    Attributes
    ----------
    row
        Of the catalogue of faults; None where a fault was planted for a rule alone.
    trigger
        The input that brings the symptom about, in words.
    codes
        Any of which finds it: more than one where the trigger decides which (LC201 where 0 meets
        the Inf of LC202), one where the cause does.
    line
        Part of the line to blame; "" where no line is.
    severity
        What policy gives it: an error, at least a warning, or a note and no error.
    order
        Of the derivative that the rule must be asked for.
    dtypes
        The required ones.
    guessed
        Further codes that find it where nothing is declared and the inferred domain is another.
    dagger
        Whether the catalogue had not measured it on this TensorFlow.
    instead
        What happens instead, of a row whose symptom does not come about.
    """

    row: int | None
    faulty: Callable[..., Any]
    sound: Callable[..., Any]
    arguments: Arguments
    trigger: str
    codes: frozenset[str]
    line: str = ""
    severity: str = "error"
    order: int = 1
    dtypes: tuple[str, ...] = ("float32",)
    guessed: frozenset[str] = frozenset()
    dagger: bool = False
    instead: str = ""

    @property
    def name(self) -> str:
        """What tests call it."""
        number = min(self.codes, default="") if self.row is None else f"{self.row:02d}"
        return f"{number}-{called(self.faulty)}"

    @property
    def reproduced(self) -> bool:
        """Whether there is something to find."""
        return not self.instead


def called(loss: Callable[..., Any]) -> str:
    """Name a function, or the class of an instance."""
    return str(getattr(loss, "__name__", type(loss).__name__))


def specimen(
    row: int | None,
    codes: str,
    faulty: Callable[..., Any],
    sound: Callable[..., Any],
    arguments: Arguments,
    trigger: str,
    line: str = "",
    *,
    guessed: str = "",
    **more: Any,
) -> Specimen:
    """Write a specimen on a few lines; `codes` and `guessed` are separated by spaces."""
    return Specimen(
        row=row,
        codes=frozenset(codes.split()),
        faulty=faulty,
        sound=sound,
        arguments=arguments,
        trigger=trigger,
        line=line,
        guessed=frozenset(guessed.split()),
        **more,
    )


def pair(
    y_true: str, y_pred: str, shape: str = "(B, D)", **more: tuple[str, str]
) -> dict[str, tuple[str, str]]:
    """Declare labels and predictions of one shape."""
    return {"y_true": (y_true, shape), "y_pred": (y_pred, shape), **more}


def apart(y_true: tuple[str, str], y_pred: tuple[str, str]) -> dict[str, tuple[str, str]]:
    """Declare labels and predictions of two shapes."""
    return {"y_true": y_true, "y_pred": y_pred}


REALS = pair("real", "real")
NO_LABEL = ("real", "(B,)")  # of losses that do not use theirs
