"""How well a gradient was verified, over all that was looked at: told once a loss."""

from __future__ import annotations

import numpy as np

from losscheck.evidence.desk import Desk
from losscheck.evidence.gradient.check import GradientCheck
from losscheck.evidence.gradient.float32 import median_digits
from losscheck.evidence.gradient.other_checkers import Opinions
from losscheck.evidence.gradient.self_test import self_test
from losscheck.model import GradientSummary
from losscheck.numerics.verdict import Agreement


def summary(desk: Desk) -> GradientSummary | None:
    """Sum up the gradient checks of a loss; None where there are none."""
    checks: tuple[GradientCheck, ...] = desk.get("gradients")
    if not checks:
        return None
    digits = np.concatenate([check.comparison.digits for check in checks])
    digits = digits[np.isfinite(digits)]
    verified = [int((c.comparison.outcome == Agreement.VERIFIED).sum()) for c in checks]
    sizes = [c.gradient.shape[1] for c, count in zip(checks, verified, strict=True) if count]
    opinions: Opinions = desk.get("opinions")
    return GradientSummary(
        digits=round(float(np.median(digits)), 1) if len(digits) else None,
        max_error=max(_max_error(check) for check in checks),
        compute_gradient_max_error=opinions.compute_gradient_error,
        points=sum(verified),
        float32_digits=median_digits(desk.get("float32")),
        forward_mode_max_error=opinions.forward_error,
        largest=max(sizes, default=None),
        self_test=self_test(desk.evidence, checks),
    )


def _max_error(check: GradientCheck) -> float:
    """The largest difference from the numeric derivative, over max(|g|, ordinary gradient)."""
    size = np.fmax(np.abs(check.gradient.ravel()), max(check.scale, np.finfo(float).tiny))
    decided = check.decided.ravel()
    return float(np.max((check.comparison.difference / size)[decided], initial=0.0))
