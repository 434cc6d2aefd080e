"""Edits applied to the text of a file by libcst: comments and layout stay."""

from __future__ import annotations

import ast
import difflib
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from losscheck.advice.written import begin, parsed
from losscheck.fixes.edit import Edit

if TYPE_CHECKING:
    import libcst


class PatchError(Exception):
    """An edit cannot be made; the message says why."""


def patched(source: str, edits: Sequence[Edit]) -> str:
    """Apply edits to the text of a file.

    Parameters
    ----------
    source
        The whole text.
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
    from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

    try:
        wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    except cst.ParserSyntaxError as error:
        raise PatchError(f"the statement cannot be parsed: {error.message}") from error
    positions = wrapper.resolve(PositionProvider)
    parents = wrapper.resolve(ParentNodeProvider)
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
    changed = wrapper.module.visit(_transformer(places, before, parents))
    return str(changed.code)


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
            return super().on_leave(original, updated)

    return Apply()


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
