"""What is known of each loss: where it comes from, what it takes, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

Arguments = Mapping[str, Mapping[str, Any]]
# Notes that may stand beside any loss: kinks, coupled samples, an empty batch, overflow in halves,
# and digits lost of values that matter to nobody.
NOTES = frozenset({"LC104", "LC403", "LC405", "LC505", "LC301", "LC302"})


@attrs.frozen(kw_only=True, eq=False)
class Truth:
    """A loss and what must be said of it.

    Attributes
    ----------
    loss
        Written anew from its source: the same mathematics and, of a faulty one, the same trap.
    source
        The project as owner/name, with the file or the number of the issue.
    arguments
        As in `[tool.losscheck.losses]`: the domain, the shape and, where need be, the role of each.
    fault
        None of a sound one.
    beside
        Codes of further findings that are true, those of `NOTES` left out: of a sound loss
        warnings alone, of a faulty one errors as well where the cause is the same.
    undeclared
        Whether a check without any declaration can be expected to come to the same verdict.
    why
        Why it can, or what has to be declared.
    remark
        What the loss is a test of.
    """

    loss: Callable[..., Any]
    source: str
    arguments: Arguments
    fault: Fault | None = None
    beside: frozenset[str] = frozenset()
    undeclared: bool
    why: str
    remark: str

    @property
    def name(self) -> str:
        """The name of the function or of the Loss, which is unique."""
        return str(getattr(self.loss, "__name__", "") or vars(self.loss)["name"])

    @property
    def module(self) -> str:
        """The name of its module in this package."""
        return self.loss.__module__.rpartition(".")[2]

    @property
    def faulty(self) -> bool:
        """Whether something must be found."""
        return self.fault is not None


@attrs.frozen(kw_only=True)
class Fault:
    """What is wrong, by a counterexample.

    Attributes
    ----------
    codes
        Any of which finds it.
    severity
        Of the gravest finding: "error" or "warning".
    line
        Part of the line to blame.
    trigger
        The input that shows it.
    what
        Which number is observed there and expected, and how both were computed.
    observed, expected
        That number, or in a word what happens instead. Where the truth does not exist, any finite
        number is right; "finite" is then expected.
    fixed
        The same loss without the fault, where that was written down.
    """

    codes: frozenset[str]
    severity: str
    line: str
    trigger: Mapping[str, Any]
    what: str
    observed: float | str
    expected: float | str
    fixed: Callable[..., Any] | None = None


def argument(domain: str | list[str], shape: str, role: str = "") -> dict[str, Any]:
    """Declare one argument."""
    declared: dict[str, Any] = {"domain": domain, "shape": shape}
    return {**declared, "role": role} if role else declared


def both(y_true: str, y_pred: str, shape: str) -> dict[str, dict[str, Any]]:
    """Declare labels and predictions of one shape."""
    return {"y_true": argument(y_true, shape), "y_pred": argument(y_pred, shape)}


def codes(text: str) -> frozenset[str]:
    """Read codes separated by spaces."""
    return frozenset(text.split())
