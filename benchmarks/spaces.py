"""One spelling of array functions for five libraries, so that a loss is written once.

Each space calls the library's own function where it has one: a checker then meets the kernels that
its users meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import mpmath
import numpy as np

DIGITS = 160
"""Digits of the truth: those of a difference over a step of 1e-50 that keep forty of its own."""

mp: Any = mpmath.MPContext()
mp.dps = DIGITS

Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]


@attrs.frozen(kw_only=True, eq=False)
class Space:
    """The functions that families are written with; `like` makes a constant of an array's type."""

    name: str
    like: Callable[[Any, Any], Any]
    exp: Unary
    log: Unary
    log1p: Unary
    sqrt: Unary
    sin: Unary
    cos: Unary
    tanh: Unary
    abs: Unary
    maximum: Binary
    logaddexp: Binary
    where: Callable[[Any, Any, Any], Any]
    sum: Callable[..., Any]  # sum(x, axis)
    logsumexp: Callable[..., Any]  # logsumexp(x, axis)
    reshape: Callable[[Any, tuple[int, ...]], Any]
    transpose: Unary


def numpy_space() -> Space:
    """NumPy, and SciPy for what it lacks."""
    from scipy.special import logsumexp

    return Space(
        name="numpy",
        like=lambda values, x: np.asarray(values, x.dtype),
        exp=np.exp,
        log=np.log,
        log1p=np.log1p,
        sqrt=np.sqrt,
        sin=np.sin,
        cos=np.cos,
        tanh=np.tanh,
        abs=np.abs,
        maximum=np.maximum,
        logaddexp=np.logaddexp,
        where=np.where,
        sum=np.sum,
        logsumexp=logsumexp,
        reshape=np.reshape,
        transpose=np.transpose,
    )


def tensorflow_space() -> Space:
    """TensorFlow; it has no logaddexp, which is written as its users write it."""
    import tensorflow as tf

    def logaddexp(a: Any, b: Any) -> Any:
        return tf.maximum(a, b) + tf.math.log1p(tf.exp(-tf.abs(a - b)))

    return Space(
        name="tensorflow",
        like=lambda values, x: tf.constant(values, x.dtype),
        exp=tf.exp,
        log=tf.math.log,
        log1p=tf.math.log1p,
        sqrt=tf.sqrt,
        sin=tf.sin,
        cos=tf.cos,
        tanh=tf.tanh,
        abs=tf.abs,
        maximum=tf.maximum,
        logaddexp=logaddexp,
        where=tf.where,
        sum=tf.reduce_sum,
        logsumexp=tf.reduce_logsumexp,
        reshape=tf.reshape,
        transpose=tf.transpose,
    )


def torch_space() -> Space:
    """PyTorch."""
    import torch

    return Space(
        name="torch",
        like=lambda values, x: torch.as_tensor(np.asarray(values), dtype=x.dtype),
        exp=torch.exp,
        log=torch.log,
        log1p=torch.log1p,
        sqrt=torch.sqrt,
        sin=torch.sin,
        cos=torch.cos,
        tanh=torch.tanh,
        abs=torch.abs,
        maximum=torch.maximum,
        logaddexp=torch.logaddexp,
        where=torch.where,
        sum=lambda x, axis=None: torch.sum(x) if axis is None else torch.sum(x, dim=axis),
        logsumexp=lambda x, axis: torch.logsumexp(x, dim=axis),
        reshape=torch.reshape,
        transpose=lambda x: x.T,
    )


def jax_space() -> Space:
    """JAX; double precision has to be asked for before any array is made."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    return Space(
        name="jax",
        like=lambda values, x: jnp.asarray(values, x.dtype),
        exp=jnp.exp,
        log=jnp.log,
        log1p=jnp.log1p,
        sqrt=jnp.sqrt,
        sin=jnp.sin,
        cos=jnp.cos,
        tanh=jnp.tanh,
        abs=jnp.abs,
        maximum=jnp.maximum,
        logaddexp=jnp.logaddexp,
        where=jnp.where,
        sum=jnp.sum,
        logsumexp=jax.scipy.special.logsumexp,
        reshape=jnp.reshape,
        transpose=jnp.transpose,
    )


def mpmath_space() -> Space:
    """NumPy arrays of mpmath's numbers: the truth."""

    def each(function: Callable[..., Any], count: int = 1) -> Any:
        return np.frompyfunc(function, count, 1)

    def exact(values: Any) -> Any:
        return np.frompyfunc(lambda v: mp.mpf(float(v)), 1, 1)(np.asarray(values, np.float64))

    exp, log = each(mp.exp), each(mp.log)
    return Space(
        name="mpmath",
        like=lambda values, x: exact(values),
        exp=exp,
        log=log,
        log1p=each(lambda x: mp.log(1 + x)),
        sqrt=each(mp.sqrt),
        sin=each(mp.sin),
        cos=each(mp.cos),
        tanh=each(mp.tanh),
        abs=each(abs),
        maximum=each(max, 2),
        logaddexp=each(lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), 2),
        where=np.where,
        sum=np.sum,
        logsumexp=lambda x, axis: log(np.sum(exp(x), axis)),
        reshape=np.reshape,
        transpose=np.transpose,
    )
