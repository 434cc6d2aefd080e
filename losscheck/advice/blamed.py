"""What is to blame for a finding, as the words about it need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from losscheck.advice.ran import Ran
from losscheck.model import Array, Direction, Location

# Operations that run functions: what is at fault lies in these, and operands are what they run.
RUNNING = {
    **dict.fromkeys(("While", "StatelessWhile"), "loop"),
    **dict.fromkeys(("If", "StatelessIf", "Case", "StatelessCase"), "branch"),
}


@attrs.frozen
class Span:
    """Where an expression stands in the user's source."""

    file: str  # absolute
    line: int  # 1-based
    column: int  # 0-based, in characters
    end_line: int
    end_column: int  # exclusive


@attrs.frozen(kw_only=True, eq=False)
class Blame:
    """The op at fault, the user's expression that made it, and the numbers that went through it."""

    location: Location | None
    op: str  # TensorFlow op type of the forward pass, such as "Log"; "" if unknown
    direction: Direction
    expression: str  # source text of the blamed expression, "tf.math.log(y_pred)"; "" if unknown
    operands: tuple[str, ...]  # source text of the expression's operands
    operand_values: tuple[Array, ...]  # inputs of the op in this case, in its order; may be empty
    result: Any  # the value that went wrong, or None
    ran: Ran | None = None  # the operation that gave it, forward or on the way back
    then: Ran | None = None  # on the way back, the one that made NaN of its infinity
    vanished: str = ""  # a sentence on a constant that the dtype rounds away; "" where none is
    exact: float | None = None  # what it is in more digits, where digits were lost
    span: Span | None = None  # of the expression; None where its end is not known
    statement: str = ""  # the statement that holds it, on one line; "" if unknown
    meanings: Mapping[str, str] = attrs.field(factory=dict)  # names before it, where asked for
    later: tuple[str, ...] = ()  # statements behind it in the same function, the same
    function: str = ""  # the innermost function around it, the same
