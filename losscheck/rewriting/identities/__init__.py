"""Identities by which expressions are rewritten: one line each, grouped by what they are about.

`pattern -> replacement`, and behind it where it holds: `if a > 0`. `where c = ...` names a part of
the replacement. An identity says that both sides are equal in exact arithmetic, not which of them
is better in float32: that is measured.
"""

from __future__ import annotations

from losscheck.rewriting.identities import (
    exponentials,
    fractions,
    hyperbolic,
    logarithms,
    powers,
    reductions,
    signs,
    trigonometry,
)

FAMILIES: dict[str, tuple[str, ...]] = {
    "exponentials": exponentials.IDENTITIES,
    "logarithms": logarithms.IDENTITIES,
    "powers": powers.IDENTITIES,
    "trigonometry": trigonometry.IDENTITIES,
    "hyperbolic": hyperbolic.IDENTITIES,
    "fractions": fractions.IDENTITIES,
    "reductions": reductions.IDENTITIES,
    "signs": signs.IDENTITIES,
}
