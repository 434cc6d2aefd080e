"""What the user wrote at a place: the expression and its statement, whole, each on one line."""

from __future__ import annotations

import ast
import linecache

import attrs

from losscheck.advice.blamed import Span
from losscheck.advice.written import around, parsed
from losscheck.program.tracing.origin import Frame


@attrs.frozen
class Spelled:
    """An expression of the user's."""

    expression: str
    statement: str  # that holds it; "" where that is a block, such as a loop
    span: Span


def spelled(frame: Frame | None) -> Spelled | None:
    """Read what stands at a frame; None where its columns or the source are not known.

    "x /= y" is told as "x / y" within "x = x / y".
    """
    if frame is None or frame.end_line is None:
        return None
    if frame.column is None or frame.end_column is None:
        return None
    span = Span(frame.file, frame.line, frame.column, frame.end_line, frame.end_column)
    lines = linecache.getlines(frame.file)
    tree = parsed("".join(lines))
    if tree is None:
        return None
    found = _innermost(tree, lines, span)
    text = segment(lines, span)
    match found:
        case ast.AugAssign(target=target, op=operator, value=value):
            if (found.lineno, found.end_lineno) == (span.line, span.end_line):
                whole = ast.BinOp(
                    left=ast.parse(ast.unparse(target), mode="eval").body, op=operator, right=value
                )
                text = ast.unparse(whole)
                return Spelled(text, f"{ast.unparse(target)} = {text}", span)
        case ast.stmt() if not hasattr(found, "body"):
            if found.lineno == found.end_lineno:
                return Spelled(text, lines[found.lineno - 1].strip(), span)
            return Spelled(on_one_line(text), ast.unparse(found), span)
    return Spelled(on_one_line(text), "", span)


def segment(lines: list[str], span: Span) -> str:
    """Cut the text of a span out of the lines of its file."""
    held = [line.rstrip("\n") for line in lines[span.line - 1 : span.end_line]]
    if not held:
        return ""
    held[-1] = held[-1][: span.end_column]
    held[0] = held[0][span.column :]
    return "\n".join(held).strip()


def on_one_line(text: str) -> str:
    """Write an expression that goes over several lines on one, as it is where it is on one."""
    if "\n" not in text:
        return text
    try:
        return ast.unparse(ast.parse(f"({text}\n)", mode="eval"))
    except (SyntaxError, ValueError):
        return text.partition("\n")[0]


def _innermost(tree: ast.Module, lines: list[str], span: Span) -> ast.stmt | None:
    """The innermost statement that holds a span."""
    found = None
    for statement in around(tree, span.line):
        if not isinstance(statement, ast.stmt):
            continue
        begin = statement.lineno, _characters(lines, statement.lineno, statement.col_offset)
        last = statement.end_lineno or statement.lineno
        end = last, _characters(lines, last, statement.end_col_offset or 0)
        if begin <= (span.line, span.column) and (span.end_line, span.end_column) <= end:
            found = statement  # inner ones follow the outer one
    return found


def _characters(lines: list[str], line: int, column: int) -> int:
    """A column in characters, which ast counts in bytes."""
    text = lines[line - 1] if line <= len(lines) else ""
    return len(text.encode()[:column].decode(errors="ignore"))
