"""The corpus: losses of published packages, with defects that others have examined by hand.

Its words for domains are read here into those of losscheck; what it calls a defect, into the codes
that say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

PAGE: Final = Path(__file__).parent / "corpus" / "third_party.json"

SEVERE: Final = ("critical", "major")

CODES: Final[Mapping[str, frozenset[str]]] = {
    "forward_nonfinite": frozenset({"LC201", "LC202"}),
    "grad_nonfinite": frozenset({"LC203", "LC204", "LC503"}),
    "wrong_value": frozenset({"LC108", "LC201", "LC202"}),  # of a pole: what lies beside it, or it
    "zero_gradient": frozenset({"LC103"}),
    "zero_gradient_saturation": frozenset({"LC103"}),
    "silent_broadcast": frozenset({"LC401"}),
    "silent_shape": frozenset({"LC401", "LC402", "LC403"}),
    "batch1_squeeze": frozenset({"LC402", "LC403"}),
    "graph_mode": frozenset({"LC402", "LC501"}),
}
"""Kind of defect -> codes of losscheck, for the kinds that are severe."""

BOX: Final = ("[0, 1]", "(B, 4)")
IMAGE: Final = ("[0, 1]", "(B, 16, 16, 1)")
MASKS: Final = "(B, H, W, 1)"

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "binary {0,1} float (B,C)": ("binary", "(B, C)"),
    "binary {0,1} (B,C)": ("binary", "(B, C)"),
    "binary mask {0,1} float (B,H,W,1)": ("binary", MASKS),
    "boxes (B,4) ymin,xmin,ymax,xmax": BOX,
    "dummy": ("real", "(B, 1)"),
    "image [0,1] (B,16,16,1)": IMAGE,
    "int class ids (B,)": ("class_index", "(B,)"),
    "one-hot (B,3)": ("one_hot", "(B, C)"),
    "ordinal int (B,)": ("class_index", "(B,)"),
    "{0,1} (B,)": ("binary", "(B,)"),
}

PREDICTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "[anchor|pos|neg] (B,3D)": ("real", "(B, 6)"),
    "boxes": BOX,
    "distances >=0": ("nonnegative", "(B,)"),
    "image [0,1]": IMAGE,
    "logit (B,1)": ("logits", "(B, 1)"),
    "logits": ("logits", "(B, C)"),
    "logits (B,C)": ("logits", "(B, C)"),
    "probabilities [0,1] (B,C)": ("probability", "(B, C)"),
    "probabilities [0,1] (B,H,W,1)": ("probability", MASKS),
    "softmax probabilities": ("simplex", "(B, C)"),
    "softmax probabilities (B,C)": ("simplex", "(B, C)"),
}


@attrs.frozen(kw_only=True)
class Defect:
    """Something that is wrong with a loss, as the corpus has it."""

    kind: str
    severity: str
    by_design: bool
    trigger: str
    evidence: str

    @property
    def severe(self) -> bool:
        """Whether it must be found: critical or major, in float32, and not by design."""
        return self.severity in SEVERE and not self.by_design


@attrs.frozen(kw_only=True)
class Entry:
    """One loss of one package."""

    package: str
    version: str
    module: str  # imported as M
    call: str  # an expression that gives the loss
    domains: tuple[tuple[str, str], tuple[str, str]] | None  # None: Keras' own, known
    defects: tuple[Defect, ...]

    def make(self) -> Any:
        """Import the package and evaluate the expression.

        Raises
        ------
        ImportError
            The package is not installed.
        """
        import importlib

        import keras
        import tensorflow as tf

        names = {"M": importlib.import_module(self.module), "keras": keras, "tf": tf}
        return eval(self.call, names)


def entries() -> list[Entry]:
    """Read the corpus."""
    return [_entry(raw) for raw in json.loads(PAGE.read_text(encoding="utf-8"))]


def _entry(raw: Mapping[str, Any]) -> Entry:
    own = raw["package"] == "keras"
    given = None if own else (LABELS[raw["y_true_domain"]], PREDICTIONS[raw["y_pred_domain"]])
    return Entry(
        package=raw["package"],
        version=raw["version"],
        module=raw["import_path"].split()[1],
        call=raw["call"],
        domains=given,
        defects=tuple(
            Defect(
                kind=defect["kind"],
                severity=defect["severity"],
                by_design=defect["by_design"],
                trigger=defect["trigger"],
                evidence=defect["evidence"],
            )
            for defect in raw["defects"]
        ),
    )
