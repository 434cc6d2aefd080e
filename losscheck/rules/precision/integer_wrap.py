"""LC303: integer arithmetic that wraps around."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from losscheck.advice import source, wording
from losscheck.advice.base import Change
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Doubt, Rule, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.precision.integers import IntegerOp
    from losscheck.rules.base import Arguments, Judgment, Words

INTEGERS = re.compile(r"\bu?int(8|16|32|64)\b")  # as what a cast names


class IntegerWrap(Rule):
    """Integer arithmetic inside the loss leaves the range of its dtype and wraps around.

    What it does
    ------------
    Runs every operation on whole numbers that depends on the arguments (sums, differences,
    products, squares) over the cases of a batch, and does the same arithmetic without an end of
    the dtype beside it. It reports what is off by more than half the dtype's span. Arithmetic
    whose result only enters a modulus or a bit mask wraps on purpose.

    Why it matters
    --------------
    TensorFlow does not check integers: 3 - 5 is 254 in uint8, and the square of 50,000 is
    -1,794,967,296 in int32. The loss stays finite, looks like a loss, and is wrong.

    Example
    -------
    Pixels are kept as uint8, and so is their difference:

        def loss(y_true, y_pred):
            error = tf.cast(y_true, tf.uint8) - tf.cast(tf.round(y_pred), tf.uint8)
            return tf.reduce_mean(tf.square(tf.cast(error, tf.float32)) + 0.0 * y_pred, axis=-1)

    Use instead
    -----------
    Cast to float before the arithmetic:

        def loss(y_true, y_pred):
            error = tf.cast(y_true, y_pred.dtype) - y_pred
            return tf.reduce_mean(tf.square(error), axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.cast, tf.DType.limits.
    - NumPy documentation: Overflow errors.
    """

    code = "LC303"
    slug = "integer-wrap"
    forms = {"wrap": Severity.ERROR}
    trail = Trail.KNOWN
    doubt = Doubt.CASES

    def judge(self, integers: Sequence[IntegerOp]) -> Judgment:
        """Name the operations that wrapped."""
        for op in integers:
            if op.wrapped.any():
                yield Crowd(
                    code=self.code,
                    form="wrap",
                    population=op,
                    members=np.flatnonzero(op.wrapped),
                    facts={"location": op.location, "integers": op.dtype},
                )

    def facts(self, again: Callable[[], Any]) -> Mapping[str, Any]:
        """Give what came of the arithmetic, and what is right."""
        came, right = again().examples[0]
        return {"came": came, "right": right}

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        dtype = str(facts.get("integers", "its dtype"))
        where = blame.expression or "The arithmetic"
        said = f"{where} leaves the range of {dtype}"
        if "came" in facts and "right" in facts:
            came, right = (f"{float(facts[key]):,.0f}" for key in ("came", "right"))
            said = f"{where} is {came} in {dtype}, where {right} is right"
        operands = [_uncast(text) for text in blame.operands[:2]] or ["x"]
        return (
            f"Integer arithmetic wraps around{wording.at(suspect.inputs)}.",
            f"{said}: TensorFlow does not check integers.",
            "\n".join(f"tf.cast({x}, tf.float32)  # before the arithmetic" for x in operands),
        )

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give a wider type to what was cast to an integer, in the operands or before."""
        casts = [
            (text, source.first_argument_of(text, "cast"))
            for text in source.calls_in(blame.function, "cast")
            if INTEGERS.search(text)
        ]
        return tuple(
            Change("", "", throughout=tuple((text, write.format(x, text)) for text, x in casts))
            for write in ("tf.cast({0}, tf.int64)", "tf.cast({1}, tf.float32)")
            if casts
        )


def _uncast(text: str) -> str:
    """Take a cast off an operand: "tf.cast(y_true, tf.uint8)" to "y_true"."""
    return source.first_argument_of(text, "cast") or text
