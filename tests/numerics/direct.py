"""Evidence about a loss of (B, D) reals, without the time that inference takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from losscheck.evidence.gather import Evidence, Instance
from losscheck.infer import Inferred
from losscheck.infer.spec import Spec
from losscheck.model import Argument
from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import Call

NAMES = ("y_true", "y_pred")


FEW = 2_000  # cases of a sweep; a report's hundred thousand take seconds


class Direct(Evidence):
    """Evidence of few cases."""

    def budget(self, instance: Instance) -> int:
        return FEW

    def like(self, kind: type[Direct]) -> Any:
        """The same loss, traced once, with evidence of another kind."""
        return kind(**{f.alias: getattr(self, f.name) for f in attrs.fields(Evidence) if f.init})


def evidence_of(function: Callable[..., Any], width: int) -> Direct:
    """Take a loss at one sample of `width` numbers."""
    arguments = tuple(
        Argument(
            name=name,
            role=name,
            domain="real",
            shape="(B, D)",
            dtype="float32",
            origin="declared",
            why="",
            plausible=(),
        )
        for name in NAMES
    )
    sizes = {"B": 1, "D": width}
    spec = Spec(arguments=arguments, constants={}, sizes=sizes, narrow=sizes)
    call = Call(function=function, names=NAMES, positional=2, prediction="y_pred")
    inferred = Inferred(spec=spec, programs=Programs(call))
    return Direct(inferred=inferred, dtypes=("float32",), modes_wanted=("graph",), seed=0)
