"""Rewriting an expression of the user's: from text and numbers to texts and what each loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from losscheck.model import Array
from losscheck.rewriting.arithmetic import Error, error
from losscheck.rewriting.expressions import Expression, leaves_of
from losscheck.rewriting.judging import Judge, points
from losscheck.rewriting.python import Spelling, imports, read, write
from losscheck.rewriting.search import Judged, better, judged, loses

__all__ = ["Error", "Rewriting", "Spelling", "leaves_in", "rewritings"]
LONGEST = 60  # a longer expression is not searched
MOST = 5  # expressions that are handed out


@dataclass(frozen=True)
class Rewriting:
    """Another expression for the same thing, that loses fewer bits in float32."""

    text: str  # Python, in the spelling of the original
    statements: tuple[str, ...]  # assignments that must stand before it
    imports: tuple[str, ...]  # import statements that it needs and the module does not have
    # Comparisons, as Python, without which both are not equal; they hold at all points.
    conditions: tuple[str, ...]
    # Bits lost in the value.
    value_before: Error
    value_after: Error
    # Bits lost in the derivative that TensorFlow makes of the expression.
    slope_before: Error
    slope_after: Error


def leaves_in(expression: str, spelling: Spelling | None = None) -> tuple[str, ...]:
    """Name the parts of an expression whose numbers `rewritings` needs.

    Examples
    --------
    >>> leaves_in("tf.exp(net(x)[0]) - 1.0 / self.temperature")
    ('net(x)[0]', 'self.temperature')
    """
    return tuple(sorted(leaf.text for leaf in leaves_of(read(expression, spelling))))


def rewritings(
    expression: str,
    leaves: Mapping[str, Array],
    spelling: Spelling | None = None,
    by: Sequence[str] = (),
) -> list[Rewriting]:
    """Find expressions that are equal to one and lose fewer bits in float32.

    Parameters
    ----------
    expression
        Python source; `SyntaxError` where it is none.
    leaves
        (N, *shape) float32 for each text that `leaves_in` names: the numbers of N points or cases.
        `ValueError` where one is missing, or shapes do not fit the expression.
    spelling
        What the names of the user's module stand for.
    by
        The leaves by which derivatives are taken, such as the prediction; all where none is named.

    Returns
    -------
    list of Rewriting
        The best first; empty where the original loses nothing, or nothing better was found. None
        of them is worse than the original at any point where that one is right.
    """
    spelling = replace(spelling or Spelling(), used={})
    original = read(expression, spelling)
    texts = sorted(leaf.text for leaf in leaves_of(original))
    missing = [text for text in texts if text not in leaves]
    if missing:
        raise ValueError(f"no numbers for {', '.join(missing)}")
    if not texts or original.size > LONGEST:
        return []
    chosen = points(original, {text: leaves[text] for text in texts})
    judge = Judge(original, chosen, frozenset(by))
    before = judged(judge, original)
    if not (loses(before.value) or loses(before.slope)):
        return []
    found = sorted(better(judge, before), key=lambda each: each.score)
    return [_told(each, before, spelling) for each in found[:MOST]]


def _told(one: Judged, before: Judged, spelling: Spelling) -> Rewriting:
    named: dict[Expression, str] = {}
    statements = []
    texts = " ".join(leaf.text for leaf in leaves_of(before.root))
    for name, meaning in one.split.names if one.split else ():
        free = name
        while free in texts:
            free += "_"
        statements.append(f"{free} = {write(meaning, spelling, named)}")
        named[meaning] = free
    return Rewriting(
        text=write(one.root, spelling, named),
        statements=tuple(statements),
        imports=imports(one.root, spelling),
        conditions=tuple(write(c, spelling) for c in one.conditions if leaves_of(c)),
        value_before=error(before.value),
        value_after=error(one.value),
        slope_before=error(before.slope),
        slope_after=error(one.slope),
    )
