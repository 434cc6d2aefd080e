"""Evidence about a loss that a test writes, without a report around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence
from losscheck.infer import infer
from losscheck.settings.settings import argument
from losscheck.targets import from_callable


def desk(function: Callable[..., Any], **arguments: Any) -> Desk:
    """Lay out the evidence of a loss; arguments are declared as in `losscheck.check`."""
    declared = {name: argument(given, name) for name, given in arguments.items()}
    home = os.path.dirname(os.path.abspath(function.__code__.co_filename))
    inferred = infer(from_callable(function), declared, home=home, base=os.getcwd())
    return Desk(
        Evidence(
            inferred=inferred,
            dtypes=("float32",),
            modes_wanted=("eager", "graph", "xla"),
            seed=0,
        )
    )
