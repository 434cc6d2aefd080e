"""An expression whose local names are written out, so that what cancels is seen as a whole.

`up = a * b` and `return up / c` become `a * b / c`, where that is sure to be the same: the name is
assigned once, in the function's own block and before, nothing that it is made of is assigned again
behind it, and no call in it might do anything but compute.
"""

from __future__ import annotations

import ast
import copy
import textwrap
from collections.abc import Mapping

from losscheck.rewriting.expressions import leaves_of
from losscheck.rewriting.python import FRAMEWORKS, Spelling, read

DEEPEST = 12  # names within names
# Below these there are calls that draw, print, keep or run something.
STATEFUL = {"random", "print", "py_function", "numpy_function", "function", "debugging", "summary"}
LONGEST = 1000  # characters of an expression with all written out


def inlined(
    source: str,
    expression: str,
    line: int,
    spelling: Spelling | None = None,
    functions: Mapping[str, str] | None = None,
) -> str:
    """Write out the local names of one expression.

    Parameters
    ----------
    source
        The function's source; it may be indented. `SyntaxError` where it is no Python.
    line
        Where it stands, from 1 in the source of the function.
    spelling
        What the names of its module stand for.
    functions
        Sources of functions that it calls; one that is a single `return` is written out, too.

    Returns
    -------
    str
        The expression as it was where nothing can be written out.
    """
    function = _function(source)
    if function is None:
        return expression
    writer = _Writer(function, spelling or Spelling(), functions or {})
    whole = ast.unparse(writer.write(ast.parse(expression.strip(), mode="eval").body, line))
    return whole if len(whole) <= LONGEST else expression


def _function(source: str) -> ast.FunctionDef | None:
    tree = ast.parse(textwrap.dedent(source))
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    return next(found, None)


class _Writer:
    """Writes out the names of one function."""

    def __init__(
        self, function: ast.FunctionDef, spelling: Spelling, functions: Mapping[str, str]
    ) -> None:
        self._spelling = spelling
        self._functions = functions
        self._stores: dict[str, list[int]] = {}
        for node in ast.walk(function):
            for name in _stored(node):
                self._stores.setdefault(name, []).append(getattr(node, "lineno", 0))
        self._values: dict[str, tuple[ast.expr, int]] = {}
        for statement in function.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._values[name] = (value, statement.lineno)
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    for target, value in zip(names, values, strict=False):
                        if isinstance(target, ast.Name) and len(names) == len(values):
                            self._values[target.id] = (value, statement.lineno)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._values[name] = (value, statement.lineno)
        self._parameters = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)}

    def write(self, node: ast.expr, line: int, depth: int = 0) -> ast.expr:
        """Replace names by what they were assigned, and calls by what they return."""
        writer = self

        class Names(ast.NodeTransformer):
            def visit_Name(self, name: ast.Name) -> ast.expr:
                found = writer._value(name.id, line) if depth < DEEPEST else None
                return name if found is None else writer.write(*found, depth + 1)

            def visit_Call(self, call: ast.Call) -> ast.AST:
                self.generic_visit(call)
                return writer._called(call) or call

            def visit_Lambda(self, inner: ast.Lambda) -> ast.AST:
                return inner

        changed: ast.expr = Names().visit(copy.deepcopy(node))
        return changed

    def _value(self, name: str, line: int) -> tuple[ast.expr, int] | None:
        """What a name stands for at a line, if that is sure."""
        if name not in self._values or name in self._parameters or len(self._stores[name]) != 1:
            return None
        value, assigned = self._values[name]
        inner = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
        changed = any(at >= assigned for each in inner for at in self._stores.get(each, []))
        return None if assigned >= line or changed or not self._pure(value) else (value, assigned)

    def _is_local(self, name: str) -> bool:
        return name in self._stores or name in self._parameters

    def _pure(self, value: ast.expr) -> bool:
        """Whether a value may be written twice: all of its calls are known."""
        with_calls = self._called_inside(value)
        leaves = leaves_of(read(ast.unparse(with_calls), self._spelling))
        kinds = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
        nodes = [n for leaf in leaves for n in ast.walk(ast.parse(leaf.text, mode="eval"))]
        return not any(
            isinstance(n, kinds) or (isinstance(n, ast.Call) and not self._computes(n))
            for n in nodes
        )

    def _computes(self, call: ast.Call) -> bool:
        """Whether a call is one of TensorFlow's or Keras' that only computes."""
        path = ast.unparse(call.func)
        root, _, rest = path.partition(".")
        framework = self._spelling.names.get(root, "").partition(".")[0] in FRAMEWORKS
        parts = set(rest.split("."))
        return framework and not parts & STATEFUL and rest.rpartition(".")[2][:1].islower()

    def _called_inside(self, value: ast.expr) -> ast.expr:
        return self.write(value, 0)

    def _called(self, call: ast.Call) -> ast.expr | None:
        """What a call of a function that is a single `return` gives."""
        known = isinstance(call.func, ast.Name) and not self._is_local(call.func.id)
        source = self._functions.get(ast.unparse(call.func)) if known else None
        function = _function(source) if source else None
        if function is None or call.keywords or function.args.defaults or function.args.kwonlyargs:
            return None
        body = [s for s in function.body if not _is_text(s)]
        names = [arg.arg for arg in function.args.args]
        starred = any(isinstance(arg, ast.Starred) for arg in call.args)
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return None
        if starred or len(names) != len(call.args) or function.decorator_list:
            return None
        given = dict(zip(names, call.args, strict=True))
        used = {n.id for n in ast.walk(body[0].value) if isinstance(n, ast.Name)}
        if any(map(self._is_local, used - set(names))):
            return None

        class Arguments(ast.NodeTransformer):
            def visit_Name(self, name: ast.Name) -> ast.expr:
                return copy.deepcopy(given.get(name.id, name))

        result: ast.expr = Arguments().visit(copy.deepcopy(body[0].value))
        return result


def _stored(node: ast.AST) -> list[str]:
    """The names that a node assigns, deletes, or declares as another scope's."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return [name]
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return [*names, *names]
        case ast.ExceptHandler(name=str() as name):
            return [name]
        case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
            return [name]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.alias(name=name, asname=asname):
            return [asname or name.partition(".")[0]]
    return []


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
