"""Reading and rewriting the user's source as text: expressions, and files as Python parses them."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.MatMult: "@",
}
# What functions are called, in TensorFlow, Keras and NumPy.
SUMS, MEANS = ("reduce_sum", "sum"), ("reduce_mean", "mean")
NORMS = ("norm", "reduce_euclidean_norm")
_CALLED = {"sum": SUMS, "mean": MEANS, "norm": NORMS, "atan": ("atan", "arctan")}
_LOOSER_THAN_SUM = (ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr)


def expression(text: str) -> ast.expr | None:
    """Parse one expression; None where the text is none."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def head(text: str) -> str:
    """Name the outermost operation: the last part of a function's name, or an operator.

    Examples
    --------
    >>> head("tf.math.log(y_pred)"), head("a / b"), head("y_pred")
    ('log', '/', '')
    """
    node = expression(text)
    if isinstance(node, ast.BinOp):
        return _OPERATORS.get(type(node.op), "")
    if isinstance(node, ast.Call):
        return function(text).rpartition(".")[2]
    return ""


def function(text: str) -> str:
    """Give the function of a call as it is written, "" where the text is no call."""
    node = expression(text)
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def first_argument_of(text: str, *names: str) -> str:
    """Give the first positional argument if the text calls one of the functions, else ""."""
    node = expression(text)
    if not isinstance(node, ast.Call) or head(text) not in names or not node.args:
        return ""
    return ast.unparse(node.args[0])


def keywords_of(text: str, *names: str) -> str:
    """Give the named keywords of a call as they go behind its first argument: ", axis=-1"."""
    node = expression(text)
    if not isinstance(node, ast.Call):
        return ""
    return "".join(f", {ast.unparse(k)}" for k in node.keywords if k.arg in names)


def factor_beside(line: str, text: str) -> tuple[str, str]:
    """Find the product "factor * text" in a line: the factor and the product, or two times ""."""
    wanted = _dump(text)
    for node, segment in _inside(line):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for one, other in ((node.left, node.right), (node.right, node.left)):
                if ast.dump(other) == wanted:
                    return ast.unparse(one), segment
    return "", ""


def call_around(line: str, text: str, *names: str) -> str:
    """Find the innermost call of one of the functions, such as "log", that holds the text."""
    wanted, found = _dump(text), ""
    for node, segment in _inside(line):
        if isinstance(node, ast.Call) and head(segment) in names:
            holds = any(ast.dump(part) == wanted for a in node.args for part in ast.walk(a))
            found = segment if holds else found
    return found


def quotient_of(line: str, text: str) -> str:
    """Find the quotient "text / ..." in a line."""
    wanted = _dump(text)
    for node, segment in _inside(line):
        match node:
            case ast.BinOp(left=left, op=ast.Div()) if ast.dump(left) == wanted:
                return segment
    return ""


def _dump(text: str) -> str:
    node = expression(text)
    return ast.dump(node) if node is not None else ""


def _inside(line: str) -> Iterator[tuple[ast.expr, str]]:
    """Walk through the expressions of a line, outer ones first, each with its text."""
    statement = line.strip()
    try:
        tree = ast.parse(statement)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            yield node, ast.get_source_segment(statement, node) or ""


def grouped(text: str) -> str:
    """Put parentheses around an operand that a factor, a minus or a power would tear apart."""
    node = expression(text)
    atomic = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Constant)
    return text if isinstance(node, atomic) else f"({text})"


def summand(text: str) -> str:
    """Put parentheses around an operand that a sum or a comparison would tear apart."""
    return f"({text})" if isinstance(expression(text), _LOOSER_THAN_SUM) else text


def rewritten(line: str, old: str, new: str) -> str:
    """Give the whole line with one expression replaced, or the new expression alone.

    The line is only shown where it is a statement of its own that holds the old text once.
    """
    statement = line.strip()
    if not old or statement.count(old) != 1:
        return new
    try:
        ast.parse(statement)
    except (SyntaxError, ValueError):
        return new
    before, after = (part.strip() for part in statement.split(old))
    alone = before.endswith(("(", "[", ",", "=", "return")) or not before
    if not (alone and (not after or after[0] in ")],:#")):
        new = grouped(new)
    return statement.replace(old, new)


def replaced(text: str, meanings: Mapping[str, str]) -> str:
    """Write what names stand for in place of them, as far as these are known.

    Examples
    --------
    >>> replaced("1.0 - p", {"p": "tf.sigmoid(z)"})
    '1.0 - tf.sigmoid(z)'
    """
    node = expression(text)
    if node is None or not meanings:
        return text
    return ast.unparse(_Replace(meanings).visit(node))


class _Replace(ast.NodeTransformer):
    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._meanings = meanings

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return (expression(self._meanings[node.id]) if node.id in self._meanings else None) or node


def calls_in(statement: str, *names: str) -> Iterator[str]:
    """The calls of some functions in a statement, outer ones first."""
    for node, segment in _inside(statement):
        if isinstance(node, ast.Call) and head(segment) in names:
            yield segment


def quotients_in(statement: str) -> Iterator[str]:
    """The quotients in a statement, outer ones first."""
    for node, segment in _inside(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield segment


def names_in(text: str) -> list[str]:
    """The names in some statements, each as often as it stands there."""
    try:
        tree = ast.parse(text.strip())
    except (SyntaxError, ValueError):
        return []
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def is_number(text: str) -> bool:
    """Say whether a text is a number that is written out."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@functools.lru_cache(maxsize=32)
def parsed(text: str) -> ast.Module | None:
    """Parse a file; None where it is no Python text, such as a notebook's cell with a command."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def begin(node: ast.AST) -> int:
    """The first line of a statement or function, with its decorators."""
    decorators = getattr(node, "decorator_list", ())
    return int(min([node.lineno, *(each.lineno for each in decorators)]))  # type: ignore[attr-defined]


def around(tree: ast.Module | None, line: int) -> Iterator[ast.AST]:
    """All that stands in the statements of a module that a line is in, the outer before the inner.

    A module may have ten thousand lines, and what is asked is about one.
    """
    for statement in tree.body if tree is not None else ():
        if begin(statement) <= line <= (statement.end_lineno or statement.lineno):
            yield from ast.walk(statement)


def like(pattern: str, text: str) -> dict[str, str]:
    """Say what the letters of a pattern stand for in an expression; {} where it is not like that.

    A letter stands for any operand, the same wherever it is. Functions go by the last part of their
    names, and `sum`, `mean`, `norm` and `atan` by their other names; what is behind the last
    argument of a pattern may be there or not. `*z` in a call stands for all arguments, `*more`
    behind others for the rest, with a comma before it. Terms and factors may change places, and a
    square is one in any spelling.

    Examples
    --------
    >>> like("1 - exp(z)", "1.0 - tf.exp(-p)")
    {'z': '-p'}
    >>> like("sum(exp(*z), *more)", "tf.reduce_sum(tf.exp(q), axis=-1)")
    {'z': 'q', 'more': ', axis=-1'}
    >>> like("exp(z) - z", "tf.exp(p) - q")
    {}
    """
    wanted, node = expression(pattern), expression(text)
    assert wanted is not None
    return (None if node is None else _bound(wanted, node, {})) or {}


def _bound(pattern: ast.expr, node: ast.expr, found: dict[str, str]) -> dict[str, str] | None:
    """What letters stand for, beside what they do already; None where it does not fit."""
    match pattern, node:
        case ast.Name(id=letter), _:
            return _with(found, letter, ast.unparse(node))
        case ast.Constant(value=number), ast.Constant(value=other):
            return found if number == other else None
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=2)), _:
            root = squared(node)
            return None if root is None else _bound(base, root, found)
        case ast.BinOp(left=one, op=op, right=two), ast.BinOp() if type(op) is type(node.op):
            orders = [(node.left, node.right)]
            if isinstance(op, ast.Add | ast.Mult):
                orders.append((node.right, node.left))
            for left, right in orders:
                first = _bound(one, left, found)
                if first is not None and (both := _bound(two, right, first)) is not None:
                    return both
        case ast.Call(func=ast.Name(id=name)), ast.Call():
            if head(ast.unparse(node)) in _CALLED.get(name, (name,)):
                return _of_arguments(pattern.args, node, found)
    return None


def _of_arguments(
    patterns: list[ast.expr], node: ast.Call, found: dict[str, str]
) -> dict[str, str] | None:
    for i, pattern in enumerate(patterns):
        if isinstance(pattern, ast.Starred):
            rest = [*map(ast.unparse, node.args[i:]), *map(ast.unparse, node.keywords)]
            text = ", ".join(["", *rest] if i else rest)
            return _with(found, ast.unparse(pattern.value), text) if i or text else None
        if i == len(node.args) or (bound := _bound(pattern, node.args[i], found)) is None:
            return None
        found = bound
    return found


def _with(found: dict[str, str], letter: str, text: str) -> dict[str, str] | None:
    return {**found, letter: text} if found.get(letter, text) == text else None


def squared(node: ast.expr) -> ast.expr | None:
    """What is squared, as "x**2", "x * x" or "tf.square(x)"; None where nothing is."""
    match node:
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
            return left
        case ast.BinOp(left=left, op=ast.Mult(), right=right) if ast.dump(left) == ast.dump(right):
            return left
        case ast.Call(args=[inner, *_]) if head(ast.unparse(node)) == "square":
            return inner
    return None
