"""Rewriting expressions that lose digits or overflow: found by identities, judged by numbers."""

from __future__ import annotations

from losscheck.rewriting.arithmetic import Error
from losscheck.rewriting.proposals import Rewriting, leaves_in, rewritings
from losscheck.rewriting.reading import Spelling

__all__ = ["Error", "Rewriting", "Spelling", "leaves_in", "rewritings"]
