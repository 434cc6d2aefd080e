"""The planted faults in one tuple: a rule must flag the faulty loss and leave its twin alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from tests.zoo import planted_calls as calls
from tests.zoo import planted_gradient as gradient
from tests.zoo import planted_nonfinite as nonfinite
from tests.zoo import planted_precision as precision


@attrs.frozen
class Planted:
    """A fault, the rule that must find it, and the same loss written well."""

    code: str
    faulty: Callable[..., Any]
    sound: Callable[..., Any]
    arguments: Mapping[str, tuple[str, str]]  # name -> (domain, shape), of both
    line_text: str = ""  # part of the line that must be blamed; "" where no line is
    order: int = 1  # that the rule must be asked for

    @property
    def name(self) -> str:
        """What tests call it."""
        return f"{self.code}-{self.faulty.__name__}"


def _pair(
    y_true: str, y_pred: str, shape: str = "(B, D)", **more: tuple[str, str]
) -> Mapping[str, tuple[str, str]]:
    return {"y_true": (y_true, shape), "y_pred": (y_pred, shape), **more}


REALS = _pair("real", "real")
MASKED = _pair("real", "real", "(B, T)", mask=("mask", "(B, T)"))
ROW_AND_COLUMN = {"y_true": ("real", "(B,)"), "y_pred": ("real", "(B, 1)")}

FAULTY: tuple[Planted, ...] = (
    Planted(
        "LC101",
        gradient.handwritten_gradient,
        gradient.handwritten_gradient_twin,
        REALS,
        "upstream * 2.02 * error",
    ),
    Planted(
        "LC101",
        gradient.unweighable,
        gradient.unweighable_twin,
        REALS,
        "return tf.tanh(error)",
    ),
    Planted(
        "LC102",
        gradient.error_rate,
        gradient.error_rate_twin,
        _pair("one_hot", "logits", "(B, C)"),
        "tf.argmax(y_pred",
    ),
    Planted(
        "LC103",
        gradient.clipped_logits,
        gradient.clipped_logits_twin,
        _pair("binary", "logits"),
        "tf.clip_by_value(",
    ),
    Planted("LC104", gradient.kinked_switch, gradient.kinked_switch_twin, REALS, "tf.where("),
    Planted("LC105", gradient.torn_huber, gradient.torn_huber_twin, REALS, "tf.where("),
    Planted(
        "LC106",
        gradient.frozen_slope,
        gradient.frozen_slope_twin,
        REALS,
        "tf.stop_gradient(slope)",
        order=2,
    ),
    Planted(
        "LC201",
        nonfinite.bare_masked_mean,
        nonfinite.bare_masked_mean_twin,
        MASKED,
        "/ tf.reduce_sum(mask)",
    ),
    Planted(
        "LC202",
        nonfinite.bare_softplus,
        nonfinite.bare_softplus_twin,
        _pair("binary", "logits"),
        "tf.exp(y_pred)",
    ),
    Planted(
        "LC203",
        nonfinite.guarded_log,
        nonfinite.guarded_log_twin,
        _pair("one_hot", "simplex", "(B, C)"),
        "tf.math.log(y_pred)",
    ),
    Planted(
        "LC204",
        nonfinite.root_miss,
        nonfinite.root_miss_twin,
        _pair("binary", "probability"),
        "tf.sqrt(miss)",
    ),
    Planted(
        "LC205",
        nonfinite.dropped_overflow,
        nonfinite.dropped_overflow_twin,
        REALS,
        "tf.math.is_finite(squares)",
    ),
    Planted("LC301", precision.cosine_gap, precision.cosine_gap_twin, REALS, "1.0 - tf.cos(d)"),
    Planted(
        "LC302",
        precision.expanded_distance,
        precision.expanded_distance_twin,
        REALS,
        "a + b - 2.0",
    ),
    Planted(
        "LC401",
        calls.column_against_row,
        calls.column_against_row_twin,
        ROW_AND_COLUMN,
        "y_true - y_pred",
    ),
    Planted(
        "LC402",
        calls.pairwise_squeezed,
        calls.pairwise_squeezed_twin,
        _pair("real", "real", "(B, 1)"),
        "scores[:, None] - scores[None, :]",
    ),
    Planted("LC403", calls.share_of_spread, calls.share_of_spread_twin, REALS),
    Planted("LC404", calls.forgotten_return, calls.forgotten_return_twin, REALS),
    Planted("LC501", calls.python_branch, calls.python_branch_twin, REALS, "if error < 1.0"),
    Planted("LC502", calls.fixed_dtype, calls.fixed_dtype_twin, REALS, "tf.cast(y_true"),
    Planted(
        "LC503",
        nonfinite.late_clamp,
        nonfinite.late_clamp_twin,
        REALS,
        "tf.minimum(tf.math.rsqrt(squared)",
    ),
    Planted("LC504", calls.noisy_labels, calls.noisy_labels_twin, REALS, "tf.random.normal("),
    Planted(
        "LC901",
        calls.missing_function,
        calls.missing_function_twin,
        _pair("real", "real", "(B, 6)"),
        "tf.diff(",
    ),
)
