"""What the user's data say of the arguments: which they are, and the layout of their rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs

from losscheck.cases.user_data import Batches, Data, arrange, names_of
from losscheck.infer.layouts import Shapes
from losscheck.infer.learnt import is_row
from losscheck.infer.spec import BATCH, batch_beside, roles
from losscheck.model import UsageError
from losscheck.settings.settings import ArgumentSettings
from losscheck.settings.shapes import Shape
from losscheck.targets import Loss

# Letters of the axes behind the batch, by how many there are; of more, the last ones are these.
MOST = 1 << 10  # numbers of a prediction: lost digits are measured by moving one after the other
LEAST = 5  # of a window's side: the size of the axes of images where there are no data (spec.SIZES)
LETTERS: Mapping[int, str] = {0: "", 1: "D", 2: "TD", 3: "HWC", 4: "THWC"}


@attrs.frozen(kw_only=True, eq=False)
class Asked:
    """The user's data, not yet brought together with the loss."""

    batches: Batches  # as they came
    others: tuple[str, ...] = ()  # arguments of other losses, which the data may hold as well
    seed: int = 0  # of the sample that is taken of many rows


def arranged(
    loss: Loss, declared: Mapping[str, ArgumentSettings], asked: Asked
) -> tuple[Data, dict[str, ArgumentSettings]]:
    """Bring data and arguments together.

    Returns
    -------
    tuple
        The rows, and what is declared: an optional argument that there are data for is a tensor.

    Raises
    ------
    UsageError
        Where data and arguments do not fit each other.
    """
    source = asked.batches.source
    found = roles(loss, declared)
    pair = [name for role in ("y_true", "y_pred") for name in found if found[name] == role]
    rest = [p.name for p in loss.parameters if p.name not in pair]
    names = names_of(asked.batches, [*pair, *rest], asked.others)
    for name in names:
        if name in declared and declared[name].constant:
            raise UsageError(
                f"{source} has an array for {name}, which is declared as the constant "
                f"{declared[name].value!r}; leave one or the other away"
            )
    tensors = {**{name: ArgumentSettings() for name in names}, **declared}
    missing = [name for name in roles(loss, tensors) if name not in names]
    if missing:
        raise UsageError(
            f"{source} has no array for {', '.join(missing)} of {loss.target}; it has "
            f"{', '.join(asked.batches.names or names) or 'none'}. Give an array for every "
            f"argument ({', '.join([*pair, *rest])}), or declare a constant with {{ value = ... }}"
        )
    return arrange(asked.batches, names, asked.seed), tensors


def layout(data: Data, prediction: str, declared: Shapes) -> tuple[Shapes, dict[str, int]]:
    """Give shapes with letters for the rows of data, and the sizes that the letters have there.

    Parameters
    ----------
    prediction
        The argument that names the axes; the others share its letters where they share its sizes.
    declared
        The shapes that the user declared; they stay.

    Raises
    ------
    UsageError
        Where data have another shape than was declared.
    """
    sizes: dict[str, int] = {}
    for name, shape in declared.items():
        if name in data.rows:
            _fit(name, shape, data, sizes)
    batch = next((str(shape.dims[0]) for shape in declared.values()), "B")
    tails = {name: array.shape[1:] for name, array in data.rows.items()}
    shapes = dict(declared)
    for name in sorted(tails, key=lambda name: (name != prediction, -len(tails[name]))):
        if name not in shapes:
            shapes[name] = Shape((batch, *_axes(tails[name], sizes)))
    sizes[batch] = _batch(len(data), sizes, tails)
    return shapes, _affordable(shapes[prediction], sizes, data)


def _affordable(shape: Shape, sizes: dict[str, int], data: Data) -> dict[str, int]:
    """Look through a window at rows of very many numbers; a row that is one thing stays whole."""
    batch, *free = (dim for dim in shape.dims if isinstance(dim, str))
    one_thing = any(is_row(array) for array in data.rows.values())
    if free and (one_thing or any(len(a.shape) < shape.rank for a in data.rows.values())):
        free = [letter for letter in free if letter != shape.dims[-1]]
    sizes = dict(sizes)
    while math.prod(shape.at(sizes)) > MOST and (wide := _widest(free, sizes)):
        sizes[wide] -= 1
    if math.prod(shape.at(sizes)) > MOST:
        sizes[batch] = 2
    return sizes


def _widest(free: Sequence[str], sizes: Mapping[str, int]) -> str:
    """The letter with the largest size that a window may be smaller than; "" if there is none."""
    able = [letter for letter in free if sizes[letter] > LEAST]
    return max(able, key=lambda letter: sizes[letter], default="")


def _fit(name: str, declared: Shape, data: Data, sizes: dict[str, int]) -> None:
    """Read the sizes of letters off data whose shape is declared."""
    dims, shape = declared.dims, data.rows[name].shape
    told = Shape(("N", *shape[1:])).text
    wrong = f"{name} is declared as {declared.text}, but its array in {data.source} is {told}"
    if len(dims) != len(shape):
        raise UsageError(f"{wrong}: {len(shape)} axes, the batch included. Correct one of them")
    if not isinstance(dims[0], str):
        raise UsageError(f"{wrong}, whose first axis is the batch. Write a letter for it, as B")
    for dim, size in zip(dims[1:], shape[1:], strict=True):
        expected = sizes.setdefault(dim, size) if isinstance(dim, str) else dim
        if expected != size:
            raise UsageError(f"{wrong}: {size} where {dim} is {expected}. Correct one of them")


def _axes(tail: Sequence[int], sizes: dict[str, int]) -> list[str | int]:
    """Name the axes of one argument; letters that are new get their sizes."""
    count = len(tail)
    more = [f"K{i}" for i in range(count - len(LETTERS) + 1)]
    plain = [*more, *LETTERS.get(count, LETTERS[4])]
    known = dict(sizes)
    named: list[str | int] = []
    for letter, size in zip(plain, tail, strict=True):
        other = next((k for k, s in known.items() if s == size and k not in named), None)
        if size == 1:
            named.append(1)
        elif known.get(letter, size) == size and letter not in named:
            sizes[letter] = size
            named.append(letter)
        else:
            named.append(other or size)
    return named


def _batch(rows: int, sizes: Mapping[str, int], tails: Mapping[str, Sequence[int]]) -> int:
    """Choose a batch that no other axis has the size of, of as many rows as there are."""
    taken = {*sizes.values(), *(size for tail in tails.values() for size in tail)}
    return batch_beside(taken, min(BATCH, max(2, rows)))
