"""Losses of series, energies, clouds, graphs and proxies: of what is matched with what."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

LONG, SHORT = 4, 3  # steps of two series
SOFTNESS = 0.5  # of the least of three ways
WARP = 0.25  # what it costs to stand still in one of the series
REGULAR, ROUNDS = 0.1, 3  # of a plan of transport
EDGE_WEIGHT, GRAPH_NORM = 3.0, 0.7  # of edges, which are few
NODES, WIDTH = 4, 2
ORTHOGONAL = 0.001
PROXIES = ((1.0, 0.0, 0.0), (0.0, 0.6, 0.8), (-0.6, 0.8, 0.0))
SHARPNESS, MARGIN = 32.0, 0.1
FAR = 1e6


def reached(cost: Any, warp: Any) -> dict[tuple[int, int], Any]:
    """The cheapest way, softly, to each pair of steps."""
    far = tf.fill(tf.shape(cost)[:1], tf.constant(FAR, cost.dtype))
    ways = {(i, j): far for i in range(LONG + 1) for j in range(SHORT + 1)}
    ways[0, 0] = tf.zeros_like(cost[:, 0, 0])
    for i in range(1, LONG + 1):
        for j in range(1, SHORT + 1):
            from_here = [ways[i - 1, j - 1], ways[i - 1, j] + warp, ways[i, j - 1] + warp]
            least = -tf.reduce_logsumexp(-tf.stack(from_here, axis=-1) / SOFTNESS, axis=-1)
            ways[i, j] = cost[:, i - 1, j - 1] + SOFTNESS * least
    return ways


def shares(cost: Any, warp: Any, ways: dict[tuple[int, int], Any]) -> Any:
    """How much of all the ways leads through each pair: the derivative by its cost."""
    share = {(LONG, SHORT): tf.ones_like(cost[:, 0, 0])}
    for i in range(LONG, 0, -1):
        for j in range(SHORT, 0, -1):
            onward = [((i + 1, j + 1), 0.0), ((i + 1, j), warp), ((i, j + 1), warp)]
            parts = [
                share[k, m]
                * tf.exp((ways[k, m] - cost[:, k - 1, m - 1] - ways[i, j] - more) / SOFTNESS)
                for (k, m), more in onward
                if (k, m) in share
            ]
            if parts:
                share[i, j] = tf.add_n(parts)
    rows = [[share[i, j] for j in range(1, SHORT + 1)] for i in range(1, LONG + 1)]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=1)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _cheapest_way(cost: Any, warp: Any) -> Any:
    ways = reached(cost, warp)

    def gradient(upstream: Any) -> Any:
        return upstream[:, tf.newaxis, tf.newaxis] * shares(cost, warp, ways)

    return ways[LONG, SHORT], gradient


def differences(y_true: Any, y_pred: Any) -> Any:
    """What it costs to match any step of one series with any step of the other."""
    return tf.abs(y_true[:, :, tf.newaxis] - y_pred[:, tf.newaxis])


def warped_series(y_true: Any, y_pred: Any) -> Any:
    """Soft cost of matching two series, whose gradient is written by hand."""
    return _cheapest_way(differences(y_true, y_pred), tf.constant(WARP, y_pred.dtype))


def _movers_distance(first: Any, second: Any) -> Any:
    given, wanted = first / first.sum(-1, keepdims=True), second / second.sum(-1, keepdims=True)
    return np.abs(np.cumsum(given - wanted, axis=-1)).sum(axis=-1)


def energy_mover(y_true: Any, y_pred: Any) -> Any:
    """How much energy has to be moved how far along a line of cells."""
    moved = _movers_distance(y_pred.numpy(), y_true.numpy())
    return tf.constant(moved, y_pred.dtype)


def transport(y_true: Any, y_pred: Any) -> Any:
    """Cost of the regular plan that carries one cloud of points to another."""
    apart = tf.reduce_sum(tf.square(y_pred[:, :, tf.newaxis] - y_true[:, tf.newaxis]), axis=-1)
    share = tf.math.log(tf.constant(1.0 / 3.0 + 1e-8, apart.dtype))
    rows, columns = tf.zeros_like(apart[:, :, 0]), tf.zeros_like(apart[:, 0])

    def plan() -> Any:
        return (rows[:, :, tf.newaxis] + columns[:, tf.newaxis] - apart) / REGULAR

    for _ in range(ROUNDS):
        rows += REGULAR * (share - tf.reduce_logsumexp(plan(), axis=2))
        columns += REGULAR * (share - tf.reduce_logsumexp(plan(), axis=1))
    return tf.reduce_sum(tf.exp(plan()) * apart, axis=[1, 2])


def graph_code(y_true: Any, y_pred: Any) -> Any:
    """Likelihood of edges from products of the nodes' codes, and how unlike noise these are."""
    mean, log_spread = y_pred[:, :, :WIDTH], y_pred[:, :, WIDTH:]
    edges = tf.matmul(mean, mean, transpose_b=True)
    cost = tf.nn.weighted_cross_entropy_with_logits(y_true, edges, EDGE_WEIGHT)
    latent = 1.0 + 2.0 * log_spread - tf.square(mean) - tf.square(tf.exp(log_spread))
    noise = 0.5 / NODES * tf.reduce_mean(tf.reduce_sum(latent, axis=2), axis=1)
    return GRAPH_NORM * tf.reduce_mean(cost, axis=[1, 2]) - noise


def _not_orthogonal(matrix: Any) -> Any:
    product = tf.matmul(matrix, matrix, transpose_b=True)
    return 0.5 * tf.reduce_sum(tf.square(product - tf.eye(3, dtype=matrix.dtype)), axis=[1, 2])


def cloud_class(y_true: Any, y_pred: Any, transform: Any) -> Any:
    """Cross entropy of a cloud's class, and how far its transform is from a rotation."""
    labels = tf.cast(y_true, tf.int32)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=y_pred)
    return loss + ORTHOGONAL * _not_orthogonal(transform)


def proxy_anchor(y_true: Any, y_pred: Any) -> Any:
    """Draws a batch's samples to the proxy of their class, and all others away from it."""
    proxies = tf.constant(PROXIES, y_pred.dtype)
    alike = tf.matmul(y_pred, proxies, transpose_b=True)
    own = tf.one_hot(tf.cast(y_true, tf.int32), len(PROXIES), dtype=y_pred.dtype)
    near = tf.reduce_sum(own * tf.exp(-SHARPNESS * (alike - MARGIN)), axis=0)
    off = tf.reduce_sum((1.0 - own) * tf.exp(SHARPNESS * (alike + MARGIN)), axis=0)
    present = tf.reduce_sum(tf.cast(tf.reduce_sum(own, axis=0) > 0.0, y_pred.dtype))
    drawn = tf.reduce_sum(tf.math.log1p(near)) / present
    return drawn + tf.reduce_mean(tf.math.log1p(off))
