"""Every row of the catalogue of faults in one tuple, in its order."""

from __future__ import annotations

from tests.zoo import cancellation, logarithms, overflow, quotients, roots, shapes
from tests.zoo.specimen import Specimen

ROWS = 74  # of the catalogue

FAMILIES: dict[str, tuple[Specimen, ...]] = {
    "logarithms": logarithms.SPECIMENS,
    "roots": roots.SPECIMENS,
    "quotients": quotients.SPECIMENS,
    "overflow": overflow.SPECIMENS,
    "cancellation": cancellation.SPECIMENS,
    "shapes": shapes.SPECIMENS,
}

CATALOGUE: tuple[Specimen, ...] = tuple(
    sorted(
        (specimen for family in FAMILIES.values() for specimen in family),
        key=lambda specimen: specimen.row or 0,
    )
)
