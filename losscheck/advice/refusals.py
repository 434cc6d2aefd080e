"""Words for a loss that raises: on some numbers, or on tensors where it takes a dict or tuple."""

from __future__ import annotations

import ast
import json
import keyword
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from losscheck.advice import source, wording
from losscheck.advice.base import Advice, Change, Filled, nowhere
from losscheck.advice.blamed import Blame
from losscheck.advice.scene import Scene, scene
from losscheck.model import Suspect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from losscheck.model import Suspect
    from losscheck.program.structures import Structure

HANDED = "losscheck hands over one tensor for each argument"


def _argument(position: int, keyword: str, new: str) -> Callable[[Scene], str]:
    """The blamed call with another argument, `{x}` for what it is now and `{of}` for the first."""

    def written(at: Scene) -> str:
        call = source.expression(at.expression)
        if not at.direct or not isinstance(call, ast.Call) or not call.args:
            return ""
        named = {"axis", "batch_dims"} & {each.arg for each in call.keywords}
        slots = [each for each in call.keywords if each.arg == keyword]
        if named or (position >= len(call.args) and not slots):
            return ""
        old = slots[0].value if slots else call.args[position]
        words = {"x": ast.unparse(old), "of": ast.unparse(call.args[0])}
        put = ast.parse(
            new.format(**words, sx=source.summand(words["x"]), gx=source.grouped(words["x"])),
            mode="eval",
        ).body
        if slots:
            slots[0].value = put
        else:
            call.args[position] = put
        return ast.unparse(call)

    return written


_REASON = "The matrix is singular, or so nearly so that {dtype} cannot tell."


def _regular(size: str) -> Advice:
    return Advice(
        cause=_REASON,
        when=_argument(
            0, "input", f"{{sx}} + {size} * tf.eye(tf.shape({{x}})[-1], dtype={{gx}}.dtype)"
        ),
        write="{z}",
        remark="Choose a number that is small beside what the matrix holds.",
    )


SINGULAR = (
    _regular("1e-6"),
    _regular("1e-3"),
    Advice(
        cause=_REASON,
        around=nowhere,
        write="matrix += 1e-3 * tf.eye(tf.shape(matrix)[-1], dtype=matrix.dtype)  # before that",
    ),
)
_OUTSIDE = "An index lies outside of what it points into."
GATHERED = Advice(
    cause=_OUTSIDE,
    when=_argument(1, "indices", "tf.clip_by_value({x}, 0, tf.shape({of})[0] - 1)"),
    write="{z}",
    remark="Or bound what the index is made of.",
)
INDEX = Advice(
    cause=_OUTSIDE,
    around=nowhere,
    write="index = tf.clip_by_value(index, 0, tf.shape(table)[0] - 1)  # before it is used",
    remark=GATHERED.remark,
)
_FEW = "There are fewer elements than are asked for."
FEWER = Advice(
    cause=_FEW,
    when=_argument(1, "k", "tf.minimum({x}, tf.shape({of})[-1])"),
    write="{z}",
    remark="What a mask leaves may be few, or none.",
)
EMPTY = Advice(
    cause=_FEW,
    around=nowhere,
    write="k = tf.minimum(k, tf.shape(x)[-1])  # as many as there are",
    remark=FEWER.remark,
)
LABEL = Advice(
    cause="A label is none of the classes.",
    around=nowhere,
    write="valid = tf.logical_and(labels >= 0, labels < tf.shape(logits)[-1])\n"
    "labels = tf.where(valid, labels, tf.zeros_like(labels))  # and count those that are valid",
)
TIME = Advice(
    cause="Each label takes one step, and one more between two that are equal; there must be a "
    "label, and as many steps.",
    around=nowhere,
    write="tf.nn.ctc_loss(labels, logits, label_length, logit_length, blank_index=0)",
    remark="It gives a large finite number where the steps are too few; leave such samples out.",
)
DIVISOR = Advice(
    cause="Integers cannot be divided by 0.",
    around=nowhere,
    write="tf.maximum(divisor, 1)  # in place of the divisor",
)
CHECKED = Advice(
    cause="What it looks at is not finite: the number is made before this line.",
    around=nowhere,
    write="# Make the operand finite; without tf.debugging.check_numerics losscheck finds where\n"
    "# it is made.",
)
OTHERWISE = Advice(
    cause="It takes other numbers of the same shapes.",
    around=nowhere,
    write="# Keep what comes to it where the operation takes it: by tf.clip_by_value, tf.maximum,\n"
    "# or a tf.where before it.",
)
_INDEXED = (
    "GatherNd",
    "ResourceGather",
    "ScatterNd",
    "StridedSlice",
    "TensorScatterUpdate",
    "TensorScatterAdd",
    "UnsortedSegmentSum",
    "UnsortedSegmentMax",
    "SparseSegmentSum",
    "SparseSegmentMean",
)
_SOLVING = (
    "MatrixInverse",
    "MatrixDeterminant",  # whose slope takes the inverse
    "LogMatrixDeterminant",
    "MatrixSolve",
    "MatrixTriangularSolve",
    "Lu",
)
ADVICE: dict[str, tuple[Advice, ...]] = {
    **dict.fromkeys(_SOLVING, SINGULAR),
    **dict.fromkeys(_INDEXED, (INDEX,)),
    **dict.fromkeys(("FloorDiv", "FloorMod"), (DIVISOR,)),
    "GatherV2": (GATHERED, INDEX),
    "TopKV2": (FEWER, EMPTY),
    "SparseSoftmaxCrossEntropyWithLogits": (LABEL,),
    "CTCLoss": (TIME,),
    "CheckNumerics": (CHECKED,),
}


def cause_and_fix(suspect: Suspect, blame: Blame) -> tuple[str, str]:
    """Say why an operation raises, and what to write instead.

    Returns
    -------
    tuple of str
        The cause as sentences, the fix as Python with comments.
    """
    first = next(_advice(suspect, blame))
    return first.cause, first.fix


def changes(suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
    """Give the changes of the source that might keep it from raising, the least one first."""
    return tuple(told.change for told in _advice(suspect, blame) if told.change is not None)


def _advice(suspect: Suspect, blame: Blame) -> Iterator[Filled]:
    at = scene(suspect, blame)
    for advice in (*ADVICE.get(blame.op, ()), OTHERWISE):
        if (filled := advice.fill(at)) is not None:
            yield filled


def taken(structures: Mapping[str, Structure]) -> str:
    """Say what a loss takes.

    Examples
    --------
    >>> from losscheck.program.structures import Structure
    >>> taken({"y_true": Structure(keys=("box",)), "y_pred": Structure(length=2)})
    "y_true as a dict with the key 'box' and y_pred as a tuple of 2 tensors"
    """
    return wording.listed((f"{name} as {_kind(s)}" for name, s in structures.items()), "and")


def _kind(structure: Structure) -> str:
    if structure.length:
        return f"a tuple of {structure.length} tensor{'s' if structure.length > 1 else ''}"
    if not structure.named or not structure.keys:
        return "a dict of tensors"
    keys = wording.listed((repr(key) for key in structure.keys), "and")
    return f"a dict with the key{'s' if len(structure.keys) > 1 else ''} {keys}"


def structured(suspect: Suspect, names: tuple[str, ...]) -> tuple[str, str, str]:
    """LC901 of a loss with arguments that are no tensors; facts: structures, function."""
    structures: Mapping[str, Structure] = suspect.facts["structures"]
    return (
        f"The loss takes {taken(structures)}.",
        f"It was not checked: {HANDED}. Write a function that takes one argument for each tensor, "
        "and check that.",
        _function(structures, names, str(suspect.facts.get("function") or "loss")),
    )


def _function(structures: Mapping[str, Structure], names: tuple[str, ...], loss: str) -> str:
    """Write a function with one argument for each tensor, which calls the loss."""
    parameters, arguments = [], []
    for name in names:
        pairs = dict(_tensors(name, structures[name])) if name in structures else {}
        parameters += [*pairs.values()] or [name]
        if not pairs:
            arguments.append(name)
        elif structures[name].length:
            held = ", ".join(pairs.values())
            arguments.append(f"({held})" if len(pairs) > 1 else f"({held},)")
        else:
            held = ", ".join(f"{json.dumps(key)}: {own}" for key, own in pairs.items())
            arguments.append(f"{{{held}}}")
    code = f"def of_tensors({', '.join(parameters)}):\n    return {loss}({', '.join(arguments)})\n"
    if not all(structure.named for structure in structures.values()):
        code += '# "name" stands for a key: write those of the data.\n'
    return (
        f"{code}# losscheck FILE.py:of_tensors --role NAME=y_pred  # NAME: each prediction in turn"
    )


def _tensors(name: str, structure: Structure) -> Iterator[tuple[str | int, str]]:
    """The key of each tensor, and the argument that holds it."""
    keys: Sequence[str | int] = structure.keys or range(structure.length)
    taken_names: set[str] = set()
    for place, key in enumerate(keys):
        own = f"{name}_{key}"
        if not own.isidentifier() or keyword.iskeyword(own) or own in taken_names:
            own = f"{name}_{place}"
        taken_names.add(own)
        yield key, own
