"""A Spec: what is known of the arguments of a loss before anything is judged, and their roles."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from losscheck import domains
from losscheck.model import Argument, Array, UsageError
from losscheck.settings.argument_names import role
from losscheck.settings.settings import ArgumentSettings
from losscheck.settings.shapes import Shape, parse
from losscheck.targets import Loss, Parameter

BATCH = 4  # rows of the main instance: enough for pairs, and no other size has this number
SIZES: Mapping[str, int] = {"B": BATCH, "D": 3, "C": 3, "T": 5, "H": 5, "W": 6, "K": 3, "N": 5}
WIDE_BATCH = 65  # above 64, the largest batch that code tends to be written for
WIDE_ELEMENTS = 1 << 14  # of its prediction
OTHER = 2  # the size of any other letter
WHOLE_ROW = frozenset({"simplex", "one_hot", "unit_vector"})  # domains of rows, which need width


@attrs.frozen(kw_only=True, eq=False)
class Spec:
    """The arguments of a loss, and the sizes that it is examined at."""

    arguments: tuple[Argument, ...]  # those that are tensors, in the order of the signature
    constants: Mapping[str, Any]
    sizes: Mapping[str, int]  # of the main instance, by letter
    # Of the smallest instance: one sample, one output (two for a class or a row).
    narrow: Mapping[str, int]
    documented: Mapping[str, str] = attrs.field(factory=dict)  # shapes, as the docstring has them
    laid_out: bool = False  # the shapes of labels and predictions were given
    narrowed: str = ""  # what ordinary points of a plausible wider domain gave
    wider: str = ""  # a plausible domain of the prediction that its uses rule out
    unfit: bool = False  # nobody gave the shapes, and samples meet others in those that run best

    def named(self, role: str) -> Argument | None:
        """The first argument with a role."""
        return next((a for a in self.arguments if a.role == role), None)

    @property
    def prediction(self) -> Argument:
        """The argument that the gradient is taken of."""
        return next(a for a in self.arguments if a.role == "y_pred")

    def shapes(self, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """The shape of every argument at these sizes."""
        return {a.name: parse(a.shape).at(sizes) for a in self.arguments}

    def ordinary(
        self, count: int, shapes: Mapping[str, tuple[int, ...]], seed: int
    ) -> dict[str, Array]:
        """(count, *shape) float32: ordinary values of each argument that has a shape here."""
        width = shapes[self.prediction.name][-1:] or (2,)
        return {
            a.name: domains.parse(a.domain)
            .ordinary(count, shapes[a.name], seed=seed + i, classes=max(2, width[0]))
            .astype(np.float32)
            for i, a in enumerate(self.arguments)
            if a.name in shapes
        }

    def classes(self, sizes: Mapping[str, int]) -> int:
        """The number of classes at these sizes: the last axis of the prediction."""
        shape = parse(self.prediction.shape).at(sizes)
        return shape[-1] if len(shape) > 1 else 2

    @property
    def one_sample(self) -> dict[str, int]:
        """The sizes of the main instance, with one sample."""
        return {letter: 1 if letter == self.batch else n for letter, n in self.sizes.items()}

    @property
    def batch(self) -> str:
        """The letter of the batch; "" where the prediction's first axis is a number."""
        first = parse(self.prediction.shape).dims[:1]
        return first[0] if first and isinstance(first[0], str) else ""

    @property
    def crossed(self) -> tuple[str, ...]:
        """The arguments of which another axis is as long as the batch, such as (B, B)."""
        return tuple(a.name for a in self.arguments if self.batch in parse(a.shape).dims[1:])


def main_sizes(shapes: Mapping[str, Shape]) -> dict[str, int]:
    """Sizes of the main instance."""
    letters = sorted({letter for shape in shapes.values() for letter in shape.letters})
    return {letter: SIZES.get(letter, OTHER) for letter in letters}


def batch_beside(taken: Collection[int], wanted: int = BATCH) -> int:
    """Choose the batch nearest to the wanted one, from 2 on, that is the size of no other axis."""
    near = sorted(range(2, 2 * BATCH + wanted), key=lambda size: (abs(size - wanted), size))
    return next((size for size in near if size not in taken), wanted)


def wide_sizes(spec: Spec) -> dict[str, int]:
    """Sizes of a training batch: many rows, other sizes larger by half where that stays small."""
    grown = {letter: size + (size + 1) // 2 for letter, size in spec.sizes.items()}
    for sizes in (grown, dict(spec.sizes)):
        if spec.batch:
            sizes[spec.batch] = WIDE_BATCH
        if math.prod(spec.shapes(sizes)[spec.prediction.name]) <= WIDE_ELEMENTS:
            return sizes
    return dict(spec.sizes)


def last_letter(shapes: Mapping[str, Shape]) -> str:
    """The letter of the last axis of the widest shapes, "" if that is a number or the batch.

    Labels of one column beside predictions of any number of them have a number there.
    """
    rank = max(shape.rank for shape in shapes.values())
    last = [shape.dims[-1] for shape in shapes.values() if shape.rank == rank > 1]
    return next((dim for dim in last if isinstance(dim, str)), "")


def narrow_sizes(arguments: tuple[Argument, ...], sizes: Mapping[str, int]) -> dict[str, int]:
    """Sizes of the smallest instance: 1 each, 2 for the classes of a row."""
    shapes = {a.name: parse(a.shape) for a in arguments}
    wide = any(a.domain in WHOLE_ROW or domains.names_classes(a.domain) for a in arguments)
    last = last_letter(shapes) if wide else ""
    return {letter: 2 if letter == last else 1 for letter in sizes}


def roles(loss: Loss, declared: Mapping[str, ArgumentSettings]) -> dict[str, str]:
    """Name the role of every argument that is a tensor, in the order of the signature.

    A parameter with a default is a constant of the loss unless it is declared or is one of the
    first two.

    Raises
    ------
    UsageError
        No argument can be the prediction, or a declared argument does not exist.
    """
    names = [parameter.name for parameter in loss.parameters]
    _known(loss.target, declared, names)
    tensors = [
        parameter.name
        for parameter in loss.parameters
        if not declared.get(parameter.name, _NOTHING).constant
        and (
            parameter.required
            or (parameter.name in names[:2] and _is_pair(loss.parameters[:2]))
            or _is_declared(declared, parameter.name)
        )
    ]
    if not tensors:
        raise UsageError(
            f"{loss.target} has no argument that could be a prediction (its parameters: "
            f"{', '.join(names) or 'none'}). A loss takes (y_true, y_pred); declare other names "
            'with { role = "y_pred" }.'
        )
    found = {name: declared[name].role or "" for name in tensors if name in declared}
    given = {name: role for name, role in found.items() if role}
    return _assign(tensors, given)


def _is_pair(parameters: Sequence[Parameter]) -> bool:
    """Say whether two parameters, defaults or not, are a label and a prediction."""
    named = any(role(parameter.name) in ("y_true", "y_pred") for parameter in parameters)
    return named or any(parameter.required for parameter in parameters)


_NOTHING = ArgumentSettings()


def _is_declared(declared: Mapping[str, ArgumentSettings], name: str) -> bool:
    return name in declared and not declared[name].constant


def _known(target: str, declared: Mapping[str, ArgumentSettings], names: Sequence[str]) -> None:
    import difflib

    for name in declared:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UsageError(f"{target} has no argument {name!r}; it has {', '.join(names)}.{hint}")


def _assign(tensors: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    result = dict.fromkeys(tensors, "")
    result.update(given)
    free = [name for name in tensors if not result[name]]
    able = [name for name in free if role(name) != "weight"] or free[:1]
    if len(able) > 2:
        able = [name for name in able if role(name) != "input"] or able
    pair = able[:2]
    if "y_pred" not in given.values() and pair:
        prediction = next((n for n in pair if role(n) == "y_pred"), None)
        if prediction is None:  # Keras' order, labels first, where no name says which they are
            others = [n for n in able if role(n) not in ("y_true", "input")]
            labelled = any(role(n) == "y_true" for n in able)
            prediction = others[0] if labelled and others else (others[:2] or pair)[-1]
        result[prediction] = "y_pred"
    if "y_true" not in given.values():
        rest = [n for n in able if not result[n]]
        label = next((n for n in rest if role(n) == "y_true"), None)
        label = label or next((n for n in pair if not result[n]), None)
        if label is not None:
            result[label] = "y_true"
    for name in tensors:
        own = role(name)
        result[name] = result[name] or ("weight" if own == "weight" else "input")
    return result


def by_gradient(
    found: Mapping[str, str], declared: Mapping[str, ArgumentSettings], reached: Collection[str]
) -> dict[str, str]:
    """Name another prediction where no gradient can reach the one that was taken for it.

    A name that says what an argument is, or a declaration, is not overruled: that no gradient
    reaches a prediction is then what is wrong.

    Parameters
    ----------
    found
        The roles that were assigned.
    declared
        What the user says.
    reached
        The arguments that a gradient can reach.
    """
    result = dict(found)
    prediction = next(name for name, own in found.items() if own == "y_pred")
    said = any(settings.role for settings in declared.values()) or role(prediction) == "y_pred"
    others = [n for n in found if n in reached and found[n] in ("y_true", "input")]
    able = [n for n in others if role(n) not in ("y_true", "input")]
    if said or prediction in reached or not able:
        return result
    better = able[0]
    result[prediction], result[better] = result[better], "y_pred"
    return result
