"""Whole arrays: laid out from tokens, and even spreads of points and of labels."""

from __future__ import annotations

import math

import numpy as np

from losscheck.model import Array
from losscheck.numerics import sobol

# Few points in more dimensions are no more even than random ones, and scrambling takes seconds.
SOBOL_DIMENSIONS = 256


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


def uniform(count: int, dimensions: int, rng: np.random.Generator) -> Array:
    """Points in the open unit cube: Sobol's sequence, scrambled; beyond its dimensions, random.

    Parameters
    ----------
    dimensions
        Number of coordinates; 0 is allowed.
    rng
        Settles the scrambling.

    Returns
    -------
    Array
        (count, dimensions) float64, no coordinate exactly 0 or 1.
    """
    if dimensions == 0 or count == 0:
        return np.empty((count, dimensions))
    if dimensions > SOBOL_DIMENSIONS:
        points = rng.random((count, dimensions))
    else:
        # Sobol's points are balanced in powers of two only.
        exponent = max(count - 1, 0).bit_length()
        points = sobol.points(exponent, dimensions, rng)[:count]
    # 2^-31 is half of the spacing of those 30-bit points.
    edge = 2.0**-31
    spread: Array = np.clip(points, edge, 1.0 - edge)
    return spread


def mixed_labels(count: int, slots: int, classes: int, rng: np.random.Generator) -> Array:
    """Labels of which none is missing: every class occurs in each case that has room for it.

    Parameters
    ----------
    slots
        Labels in a case; with fewer slots than classes, two or more of them differ.
    classes
        Labels are 0 to classes - 1.

    Returns
    -------
    Array
        (count, slots) int64.
    """
    labels = rng.integers(classes, size=(count, slots))
    sure = min(slots, classes)
    places = np.argsort(rng.random((count, slots)), axis=1)[:, :sure]
    chosen = np.argsort(rng.random((count, classes)), axis=1)[:, :sure]
    np.put_along_axis(labels, places, chosen, axis=1)
    return labels


def lopsided_labels(count: int, slots: int, classes: int, rng: np.random.Generator) -> Array:
    """Labels of which some are missing: each case uses a random number of neighbouring classes.

    Returns
    -------
    Array
        (count, slots) int64, 0 to classes - 1.
    """
    used = rng.integers(1, classes + 1, size=(count, 1))
    first = rng.integers(classes, size=(count, 1))
    labels: Array = (first + np.floor(rng.random((count, slots)) * used).astype(int)) % classes
    return labels


def is_mixed(labels: Array, classes: int) -> Array:
    """Whether the labels of a case are mixed as far as their number allows.

    Every class occurs where there is room for all of them; with less room not all are equal; a
    single label is always mixed.

    Parameters
    ----------
    labels
        (n, slots) whole numbers.

    Returns
    -------
    Array
        (n,) bool.
    """
    slots = labels.shape[1]
    if slots <= 1:
        return np.ones(len(labels), bool)
    ordered = np.sort(labels, axis=1)
    distinct = 1 + np.count_nonzero(np.diff(ordered, axis=1), axis=1)
    mixed: Array = distinct >= (classes if slots >= classes else 2)
    return mixed
