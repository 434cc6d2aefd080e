"""The decorator with which a loss declares what its arguments take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

ATTRIBUTE = "__losscheck_spec__"  # name -> ArgumentSettings, on the decorated object

Declaration = str | list[str] | tuple[str | list[str], str] | Mapping[str, Any]
Decorated = TypeVar("Decorated")


def spec(**arguments: Declaration) -> Callable[[Decorated], Decorated]:
    """Declare the arguments of a loss, next to the loss.

    The decorated function or class is returned as it is, with the declaration attached; nothing is
    called or wrapped. The configuration and the command line override it.

    Parameters
    ----------
    **arguments
        For each argument a domain (`"probability"`), a list with the domain of each column
        (`["real", "positive"]`), a pair of domain and shape (`("probability", "(B, D)")`), or a
        mapping with the keys *domain*, *shape*, *role* (`"y_true"`, `"y_pred"`, `"weight"` or
        `"input"`) and *value* (a constant).

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    UsageError
        If a declaration is none of these. What its texts say is checked when the loss is.

    Examples
    --------
    >>> @spec(y_true="binary", y_pred=("probability", "(B, D)"), gamma={"value": 2.0})
    ... def focal(y_true, y_pred, gamma=2.0): ...
    >>> getattr(focal, "__losscheck_spec__")["y_pred"].shape
    '(B, D)'
    """

    def decorate(loss: Decorated) -> Decorated:
        # NumPy and attrs stay out of `import losscheck`.
        from losscheck.settings.settings import argument

        name = getattr(loss, "__name__", type(loss).__name__)
        declared = {
            key: argument(given, f"@losscheck.spec of {name}: {key}")
            for key, given in arguments.items()
        }
        setattr(loss, ATTRIBUTE, declared)
        return loss

    return decorate
