"""What might be written instead: the changes of a rule's advice, in the words of the module."""

from __future__ import annotations

import ast
import contextlib
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

import attrs

from losscheck import domains
from losscheck.advice import wording
from losscheck.advice.base import Change
from losscheck.advice.blamed import Blame, Span
from losscheck.advice.limits import EPSILON, SMALL
from losscheck.evidence.desk import Desk
from losscheck.findings.code import Names, module_of
from losscheck.findings.explanation import Explanation
from losscheck.fixes.patch import Edit, PatchError, patched
from losscheck.fixes.place import Place, definitions, enclosing, following, place
from losscheck.rules import by_code
from losscheck.rules.base import Pin

_CALL = re.compile(r"\btf\.(?:\w+\.)*(\w+)")
_DTYPE = re.compile(r"b?float\d+|u?int\d+|bool")
# Names that keras.ops has for what TensorFlow calls otherwise; "reduce_sum" is "sum" there.
_KERAS = {
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "atan2": "arctan2",
    "clip_by_value": "clip",
    "pow": "power",
    "reduce_variance": "var",
}
IMPORT = "import tensorflow as tf"


def candidates(explanation: Explanation, desk: Desk) -> Iterator[Edit]:
    """Give the changes that might cure a finding, the least one first, each when it is asked for.

    Each of them can be made, parses, and uses only names that exist at its place. Where the
    expression to blame is in no file, there are none.
    """
    known = _known(explanation, desk)
    if known is None:
        return
    here, names = known
    rule = by_code(explanation.finding.code)
    blame = attrs.evolve(
        explanation.blame,
        meanings=definitions(here.source, here.span.line),
        later=following(here.source, here.span.end_line),
        function=enclosing(here.source, here.span.line),
    )
    yield from made(rule.changes(explanation.suspect, blame), here, names)


def held_off(explanation: Explanation, desk: Desk, *, alone: bool = False) -> Iterator[Edit]:
    """Keep arguments away from the ends of their domains, before all else that a function does.

    Parameters
    ----------
    alone
        The prediction alone; else also all of them.
    """
    known = _known(explanation, desk)
    if known is not None and by_code(explanation.finding.code).pinned is Pin.FINITE:
        changes = _bounds(explanation, desk, known[0])
        yield from made((c for c in changes if not alone or len(c.before) == 1), *known)


def _known(explanation: Explanation, desk: Desk) -> tuple[Place, Names] | None:
    """Where the expression to blame stands, and the names there; None where it is in no file."""
    here = place(_span(explanation.blame, desk.evidence.programs.call.base))
    module = None if here is None else module_of(here.span.file)
    if here is None or module is None:
        return None
    return here, Names(vars(module), here.local)


def made(changes: Iterable[Change], here: Place, names: Names) -> Iterator[Edit]:
    """Make edits of changes, as far as they can be made, in their order."""
    for change in changes:
        if change.throughout:
            yield from _made_together(change, here, names)
            continue
        span = here.find(change.old)
        if change.early and (first := here.beginning) is not None:
            span, text = first
            change = attrs.evolve(change, new=text)
        if span is not None and change.new:
            yield from itertools.islice(_made(change, span, here, names), 1)


def _bounds(explanation: Explanation, desk: Desk, here: Place) -> Iterator[Change]:
    """Bound the prediction, then all arguments, by what their domains end at."""
    dtype = explanation.finding.dtype
    eps, small = (wording.number(table[dtype]) for table in (EPSILON, SMALL))
    given = desk.evidence.spec.arguments
    ends = {a.name: domains.parse(a.domain).bounds for a in given if a.name in here.parameters}
    lines = [
        {
            name: f"{name} = tf.clip_by_value({name}, {floor}, 1.0 - {eps})"
            if high == 1.0
            else f"{name} = tf.maximum({name}, {floor})"
            for name, (low, high) in ends.items()
            if low == 0.0
        }
        for floor in (small, eps)
    ]
    prediction = desk.evidence.programs.call.prediction
    alone = [(each[prediction],) for each in lines if prediction in each]
    for before in (*alone, *(tuple(each.values()) for each in lines if len(each) > 1)):
        yield Change(explanation.blame.expression, "", before, early=True)


def _span(blame: Blame, base: str) -> Span | None:
    """Where the blamed expression stands, as far as its place is known."""
    where = blame.location
    if blame.span is not None or where is None:
        return blame.span
    if where.column is None or where.end_column is None:
        return None
    file = os.path.join(os.path.realpath(base), where.file)
    return Span(file, where.line, where.column - 1, where.line, where.end_column - 1)


def _made(change: Change, span: Span, here: Place, names: Names) -> Iterator[Edit]:
    """The edit with statements before, or else, where these have no room, in one expression."""
    written = in_words_of(names, _with_new_names(change, names))
    ways = ((one, _inlined(one)) if one.before else (one,) for one in written)
    for each in itertools.chain.from_iterable(ways):
        edit = Edit(
            file=span.file,
            line=span.line,
            column=span.column,
            end_line=span.end_line,
            end_column=span.end_column,
            new=each.new,
            before=each.before,
            why=each.why,
        )
        try:
            patched(here.source, [edit])
            if not names.unknown("\n".join([*each.before, each.new])):
                yield edit
        except (PatchError, SyntaxError):
            continue


def _made_together(change: Change, here: Place, names: Names) -> Iterator[Edit]:
    """One edit of several places, the last one first: it leaves where the others are."""
    places = [
        (span, Change(old, new, why=change.why))
        for old, new in change.throughout
        for span in here.everywhere(old)
    ]
    places.sort(key=lambda one: (one[0].line, one[0].column), reverse=True)
    made_each = (_made(each, span, here, names) for span, each in places)
    edits = [edit for edits in made_each for edit in itertools.islice(edits, 1)]
    if len(edits) == len(places) > 0:
        edit = attrs.evolve(edits[0], further=tuple(edits[1:]))
        with contextlib.suppress(PatchError):
            patched(here.source, [edit])
            yield edit


def _with_new_names(change: Change, names: Names) -> Change:
    """Use names for what goes before that are new."""
    texts = [*change.before, change.new]
    own = {n.id for n in ast.walk(ast.parse(change.old)) if isinstance(n, ast.Name)}
    for name in _assigned(change.before):
        if change.early or name in own:  # an argument that is meant to be another from here on
            continue
        number, fresh = 2, name
        while fresh in names.local or fresh in names.module:
            fresh, number = f"{name}_{number}", number + 1
        texts = [re.sub(rf"\b{name}\b", fresh, text) for text in texts]
    return attrs.evolve(change, before=tuple(texts[:-1]), new=texts[-1])


def _assigned(before: tuple[str, ...]) -> list[str]:
    matches = (re.match(r"(\w+) = ", text) for text in before)
    return [match[1] for match in matches if match]


def _inlined(change: Change) -> Change:
    """Write what goes before into the expression itself."""
    new = ast.parse(change.new, mode="eval")
    for text in reversed(change.before):
        match ast.parse(text).body:
            case [ast.Assign(targets=[ast.Name(id=name)], value=value)]:
                new = _Inline(name, value).visit(new)
    return attrs.evolve(change, before=(), new=ast.unparse(new))


class _Inline(ast.NodeTransformer):
    """Puts an expression in place of a name."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self._name = name
        self._value = value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace it."""
        return self._value if node.id == self._name else node


def in_words_of(names: Names, change: Change) -> Iterator[Change]:
    """Write a change, which names TensorFlow "tf", as its module would: the likeliest first.

    A module that knows neither TensorFlow nor Keras by a name, but some of their functions, imports
    it where the change is made.
    """
    if names.tensorflow:
        yield _rewritten(change, lambda match: f"{names.tensorflow}.{match[0][3:]}")
        return
    if ops := _operations(names):
        yield _rewritten(change, lambda match: _in_keras(match[1], ops))
    if "tf" in names.local:  # imported by a change before it
        yield change
    elif any(_CALL.search(text) for text in (change.new, *change.before)):
        yield attrs.evolve(change, before=(IMPORT, *change.before))
    elif not ops:
        yield change


def _rewritten(change: Change, write: Callable[[re.Match[str]], str]) -> Change:
    new, *before = (_CALL.sub(write, text) for text in (change.new, *change.before))
    return attrs.evolve(change, new=new, before=tuple(before))


def _operations(names: Names) -> str:
    """What the module calls keras.ops; "" where it has no name for it."""
    for name, value in names.module.items():
        if isinstance(value, ModuleType) and name not in names.local:
            if value.__name__ == "keras.ops":
                return name
            if value.__name__ == "keras":
                return f"{name}.ops"
    return ""


def _in_keras(function: str, ops: str) -> str:
    if _DTYPE.fullmatch(function):
        return f'"{function}"'
    return f"{ops}.{_KERAS.get(function, function.removeprefix('reduce_'))}"
