"""Inputs of the declared domains for the sound losses: ordinary ones, working ones, relations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.wild.projects.truth import Arguments

CLASSES = 3
ORDINARY = {  # the table of the design's section Domains; the second column by its landmarks
    "real": (-3.0, 3.0),
    "logits": (-10.0, 10.0),
    "positive": (0.05, 20.0),
    "nonnegative": (0.05, 20.0),
    "probability": (1e-3, 1.0 - 1e-3),
    "weight": (0.1, 10.0),
}
LANDMARKS = {
    "real": [0.0, 1e-38, 1e-20, 1e-8, 1e-4, 1.0, 3.0, 100.0, 1e4, 1e9],
    "logits": [0.0, 1e-38, 1e-8, 1e-3, 1.0, 5.0, 10.0, 20.0, 50.0, 89.0, 104.0, 1e3, 1e4],
    "positive": [1e-8, 1e-4, 0.05, 1.0, 20.0, 1e3, 1e6, 1e9],
    "nonnegative": [0.0, 1e-8, 1e-4, 0.05, 1.0, 20.0, 1e4, 1e9],
    "probability": [0.0, 1e-38, 1e-8, 1e-7, 1e-3, 0.5, 1.0 - 1e-3, 1.0 - 6e-8, 1.0],
    "count": [0.0, 1.0, 2.0, 20.0, 1e3, 1e6],
    "weight": [0.0, 0.1, 1.0, 10.0, 1e3, 1e6],
}
Shape = tuple[int, ...]


class Source:
    """Draws inputs of any declared domain; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def case(self, arguments: Arguments, batch: int, wide: int, working: bool) -> dict[str, Any]:
        """Draw one case: float32 arrays by the names of the arguments.

        Parameters
        ----------
        batch, wide
            The size of B, and of every other letter.
        working
            Reach out to the working range, and bring relations about.
        """
        sizes = {"B": batch}
        case = {
            name: self.draw(declared["domain"], _shape(declared["shape"], sizes, wide), working)
            for name, declared in arguments.items()
        }
        if working:
            self._relate(case, arguments)
        return {name: values.astype("float32") for name, values in case.items()}

    def _relate(self, case: dict[str, Any], arguments: Arguments) -> None:
        if arguments["y_true"] == arguments["y_pred"] and self.rng.random() < 0.4:
            case["y_pred"] = case["y_true"].copy()
        if len(case["y_pred"]) > 1 and self.rng.random() < 0.2:
            for values in case.values():
                values[1] = values[0]

    def draw(self, domain: Any, shape: Shape, working: bool) -> Any:
        """Draw one argument."""
        if isinstance(domain, list):
            columns = [self.draw(part, (*shape[:-1], 1), working) for part in domain]
            return np.concatenate(columns, axis=-1)
        if domain in ("binary", "class_index"):
            return self._labels(shape, 2 if domain == "binary" else CLASSES, working)
        if domain == "sign":
            return 2.0 * self._labels(shape, 2, working) - 1.0
        if domain == "one_hot":
            return np.eye(shape[-1])[self._labels(shape[:-1], shape[-1], working).astype(int)]
        if domain == "unit_vector":
            return self._directions(shape, working)
        if domain == "simplex":
            return self._shares(shape, working)
        if domain == "padded_class_index":
            words = self._labels(shape, CLASSES, False) + 1.0
            long = self.rng.integers(0 if working else 1, shape[1] + 1, size=shape[0])
            return words * (np.arange(shape[1]) < long[:, np.newaxis])
        if domain == "box":
            return self._boxes(shape, working)
        if domain.startswith("["):
            low, high = (float(end) for end in domain[1:-1].split(","))
            return self._interval(low, high, shape, working)
        return self._numbers(domain, shape, working)

    def _labels(self, shape: Shape, levels: int, working: bool) -> Any:
        labels = self.rng.integers(levels, size=shape).astype(float)
        if working and self.rng.random() < 0.4:
            labels[...] = self.rng.integers(levels)
        return labels

    def _directions(self, shape: Shape, working: bool) -> Any:
        rows = self.rng.normal(size=shape)
        kind = self.rng.integers(5) if working else -1
        if kind == 0:
            rows[...] = rows.reshape(-1, shape[-1])[0]
        if kind == 1:
            rows = np.eye(shape[-1])[self.rng.integers(shape[-1], size=shape[:-1])]
            rows *= self.rng.choice([-1.0, 1.0])
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)

    def _shares(self, shape: Shape, working: bool) -> Any:
        shares = np.exp(self.rng.normal(size=shape))
        if working and self.rng.random() < 0.5:
            shares = np.eye(shape[-1])[self.rng.integers(shape[-1], size=shape[:-1])]
        return shares / shares.sum(axis=-1, keepdims=True)

    def _boxes(self, shape: Shape, working: bool) -> Any:
        low = self.rng.uniform(0.0, 0.5, (*shape[:-1], 2))
        side = self.rng.uniform(0.2, 0.8, low.shape)
        if working:
            pixels = self.rng.choice([1.0, 1e3, 1e4])
            kept = self.rng.random(low.shape) < self.rng.choice([0.0, 0.5, 1.0])
            low, side = low * pixels, side * pixels * kept
        return np.concatenate([low, low + side], axis=-1)

    def _interval(self, low: float, high: float, shape: Shape, working: bool) -> Any:
        edge = 0.0 if working else 0.05 * (high - low)
        values = self.rng.uniform(low + edge, high - edge, shape)
        if not working:
            return values
        near = 1e-7 * (high - low)
        places = np.clip([low, low + near, 0.0, 1e-8, high - near, high], low, high)
        if self.rng.random() < 0.3:
            values[...] = self.rng.choice(places)
        return np.where(self.rng.random(shape) < 0.5, self.rng.choice(places, shape), values)

    def _numbers(self, domain: str, shape: Shape, working: bool) -> Any:
        if not working:
            if domain == "count":
                return self.rng.integers(21, size=shape).astype(float)
            low, high = ORDINARY[domain]
            if domain in ("positive", "nonnegative"):
                return np.exp(self.rng.uniform(math.log(low), math.log(high), shape))
            return self.rng.uniform(low, high, shape)
        values = self.rng.choice(LANDMARKS[domain], shape)
        if domain in ("real", "logits"):
            values *= self.rng.choice([-1.0, 1.0], shape)
        if self.rng.random() < 0.25:
            values[...] = values.flat[0]
        if self.rng.random() < 0.4:
            usual = self._numbers(domain, shape, working=False)
            values = np.where(self.rng.random(shape) < 0.5, usual, values)
        return values


def _shape(text: str, sizes: Mapping[str, int], wide: int) -> Shape:
    parts = [part.strip() for part in text.strip("()").split(",") if part.strip()]
    return tuple(int(part) if part.isdigit() else sizes.get(part, wide) for part in parts)
