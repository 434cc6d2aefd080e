"""The sound losses in one tuple: losscheck must raise no error on any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from tests.zoo import sound_classification as classification
from tests.zoo import sound_embedding as embedding
from tests.zoo import sound_regression as regression


@attrs.frozen
class Sound:
    """A loss without fault, and the domain and shape of each of its arguments."""

    function: Callable[..., Any]
    arguments: Mapping[str, tuple[str, str]]

    @property
    def name(self) -> str:
        """What tests call it."""
        return self.function.__name__


def _pair(
    function: Callable[..., Any],
    y_true: str,
    y_pred: str,
    shape: str = "(B, D)",
    **more: tuple[str, str],
) -> Sound:
    """A loss whose labels and predictions share a shape."""
    return Sound(function, {"y_true": (y_true, shape), "y_pred": (y_pred, shape), **more})


SOUND: tuple[Sound, ...] = (
    _pair(regression.squared_distance, "real", "real"),
    _pair(regression.euclidean_distance, "real", "real"),
    _pair(regression.root_mean_square, "real", "real"),
    _pair(regression.pinball, "real", "real"),
    _pair(regression.charbonnier, "real", "real"),
    _pair(regression.wing, "real", "real"),
    _pair(regression.huber, "real", "real"),
    _pair(regression.log_cosh, "real", "real"),
    _pair(regression.cauchy, "real", "real"),
    _pair(regression.squared_log_error, "nonnegative", "nonnegative"),
    _pair(regression.relative_error, "real", "real"),
    _pair(regression.masked_mean, "real", "real", "(B, T)", mask=("mask", "(B, T)")),
    _pair(regression.weighted_squares, "real", "real", sample_weights=("weight", "(B,)")),
    _pair(regression.poisson_log_rate, "count", "logits", "(B, 1)"),
    _pair(regression.poisson_rate, "count", "positive"),
    Sound(regression.gaussian_nll, {"y_true": ("real", "(B, 1)"), "y_pred": ("real", "(B, 2)")}),
    _pair(regression.tweedie_log_mean, "nonnegative", "[-20, 20]", "(B, 1)"),
    # A fixed length: the correlation of a single value with another is no loss.
    _pair(regression.pearson, "real", "real", "(B, 8)"),
    _pair(regression.concordance, "real", "real", "(B, 8)"),
    _pair(classification.binary_crossentropy, "binary", "probability"),
    _pair(classification.focal_from_logits, "binary", "logits", "(B, 1)"),
    _pair(classification.smoothed_crossentropy, "one_hot", "logits", "(B, C)"),
    Sound(
        classification.sparse_crossentropy,
        {"y_true": ("class_index", "(B,)"), "y_pred": ("logits", "(B, C)")},
    ),
    _pair(classification.hinge, "sign", "logits"),
    _pair(classification.ordinal_levels, "binary", "logits", "(B, 4)"),
    _pair(classification.smoothed_dice, "binary", "probability"),
    _pair(classification.smoothed_tversky, "mask", "probability"),
    _pair(classification.soft_f1, "binary", "probability", "(B, C)"),
    _pair(classification.kl_divergence, "simplex", "simplex", "(B, C)"),
    _pair(classification.earth_mover, "simplex", "simplex", "(B, C)"),
    _pair(classification.list_net, "logits", "logits", "(B, N)"),
    Sound(
        classification.bayesian_ranking,
        {"y_true": ("real", "(B,)"), "y_pred": ("logits", "(B, 2)")},
    ),
    Sound(
        embedding.triplet,
        {"y_true": ("real", "(B,)"), "y_pred": ("unit_vector", "(B, 3, D)")},
    ),
    _pair(embedding.contrastive, "binary", "nonnegative", "(B, 1)"),
    _pair(embedding.cosine_distance, "real", "real"),
    _pair(embedding.info_nce, "unit_vector", "unit_vector"),
    Sound(
        embedding.supervised_contrastive,
        {"y_true": ("class_index", "(B,)"), "y_pred": ("unit_vector", "(B, D)")},
    ),
)
