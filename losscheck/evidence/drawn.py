"""What a report shows in pictures and tables, made of evidence that is there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from losscheck.evidence.desk import Desk
from losscheck.evidence.gradient.slopes import slopes
from losscheck.evidence.precision.executions import executions
from losscheck.evidence.search.curves import curves
from losscheck.evidence.search.landscape import landscape
from losscheck.evidence.shape.laid_out import laid_out


def drawn(desk: Desk, attempt: Callable[[str, Callable[[], Any], Any], Any]) -> dict[str, Any]:
    """Give the fields of a `LossReport` that are drawn.

    Parameters
    ----------
    attempt
        Does a thing by its name, and gives the third in its place where it fails.
    """
    evidence, checks = desk.evidence, desk.gathered("gradients") or ()
    runs = desk.gathered("layouts") or ()
    return {
        "curves": attempt("the curves", lambda: curves(evidence), ()),
        "landscape": attempt("the map", lambda: landscape(evidence), None),
        "slopes": attempt("the picture of the gradient", lambda: slopes(checks), None),
        "executions": attempt("the table of dtypes and modes", lambda: executions(desk), ()),
        "layouts": attempt("the table of shapes", lambda: laid_out(runs), ()),
    }
