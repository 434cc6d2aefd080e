"""The words that a piece of advice is filled with: operands, their values, how ops are spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import attrs
import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.blamed import Blame, Ran
from losscheck.advice.limits import (
    BOUND,
    EPSILON,
    EXP_BOUND,
    EXP_LIMIT,
    HALF,
    LARGEST,
    LEAST,
    MARGIN,
    SMALL,
    SQUARED,
    UNDER_ROOT,
)
from losscheck.advice.worst import worst
from losscheck.model import Array, Direction, Kind, Suspect

Found = TypeVar("Found")

DEEPEST = 4  # names in what names stand for that are looked up
ROUND = 1e6  # above it a number is not mistaken for another one with fewer digits
_LONG = 48  # characters; a longer operand is not repeated in a sentence
# Op types whose function is not simply the op's name in lower case; NumPy's and Keras' spellings
# of tf.* functions included.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "AddV2": ("+", "add"),
    "Acos": ("acos", "arccos"),
    "Asin": ("asin", "arcsin"),
    "Atan2": ("atan2", "arctan2"),
    "Atanh": ("atanh", "arctanh"),
    "Acosh": ("acosh", "arccosh"),
    "BatchMatMulV2": ("@", "matmul"),
    "DivNoNan": ("divide_no_nan",),
    "EuclideanNorm": ("reduce_euclidean_norm",),
    "Inv": ("reciprocal",),
    "GatherV2": ("gather",),
    "MatMul": ("@", "matmul"),
    "LogMatrixDeterminant": ("slogdet", "logdet"),
    "MatrixDeterminant": ("det", "matrix_determinant"),
    "MatrixInverse": ("inv", "matrix_inverse"),
    "MatrixSolve": ("solve", "matrix_solve"),
    "MatrixTriangularSolve": ("triangular_solve",),
    "Maximum": ("maximum", "clip_by_value", "clip"),
    "Mean": ("reduce_mean", "mean"),
    "Minimum": ("minimum", "clip_by_value", "clip"),
    "Mul": ("*", "multiply"),
    "Pow": ("**", "pow", "power"),
    "Prod": ("reduce_prod", "prod"),
    "RealDiv": ("/", "divide", "truediv"),
    "Select": ("where",),
    "SelectV2": ("where",),
    "SelfAdjointEigV2": ("eigh", "eigvalsh"),
    "Sub": ("-", "subtract"),
    "Sum": ("reduce_sum", "sum"),
    "SquaredDifference": ("squared_difference",),
    "TopKV2": ("top_k",),
}

_CALLS = {
    "Inv": "tf.math.reciprocal",
    "Prod": "tf.reduce_prod",
    "Sum": "tf.reduce_sum",
    "Mean": "tf.reduce_mean",
    "Sqrt": "tf.sqrt",
    "Exp": "tf.exp",
    "Square": "tf.square",
    "Softmax": "tf.nn.softmax",
    "LogSoftmax": "tf.nn.log_softmax",
    "SelectV2": "tf.where",
    "Select": "tf.where",
    "MatMul": "tf.matmul",
    "BatchMatMulV2": "tf.matmul",
    "Cholesky": "tf.linalg.cholesky",
    "MatrixInverse": "tf.linalg.inv",
    "MatrixSolve": "tf.linalg.solve",
    "Svd": "tf.linalg.svd",
    "Eig": "tf.linalg.eig",
    "SelfAdjointEigV2": "tf.linalg.eigh",
    "SoftmaxCrossEntropyWithLogits": "tf.nn.softmax_cross_entropy_with_logits",
    "SparseSoftmaxCrossEntropyWithLogits": "tf.nn.sparse_softmax_cross_entropy_with_logits",
}


@attrs.frozen(kw_only=True)
class Scene:
    """One op at fault, as far as it is known."""

    op: str
    backward: bool
    nan: bool  # what went wrong is NaN; else Inf
    finite: bool  # the loss itself is finite
    dtype: str
    kind: Kind | None
    line: str  # the user's statement, on one line
    expression: str
    direct: bool  # the expression is this very op, so that its operands are the op's inputs
    call: str  # the op's function as the user spells it, such as "tf.math.log"
    head: str  # the outermost function or operator of the expression
    argument: str  # first operand of the expression that is no number, whatever it is
    x: str  # text of the op's first input
    y: str
    vx: float | None  # its value where it went wrong
    vy: float | None
    operands: tuple[Array, ...]  # all that went in
    ran: Ran | None  # the operation as it ran, forward or on the way back
    then: Ran | None  # the one that made NaN of its infinity on the way back
    meanings: Mapping[str, str] = attrs.field(factory=dict)  # names that were assigned before
    later: tuple[str, ...] = ()  # statements behind it

    @property
    def where(self) -> bool:
        """Whether a choice between two values stands on the line."""
        return "where(" in self.line

    def first(self, text: str, found: Callable[[str], Found]) -> Found:
        """What is found in a text, or in what it is with names replaced by what they stand for."""
        for _ in range(DEEPEST):
            if (result := found(text)) or (whole := source.replaced(text, self.meanings)) == text:
                return result
            text = whole
        return found(text)

    def calls(self, *names: str) -> Iterator[str]:
        """The calls of these functions in the statement and behind it, outer ones first."""
        for statement in (self.line, *self.later):
            yield from source.calls_in(statement, *names)

    @property
    def half(self) -> bool:
        """Whether the dtype is a half type."""
        return self.dtype in HALF

    def words(self) -> dict[str, str]:
        """Give what a template may name."""
        return {
            "op": self.op or "the op",
            "x": self.x,
            "y": self.y,
            "gx": source.grouped(self.x),
            "gy": source.grouped(self.y),
            "sx": source.summand(self.x),
            "sy": source.summand(self.y),
            "arg": self.argument,
            "garg": source.grouped(self.argument),
            "num": source.like("a / b", self.x).get("a", self.x),
            "f": self.call,
            "rest": source.keywords_of(self.expression, "axis", "keepdims"),
            "at": self._at(self.x, self.vx),
            "vx": "not known" if self.vx is None else wording.number(self.vx),
            "aty": self._at(self.y, self.vy),
            "both": self._both(),
            "bad": "NaN" if self.nan else "infinite",
            "back": self._back(),
            "dtype": self.dtype,
            "eps": self._limit(EPSILON),
            "small": self._limit(SMALL),
            "least": self._limit(LEAST),
            "squared": self._limit(SQUARED),
            "tiny": self._limit(UNDER_ROOT),
            "margin": self._limit(MARGIN),
            "bound": self._limit(BOUND),
            "limit": self._limit(EXP_LIMIT),
            "top": self._limit(EXP_BOUND),
            "largest": self._limit(LARGEST),
        }

    def _limit(self, table: Mapping[str, float]) -> str:
        return wording.number(table.get(self.dtype, table["float32"]))

    def _at(self, text: str, value: float | None) -> str:
        named = self.direct and len(text) <= _LONG
        if value is None:
            return text if named else "its operand"
        told = wording.number(value)
        if abs(value) < ROUND and float(told).is_integer() and float(told) != value:
            told = f"{value:.9g}"  # 1.0000001 is not 1
        if not named or source.is_number(text):
            return told
        return f"{text} = {told}"

    def _both(self) -> str:
        """Name the operands with what they are, as far as they have short names."""
        told = (self._at(self.x, self.vx), self._at(self.y, self.vy))
        named = [each for each in told if " = " in each]  # 0 alone says nothing more
        return f": {' and '.join(named)}" if named else ""

    def measured(self) -> str:
        """Say what the operation did, as far as its numbers show it."""
        told = "" if self.ran is None else self.ran.told()
        bad = "NaN" if self.nan else "infinite"
        back = " on the way back" if self.backward else ""
        if self.ran is not None and self.ran.index is None:
            return (
                f"It becomes {bad}{back} in the graph as it runs. Where the numbers inside are "
                "looked at, none of them does: the graph is rewritten otherwise then."
            )
        if not told:
            at = "" if self.vx is None else f" at {self._at(self.x, self.vx)}"
            return f"The result of {self.op or 'an operation'} is {bad}{back}{at}."
        if not self.backward:
            return f"{told[:1].upper()}{told[1:]}."
        then = "" if self.then is None or not self.nan else self.then.told()
        return f"On the way back {told}{', and ' if then else ''}{then}."

    def _back(self) -> str:
        if not self.nan:
            return "on the way back it stays infinite"
        told = "" if self.then is None else self.then.told()
        if told in ("0 * Inf is NaN", "Inf * 0 is NaN", "0 * -Inf is NaN", "-Inf * 0 is NaN"):
            return "on the way back it is multiplied by 0: NaN"
        return f"on the way back {told}" if told else "on the way back it becomes NaN"


def scene(suspect: Suspect, blame: Blame) -> Scene:
    """Gather the words for a suspect and what is to blame for it."""
    head = source.head(blame.expression)
    direct = spells(head, blame.op)
    texts = (*blame.operands, *("x", "y")[len(blame.operands) :]) if direct else ("x", "y")
    outcome = None if blame.ran is None else blame.ran.outcome
    values = worst(blame.op, blame.operand_values, outcome)
    return Scene(
        op=blame.op,
        backward=blame.direction is Direction.BACKWARD,
        nan=_is_nan(suspect, blame),
        finite=suspect.direction is Direction.BACKWARD and suspect.form in ("nan", "inf"),
        dtype=suspect.dtype,
        kind=suspect.kind,
        line=blame.statement or (blame.location.source if blame.location else ""),
        expression=blame.expression,
        direct=direct,
        call=(source.function(blame.expression) if direct else "") or default_call(blame.op),
        head=head,
        argument=next((t for t in blame.operands if not source.is_number(t)), "x"),
        x=texts[0],
        y=texts[1],
        vx=values[0],
        vy=values[1],
        operands=blame.operand_values,
        ran=blame.ran,
        then=blame.then,
        meanings=blame.meanings,
        later=blame.later,
    )


def _is_nan(suspect: Suspect, blame: Blame) -> bool:
    """Tell NaN from Inf by what the op gave, else by what the rule says of the whole."""
    forward = blame.direction is Direction.FORWARD
    if forward and blame.ran is not None and blame.ran.index is not None:
        return bool(np.isnan(np.asarray(blame.ran.outcome, dtype=float)).any())
    if suspect.form in ("nan", "inf"):
        return suspect.form == "nan"
    return blame.result is None or bool(np.isnan(np.asarray(blame.result, dtype=float)).any())


def spells(head: str, op: str) -> bool:
    """Say whether a function's name or an operator of the source makes an op of this type."""
    return bool(op) and head in _SPELLINGS.get(op, (op.lower(),))


def default_call(op: str) -> str:
    """Give the usual spelling of an op's function, for where the source does not show it."""
    return _CALLS.get(op, f"tf.math.{op.lower()}")
