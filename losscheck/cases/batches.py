"""Batches for a model: inputs and labels drawn by Python that a reader can run again."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from losscheck import domains
from losscheck.domains.numbers import Numbers
from losscheck.model import Array
from losscheck.program.keras.model_runs import Batch

LITERAL = 512  # elements of an array that is written out where no short Python draws it


@attrs.frozen(kw_only=True)
class Slot:
    """An argument of the objective that a batch fills."""

    name: str  # of the objective's argument
    domains: tuple[str, ...]  # plausible ones, each of which some batch draws from
    shape: tuple[int, ...]  # with its rows
    dtype: str
    classes: int = 2


def batches(slots: Sequence[Slot], count: int, seed: int) -> tuple[Batch, ...]:
    """Draw batches; those of an argument with several plausible domains take turns in them.

    Parameters
    ----------
    slots
        The arguments.
    count
        How many batches.
    seed
        The same seed gives the same batches.
    """
    return tuple(_batch(slots, i, seed) for i in range(count))


def _batch(slots: Sequence[Slot], index: int, seed: int) -> Batch:
    arrays, chosen, spelled = {}, {}, {}
    for place, slot in enumerate(slots):
        domain = slot.domains[index % len(slot.domains)]
        own = seed + 100 * index + place  # no two arguments share their numbers
        text = expression(domain, slot, own)
        if text:
            array = _run(text)
        else:
            rows, *rest = slot.shape
            array = domains.parse(domain).ordinary(rows, tuple(rest), own, classes=slot.classes)
            text = f"np.array({array.tolist()!r})" if array.size <= LITERAL else ""
        arrays[slot.name] = array.astype(slot.dtype)
        chosen[slot.name] = domain
        if text:
            spelled[slot.name] = f'{text}.astype("{slot.dtype}")'
    return Batch(arrays=arrays, domains=chosen, spelled=spelled)


def expression(domain: str, slot: Slot, seed: int) -> str:
    """Python that draws ordinary values of a domain; "" where there is no short way."""
    rng, shape, classes = f"np.random.default_rng({seed})", slot.shape, slot.classes
    found = domains.parse(domain)
    if domain == "class_index":
        return f"{rng}.integers(0, {classes}, {shape})"
    if domain in ("binary", "mask"):
        return f"{rng}.integers(0, 2, {shape})"
    if domain == "sign":
        return f"(2 * {rng}.integers(0, 2, {shape}) - 1)"
    if domain == "one_hot":
        return f"np.eye({shape[-1]})[{rng}.integers(0, {shape[-1]}, {shape[:-1]})]"
    if domain == "simplex":
        return f"{rng}.dirichlet(np.ones({shape[-1]}), {shape[:-1]})"
    if isinstance(found, Numbers):
        low, high = found.usual
        if found.integral or np.dtype(slot.dtype).kind in "iu":
            return f"{rng}.integers({int(low)}, {int(high) + 1}, {shape})"
        return f"{rng}.uniform({low}, {high}, {shape})"
    return ""


def _run(text: str) -> Array:
    """Run what `expression` gave: the reproduction of a finding runs the same text."""
    return np.asarray(eval(text, {"np": np}))
