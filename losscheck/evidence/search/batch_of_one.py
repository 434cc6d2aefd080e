"""A batch of one sample at its usual width, where samples depend on each other.

Elsewhere a row of a batch is a batch of one; and the smallest instance has a single output besides,
at which much is constant or empty that is neither at any width that is trained on.
"""

from __future__ import annotations

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.search.sweep import Sweep, usual
from losscheck.evidence.shape.reruns import Parts
from losscheck.model import Range
from losscheck.program.tracing.trace import CallError, OutputError

CASES = 512  # ordinary samples, and as many of the working range


def lone(evidence: Evidence, parts: Parts | None) -> tuple[Sweep, ...]:
    """Run the first samples of batches alone; nothing where samples are alone in any batch."""
    if parts is None or not (parts.coupled.any() or not np.isfinite(parts.rows).all()):
        return ()
    spec, whole = evidence.spec, evidence.main_sweep
    shapes = spec.shapes(spec.one_sample)
    if any(dict(i.shapes) == shapes for i in evidence.instances):
        return ()
    try:
        instance = evidence.instance_at(spec.one_sample)
    except (CallError, OutputError):  # of a batch of one that is refused LC402 speaks
        return ()
    working = np.flatnonzero(whole.ranges == Range.WORKING)[:CASES]
    chosen = whole.cases.take(np.concatenate([usual(whole.ranges)[:CASES], working]))
    first = CaseBlock({name: a[:, :1] for name, a in chosen.inputs.items()}, chosen.ranges)
    swept = evidence.run(instance.program, first, "float32", "graph")
    return (swept.with_scale(whole.scale),)
