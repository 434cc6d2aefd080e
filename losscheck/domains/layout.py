"""Whole arrays from tokens: single numbers of elementwise domains, or rows of the others."""

from __future__ import annotations

import math

import numpy as np

from losscheck.model import Array


def flat(values: Array) -> Array:
    """View cases (n, *shape) as (n, elements); n may be 0."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def rows(values: Array) -> Array:
    """View cases (n, *shape) as (n, rows, width), rows along the last axis; n may be 0."""
    return values.reshape(len(values), math.prod(values.shape[1:-1]), values.shape[-1])


def slots(shape: tuple[int, ...], tokens: Array) -> int:
    """How many tokens (k, *token shape) an array of this shape has room for."""
    return math.prod(shape) // math.prod(tokens.shape[1:])


def fill(tokens: Array, shape: tuple[int, ...]) -> Array:
    """Arrays that hold one token everywhere.

    Parameters
    ----------
    tokens
        (k,) or (k, width).

    Returns
    -------
    Array
        (k, *shape).
    """
    count = len(tokens)
    width = math.prod(tokens.shape[1:])
    flat = tokens.reshape(count, 1, width)
    wide = np.repeat(flat, slots(shape, tokens), axis=1)
    return wide.reshape(count, *shape)


def plant(background: Array, tokens: Array, place: Array) -> Array:
    """Arrays in which one token stands out.

    Parameters
    ----------
    background
        (k, *shape).
    tokens
        (k,) or (k, width).
    place
        (k,) float64 in [0, 1): how far along the array. The same place falls on the same sample
        in arguments of different widths.

    Returns
    -------
    Array
        (k, *shape) float64.
    """
    count = len(tokens)
    room = slots(background.shape[1:], tokens)
    planted = background.astype(np.float64).reshape(count, room, -1)
    planted[np.arange(count), (place * room).astype(int)] = tokens.reshape(count, -1)
    return planted.reshape(background.shape)


def scatter(tokens: Array, count: int, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Arrays with a random token in every slot.

    Returns
    -------
    Array
        (count, *shape).
    """
    chosen = rng.integers(len(tokens), size=(count, slots(shape, tokens)))
    return tokens[chosen].reshape(count, *shape)
