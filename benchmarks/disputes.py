"""Where losscheck and the corpus disagree: what was examined, with a number that is run anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs


@attrs.frozen(kw_only=True)
class Dispute:
    """A disagreement: what it is about, and the evidence, measured when it is asked for."""

    what: str
    evidence: Callable[[], str]


DISPUTES: Mapping[str, Dispute] = {}
"""By the call of the entry."""
