"""Sums of exponentials along an axis; the axis is that of the expression."""

from __future__ import annotations

IDENTITIES = (
    "log(reduce_sum(exp(a))) -> reduce_logsumexp(a)",
    "log(softmax(a)) -> log_softmax(a)",
    "exp(a) / reduce_sum(exp(a)) -> softmax(a)",
    "a - reduce_logsumexp(a) -> log_softmax(a)",
)
