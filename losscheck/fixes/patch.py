"""Edits of the user's source: made in a file's text by libcst, and several differences as one."""

from __future__ import annotations

import ast
import difflib
import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from losscheck.advice.source import begin, parsed

if TYPE_CHECKING:
    import libcst

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")
Change = tuple[int, int, str]  # of the old text: from, to, and what stands there instead


@attrs.frozen(kw_only=True)
class Edit:
    """An expression of the user's file, and what stands there instead.

    Attributes
    ----------
    file
        Absolute.
    line, end_line
        Counted from 1.
    column, end_column
        Counted from 0, in characters; the end is exclusive. Parentheses around the expression are
        no part of it. A whole `x /= y` stands for "x / y".
    new
        One expression.
    before
        Statements that are put before the one that holds the expression.
    further
        Edits of the file as this one leaves it, made after it in their order.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    new: str
    before: tuple[str, ...] = ()
    why: str = ""
    further: tuple[Edit, ...] = ()

    @property
    def steps(self) -> tuple[Edit, ...]:
        """Itself, and the edits that follow it."""
        return (self, *self.further)

    @property
    def begin(self) -> tuple[int, int]:
        """Where the expression begins."""
        return self.line, self.column

    @property
    def end(self) -> tuple[int, int]:
        """Where it ends."""
        return self.end_line, self.end_column

    def overlaps(self, other: Edit) -> bool:
        """Say whether two edits change the same text."""
        return self.file == other.file and self.begin < other.end and other.begin < self.end


class PatchError(Exception):
    """An edit cannot be made; the message says why."""


def patched(source: str, edits: Sequence[Edit]) -> str:
    """Apply edits to the text of a file.

    Parameters
    ----------
    edits
        Changes of this file, in any order; they must not overlap.

    Raises
    ------
    PatchError
        An expression is not there, has no room for statements before it, or what comes out is no
        Python.
    """
    ordered = sorted(edits, key=lambda edit: edit.begin)
    for one, other in itertools.pairwise(ordered):
        if one.overlaps(other):
            raise PatchError("two changes overlap")
    tree = parsed(source)
    if tree is None:
        raise PatchError("the file cannot be parsed")
    lines = source.splitlines(keepends=True)
    parts: dict[tuple[int, int], list[Edit]] = {}
    for edit in ordered:
        parts.setdefault(_region(tree, edit), []).append(edit)
    for (first, last), held in sorted(parts.items(), reverse=True):
        text = "".join(lines[first - 1 : last])
        changed = _rewritten(text, first - 1, held)
        try:
            ast.parse(changed)
        except (SyntaxError, ValueError) as error:
            raise PatchError(f"the changed statement cannot be parsed: {error}") from error
        lines[first - 1 : last] = [changed]
    result = "".join(lines)
    for later in (later for edit in ordered for later in edit.further):
        result = patched(result, [later])
    return result


def unified(file: str, old: str, new: str, base: str) -> str:
    """Write the difference of two texts of a file, its path relative to `base` where it can be."""
    from losscheck.program.tracing.origin import relative

    name = relative(file, base).lstrip("/")
    pieces = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        f"a/{name}",
        f"b/{name}",
    )
    return "".join(
        piece if piece.endswith("\n") else f"{piece}\n\\ No newline at end of file\n"
        for piece in pieces
    )


def _region(tree: ast.Module, edit: Edit) -> tuple[int, int]:
    """The lines of the statement of the module that holds an edit: what has to be parsed anew."""
    for statement in tree.body:
        first, last = begin(statement), statement.end_lineno or statement.lineno
        if first <= edit.line and edit.end_line <= last:
            return first, last
    raise PatchError("the expression is not in the file any more")


def _rewritten(text: str, skipped: int, edits: Sequence[Edit]) -> str:
    """Apply edits to one statement of a module, with `skipped` lines before it."""
    import libcst as cst

    module, positions, parents = _read(text)
    wanted = {
        ((e.line - skipped, e.column), (e.end_line - skipped, e.end_column)): e for e in edits
    }
    places: dict[Any, Edit] = {}
    for node, where in positions.items():
        if isinstance(node, cst.BaseExpression | cst.AugAssign):
            key = ((where.start.line, where.start.column), (where.end.line, where.end.column))
            edit = wanted.get(key)
            if edit is not None and edit not in places.values():
                places[node] = edit
    if len(places) < len(edits):
        raise PatchError("no expression begins and ends there")
    before: dict[Any, list[Edit]] = {}
    for node, edit in places.items():
        if edit.before:
            before.setdefault(_statement(node, parents), []).append(edit)
    changed = module.visit(_transformer(places, before, parents))
    return str(changed.code)


@functools.lru_cache(maxsize=16)  # a dozen changes of a statement are tried one after the other
def _read(text: str) -> tuple[Any, Any, Any]:
    """A statement of a module as a tree, with the place and the parent of each of its nodes."""
    import libcst as cst
    from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    except cst.ParserSyntaxError as error:
        raise PatchError(f"the statement cannot be parsed: {error.message}") from error
    return wrapper.module, wrapper.resolve(PositionProvider), wrapper.resolve(ParentNodeProvider)


def _statement(node: Any, parents: Any) -> Any:
    """The statement before which others can be put so that they run before this expression."""
    import libcst as cst

    inner = (cst.Lambda, cst.BaseComp, cst.Param, cst.Decorator, cst.IfExp, cst.BooleanOperation)
    header = cst.If | cst.For | cst.With
    while not isinstance(node, cst.SimpleStatementLine):
        if isinstance(node, header) and isinstance(parents[node], cst.BaseSuite | cst.Module):
            return node
        if isinstance(node, inner):
            raise PatchError("no statement can be put before an expression that may not be run")
        if isinstance(node, cst.BaseCompoundStatement | cst.SimpleStatementSuite | cst.Module):
            raise PatchError("there is no line to put a statement on")
        node = parents[node]
    return node


def _transformer(places: Any, before: Any, parents: Any) -> libcst.CSTTransformer:
    import libcst as cst

    class Apply(cst.CSTTransformer):
        def on_leave(self, original: Any, updated: Any) -> Any:
            if original in places:
                return _replaced(original, updated, places[original], parents[original])
            if original in before:
                return cst.FlattenSentinel([*_lines(before[original]), updated])
            written = super().on_leave(original, updated)
            match original:
                case cst.UnaryOperation(expression=new) | cst.BinaryOperation(right=new) if (
                    new in places
                ):
                    return _signed(written)
            return written

    return Apply()


def _signed(written: Any) -> Any:
    """Write the minus of a minus as people do: ``-(-x)`` is x, and ``a - (-x)`` is ``a + x``."""
    import libcst as cst

    match written:
        case cst.UnaryOperation(
            operator=cst.Minus(),
            expression=cst.UnaryOperation(operator=cst.Minus(), expression=cst.Call() as negated),
        ):
            return negated.with_changes(
                lpar=[*written.lpar, *negated.lpar], rpar=[*negated.rpar, *written.rpar]
            )
        case cst.BinaryOperation(
            operator=cst.Subtract() as sign,
            right=cst.UnaryOperation(operator=cst.Minus(), expression=cst.Call() as negated),
        ):
            plus = cst.Add(sign.whitespace_before, sign.whitespace_after)
            return written.with_changes(operator=plus, right=negated)
    return written


def _lines(edits: Sequence[Edit]) -> list[Any]:
    """The statements that go before, each once."""
    import libcst as cst

    texts = dict.fromkeys(text for edit in edits for text in edit.before)
    try:
        return [cst.parse_statement(text) for text in texts]
    except cst.ParserSyntaxError as error:
        raise PatchError(f"what goes before is no statement: {error.message}") from error


def _replaced(original: Any, updated: Any, edit: Edit, parent: Any) -> Any:
    import libcst as cst

    try:
        new = cst.parse_expression(edit.new)
    except cst.ParserSyntaxError as error:
        raise PatchError(f"what is written instead is no expression: {error.message}") from error
    if isinstance(original, cst.AugAssign):
        return cst.Assign(targets=[cst.AssignTarget(updated.target)], value=new)
    if updated.lpar:
        return new.with_changes(lpar=[*updated.lpar, *new.lpar], rpar=[*new.rpar, *updated.rpar])
    atomic = cst.Name | cst.Call | cst.Attribute | cst.Subscript | cst.Integer | cst.Float
    alone = cst.Arg | cst.Return | cst.Assign | cst.AnnAssign | cst.Expr | cst.Element | cst.Index
    if isinstance(new, atomic) or isinstance(parent, alone):
        return new
    return new.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


class ConflictError(Exception):
    """Two differences change the same words."""


def files_of(difference: str) -> dict[str, str]:
    """Split a unified difference by the files that it changes, named as behind "b/"."""
    found: dict[str, str] = {}
    for piece in re.split(r"(?m)^(?=--- a/)", difference):
        if piece:
            name = piece.splitlines()[1].removeprefix("+++ b/")
            found[name] = piece
    return found


def applied(difference: str, old: str) -> str:
    """Apply the difference of one file to its text.

    Raises
    ------
    ConflictError
        The text is not what it was made of.
    """
    lines = old.splitlines(keepends=True)
    result, at = [], 0
    rest = difference.splitlines(keepends=True)[2:]
    for line in rest:
        if match := _HUNK.match(line):
            begin = int(match[1]) - (match[2] != "0")
            result += lines[at:begin]
            at = begin
        elif line.startswith("+"):
            result.append(line[1:])
        elif line.startswith((" ", "-")):
            if at >= len(lines) or lines[at].rstrip("\n") != line[1:].rstrip("\n"):
                raise ConflictError("the file is not what it was when it was examined")
            result += [lines[at]] if line[0] == " " else []
            at += 1
    return "".join([*result, *lines[at:]])


def merged(old: str, versions: Sequence[str]) -> str:
    """Make the changes of several versions of a text together.

    Raises
    ------
    ConflictError
        Two of them change the same words in different ways.
    """
    changes = sorted({change for version in versions for change in _changes(old, version)})
    result, at = [], 0
    for start, end, new in changes:
        if start < at or (start == end and any(_at(start, end, new, c) for c in changes)):
            raise ConflictError("another change is made at the same place")
        result += [old[at:start], new]
        at = end
    return "".join([*result, old[at:]])


def _at(begin: int, end: int, new: str, other: Change) -> bool:
    """Say whether another change puts something else at the same place."""
    return other[:2] == (begin, end) and other[2] != new


def _changes(old: str, new: str) -> Iterator[Change]:
    """What a version changes, word by word within the lines that differ."""
    before, after = (text.splitlines(keepends=True) for text in (old, new))
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    for tag, i, j, k, m in _differing(before, after):
        held, instead = "".join(before[i:j]), "".join(after[k:m])
        if tag == "replace":
            for begin, end, words in _words(held, instead):
                yield starts[i] + begin, starts[i] + end, words
        else:
            yield starts[i], starts[j], instead


def _words(old: str, new: str) -> Iterator[Change]:
    before, after = (re.findall(r"\w+|[^\S\n]+|\n|.", text) for text in (old, new))
    for _, i, j, k, m in _differing(before, after):
        begin = sum(map(len, before[:i]))
        yield begin, begin + sum(map(len, before[i:j])), "".join(after[k:m])


def _differing(
    before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[str, int, int, int, int]]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return (each for each in matcher.get_opcodes() if each[0] != "equal")
