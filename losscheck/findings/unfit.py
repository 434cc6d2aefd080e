"""Why a loss that runs at no layout was not judged, and what to declare."""

from __future__ import annotations

from losscheck.advice import wording
from losscheck.advice.structures import HANDED, taken
from losscheck.evidence.shape.calls import of_sizes
from losscheck.infer import Inferred
from losscheck.rules.execution.call_fails import CallFails


def short(inferred: Inferred) -> str:
    """Say why a rule does not judge a loss that raises."""
    if inferred.structures:
        return f"the loss takes {taken(inferred.structures)}"
    assert inferred.error is not None
    where = "at every layout that was tried" if _may_fit(inferred) else "whatever it is given"
    return f"the loss raises {type(inferred.error.error).__name__} {where}"


def whole(inferred: Inferred) -> str:
    """Say why nothing is judged of it, and what the user can do."""
    if inferred.structures:
        return f"{short(inferred)}, and {HANDED}: see {CallFails.code}"
    if not _may_fit(inferred):
        return short(inferred)
    spec = inferred.spec
    first = " and ".join(f"{a.name} {a.shape}" for a in spec.arguments)
    asked = next(a.name for a in spec.arguments if a.role == "y_pred")
    message = wording.sentence(inferred.error and inferred.error.error)
    return (
        f"{short(inferred)}; with {first} it says: {message}. Declare what it takes, such as "
        f"--arg {asked}='real:(B, 8)'"
    )


def _may_fit(inferred: Inferred) -> bool:
    """Whether another layout than those that were tried may be what it takes."""
    raised = inferred.error and inferred.error.error
    return isinstance(raised, of_sizes()) and not inferred.spec.laid_out
