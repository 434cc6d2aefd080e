"""What needs no inference: declared, known of Keras' own losses, or written in a docstring."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from losscheck import domains
from losscheck.cases.user_data import Data
from losscheck.model import UsageError
from losscheck.settings.shapes import Shape

# Class name -> (domain of y_true, of y_pred, of y_pred with from_logits). Functions go by the same
# names in snake case. Shapes are (B, D) but for class indices, which are (B,), and for _SHAPES.
_TABLE: dict[str, tuple[str, str, str]] = {
    "MeanSquaredError": ("real", "real", ""),
    "MeanAbsoluteError": ("real", "real", ""),
    "MeanAbsolutePercentageError": ("real", "real", ""),
    "MeanSquaredLogarithmicError": ("nonnegative", "nonnegative", ""),
    "Huber": ("real", "real", ""),
    "LogCosh": ("real", "real", ""),
    "CosineSimilarity": ("real", "real", ""),
    "Poisson": ("count", "nonnegative", ""),
    "KLDivergence": ("simplex", "simplex", ""),
    "Hinge": ("sign", "real", ""),
    "SquaredHinge": ("sign", "real", ""),
    "CategoricalHinge": ("one_hot", "real", ""),
    "BinaryCrossentropy": ("binary", "probability", "logits"),
    "BinaryFocalCrossentropy": ("binary", "probability", "logits"),
    "CategoricalCrossentropy": ("one_hot", "simplex", "logits"),
    "CategoricalFocalCrossentropy": ("one_hot", "simplex", "logits"),
    "CategoricalGeneralizedCrossEntropy": ("class_index", "simplex", ""),
    "SparseCategoricalCrossentropy": ("class_index", "simplex", "logits"),
    "Dice": ("binary", "probability", ""),
    "Tversky": ("binary", "probability", ""),
    "Circle": ("class_index", "unit_vector", ""),
    "CTC": ("padded_class_index", "logits", ""),
}
# Of y_true and y_pred. Labels as long as there are frames leave CTC no room for the blanks between
# equal ones, and with no alignment at all there is no loss to derive.
_SHAPES: dict[str, tuple[str, str]] = {"CTC": ("(B, L)", "(B, T, C)")}
_FUNCTIONS = {
    re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower(): name
    for name in _TABLE
} | {"log_cosh": "LogCosh", "kl_divergence": "KLDivergence"}
_SHAPE = re.compile(r"shape\s*[:=]?\s*[`'\"]*[(\[]\s*([^()\[\]]*?)\s*[)\]]", re.IGNORECASE)
_BATCH = re.compile(r"^(b|n|bs|none|-1|batch\w*|num_samples|n_samples|samples)$", re.IGNORECASE)
_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:e-?\d+)?|-?inf(?:inity)?"
# An interval counts after words that say that it is one: "(2, 3)" alone may be a shape.
_INTERVAL = re.compile(
    rf"\b(?:in(?:side)?|within|range|interval|from|between)\b[^\n()\[\]\d]{{0,24}}?"
    rf"([\[(])\s*({_NUMBER})\s*,\s*\+?({_NUMBER})\s*([\])])",
    re.IGNORECASE,
)

# One number, as in ``q: Float in (0, 1)``, ``q (float): ...`` and ``q : float, optional``.
_FLOAT = re.compile(
    r"[*`]*\w+[*`]*\s*(?:\(|:)\s*`?float`?(?![ -]*(?:tensor|array|list))\b", re.IGNORECASE
)


def known(name: str | None, config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Give (domain, shape) of y_true and y_pred of one of Keras' losses; {} for any other.

    Parameters
    ----------
    name
        As in "keras.losses.BinaryCrossentropy" or "keras.losses.binary_crossentropy".
    config
        What the loss was made with; only `from_logits` matters.
    """
    if not name:
        return {}
    last = name.rsplit(".", 1)[-1]
    last = _FUNCTIONS.get(last, last)
    row = _TABLE.get(last)
    if row is None:
        return {}
    label, prediction, logits = row
    if config.get("from_logits") and logits:
        prediction = logits
    flat = "(B,)" if domains.names_classes(label) else "(B, D)"
    of_label, of_prediction = _SHAPES.get(last, (flat, "(B, D)"))
    return {"y_true": (label, of_label), "y_pred": (prediction, of_prediction)}


def shapes_in(docstring: str, names: Sequence[str]) -> dict[str, str]:
    """Read the shapes of arguments, as in ``weights: ... (shape: (batch_size,))``.

    A shape with an ellipsis says nothing definite and is left out.
    """
    found = {}
    for name, entry in _entries(docstring, names):
        match = _SHAPE.search(entry)
        if match and "..." not in match.group(1):
            found[name] = match.group(1)
    letters: dict[str, str] = {}
    shapes = {name: _letters(text, letters) for name, text in found.items()}
    return {name: shape for name, shape in shapes.items() if shape}


def intervals_in(docstring: str, names: Sequence[str]) -> dict[str, str]:
    """Read the intervals of arguments, as in ``q: Float in range `(0, 1)`.``, as domains."""
    found = {}
    for name, entry in _entries(docstring, names):
        match = _INTERVAL.search(entry)
        if match is None or _SHAPE.search(entry[: match.end()]):
            continue
        opening, low, high, closing = match.groups()
        text = f"{opening}{low}, {high}{closing}"
        try:
            found[name] = domains.parse(text).name
        except UsageError:  # (1, 0) is no interval, whatever it is
            continue
    return found


def floats_in(docstring: str, names: Sequence[str]) -> tuple[str, ...]:
    """Name the arguments that are described as one number, as in ``gamma: float``."""
    return tuple(n for n, entry in _entries(docstring, names) if _FLOAT.match(entry.strip()))


def _entries(docstring: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give each argument with the line that describes it, and the next one that belongs to it."""
    # Each entry on a line of its own, where several share one: "y_true: (B,). y_pred: (B, 1)."
    starts = "|".join(re.escape(name) for name in names)
    docstring = re.sub(rf"(?<=[.;,)\]])[ \t]+(?=[*`]*(?:{starts})[*`]*\s*:)", "\n", docstring)
    for name in names:
        entry = re.search(
            rf"^[ \t]*[*`]*{re.escape(name)}\b[^\n]*(\n[ \t]+(?![ \t])(?!\w+\s*:)[^\n]*)?",
            docstring,
            re.M,
        )
        if entry:
            yield name, entry.group()


def _letters(text: str, letters: dict[str, str]) -> str:
    dims = [part.strip() for part in text.split(",") if part.strip()]
    if not dims or not all(re.fullmatch(r"-?\w+", dim) for dim in dims):
        return ""
    free = iter("DTHWK")
    written = []
    for i, dim in enumerate(dims):
        if dim.isdigit():
            written.append(dim)
        elif i == 0 and _BATCH.match(dim):
            written.append("B")
        else:
            used = set(letters.values())
            letters.setdefault(dim.lower(), next((c for c in free if c not in used), "M"))
            written.append(letters[dim.lower()])
    return f"({written[0]},)" if len(written) == 1 else f"({', '.join(written)})"


@attrs.frozen(kw_only=True, eq=False)
class Given:
    """By argument: role, domain, shape, and where they come from."""

    roles: Mapping[str, str]
    domains: Mapping[str, str]
    shapes: Mapping[str, Shape]
    documented: Mapping[str, str]  # what the docstring says of shapes, where others may know better
    origins: Mapping[str, tuple[str, str]]  # argument -> (origin, why)
    data: Data | None = None
    sizes: Mapping[str, int] = attrs.field(factory=dict)  # of letters, where data give them

    @property
    def prediction(self) -> str:
        """The argument that the gradient is taken of."""
        return next(name for name, role in self.roles.items() if role == "y_pred")

    @property
    def labels(self) -> list[str]:
        """The arguments that are labels."""
        return [name for name, role in self.roles.items() if role == "y_true"]

    @property
    def letters(self) -> frozenset[str]:
        """Letters that stay letters; of those that data are given, only the declared ones do."""
        declared = {name for name, (origin, _) in self.origins.items() if origin == "declared"}
        names = self.shapes.keys() if self.data is None else self.shapes.keys() & declared
        return frozenset(letter for name in names for letter in self.shapes[name].letters)
