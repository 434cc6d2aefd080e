"""Blocks of cases: many inputs side by side, each with its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.model import Array

WIDE = 512  # numbers of a row that is hashed by itself
# The constants of the SplitMix64 generator (Steele, Lea and Flood, 2014), which mixes 64 bits.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((30, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)))


@attrs.frozen(eq=False)
class CaseBlock:
    """Cases that are evaluated together."""

    inputs: Mapping[str, Array]  # for each argument the values of all cases, (N, *shape)
    ranges: Array  # (N,) uint8: the `Range` of each case

    def __len__(self) -> int:
        return len(self.ranges)

    def take(self, index: Array | slice) -> CaseBlock:
        """Pick cases by number, by mask or by slice."""
        return CaseBlock(
            {name: values[index] for name, values in self.inputs.items()}, self.ranges[index]
        )

    @staticmethod
    def concat(blocks: Sequence[CaseBlock]) -> CaseBlock:
        """Put blocks of the same arguments behind each other; at least one block."""
        names = blocks[0].inputs
        return CaseBlock(
            {name: np.concatenate([block.inputs[name] for block in blocks]) for name in names},
            np.concatenate([block.ranges for block in blocks]),
        )

    def distinct(self) -> CaseBlock:
        """Keep the first of equal cases, in their order; 0 and -0 differ."""
        return self.take(self.first())

    def first(self) -> Array:
        """Indices of the first of equal cases, ascending."""
        return first_of_equal(self.prints())

    def prints(self) -> Array:
        """(N,) uint64 that equal cases have in common, and no others."""
        prints = np.zeros(len(self), np.uint64)
        for position, values in enumerate(self.inputs.values()):
            # Mixed with its position, an argument cannot stand for another one.
            place = np.full(1, position + 1, np.uint64) * _GOLDEN
            prints ^= _mixed(fingerprint(layout.flat(values)) + place)
        return prints


def first_of_equal(prints: Array) -> Array:
    """Indices of the first of equal numbers, ascending.

    Each number carries its index in its last bits through one sort, which takes a third of the time
    of `numpy.unique`; the rare numbers that differ in these bits alone are sorted out by it.
    """
    count = len(prints)
    bits = np.uint64(max(1, count.bit_length()))
    last = (np.uint64(1) << bits) - np.uint64(1)
    keys = np.sort((prints & ~last) | np.arange(count, dtype=np.uint64))
    index = (keys & last).astype(np.intp)
    alike = keys[1:] >> bits == keys[:-1] >> bits
    if (prints[index[1:][alike]] != prints[index[:-1][alike]]).any():
        return np.sort(np.unique(prints, return_index=True)[1])
    return np.sort(index[np.concatenate([[True], ~alike])]) if count else index


def fingerprint(rows: Array) -> Array:
    """Hash rows of numbers by their bits.

    Parameters
    ----------
    rows
        (n, width) of a float dtype.

    Returns
    -------
    Array
        (n,) uint64; equal rows have equal hashes, different rows differ but for one pair in 2^64.
    """
    rows = np.ascontiguousarray(rows)
    bits = rows.view(f"u{rows.dtype.itemsize}")
    prints = np.zeros(len(rows), np.uint64)
    if bits.shape[1] > WIDE:
        places = np.arange(1, bits.shape[1] + 1, dtype=np.uint64) * _GOLDEN
        for index, row in enumerate(bits):
            prints[index] = _mixed(row.astype(np.uint64) + places).sum(dtype=np.uint64)
        return prints
    for position, column in enumerate(bits.T):  # a sum along a short axis takes longer
        place = np.full(1, position + 1, np.uint64) * _GOLDEN
        prints += _mixed(column.astype(np.uint64) + place)
    return prints


def _mixed(bits: Array) -> Array:
    for shift, factor in _MIX:
        bits = (bits ^ (bits >> np.uint64(shift))) * factor
    mixed: Array = bits ^ (bits >> np.uint64(31))
    return mixed


def spread(members: Array, most: int) -> Array:
    """Take at most so many of the members, evenly spread over them."""
    index = np.linspace(0, len(members) - 1, min(most, len(members))).astype(int)
    return np.asarray(members[index])


@attrs.frozen(kw_only=True, eq=False)
class Population:
    """Cases with what was observed of them."""

    cases: CaseBlock

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def ranges(self) -> Array:
        """(N,) Range codes."""
        return self.cases.ranges
