"""From the text of a Python expression to an expression and back, in the spelling of its author."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from losscheck.rewriting.expressions import Expression, Leaf, Number, Operation, Options, number, op
from losscheck.rewriting.functions import ARITHMETIC, FUNCTIONS, REDUCTIONS

# What a module is usually called, where the caller does not know.
USUAL: Mapping[str, str] = {
    "tf": "tensorflow",
    "keras": "keras",
    "ops": "keras.ops",
    "K": "keras.backend",
}
FRAMEWORKS = ("tensorflow", "keras")
CONSTANTS = {"pi": math.pi, "e": math.e}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
}
_KEYWORDS = {"axis", "keepdims"}
# How tightly an operator binds, and what its right operand must.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = 1, 2, 3, 4, 5
_SIGNS = {
    "greater": (">", 0, _SUM),
    "greater_equal": (">=", 0, _SUM),
    "less": ("<", 0, _SUM),
    "less_equal": ("<=", 0, _SUM),
    "add": ("+", _SUM, _PRODUCT),
    "sub": ("-", _SUM, _PRODUCT),
    "mul": ("*", _PRODUCT, _SIGN),
    "div": ("/", _PRODUCT, _SIGN),
}
_LONG = 12  # digits that float() of a fraction of small numbers would not need


def _names() -> dict[str, str]:
    """The last part of each spelling of a function, and the function."""
    names = {}
    for table in (FUNCTIONS, ARITHMETIC):
        for name, function in table.items():
            names[function.tensorflow.rpartition(".")[2]] = name
            names.update(dict.fromkeys(function.others, name))
    for name, spellings in REDUCTIONS.items():
        names.update({spelling.rpartition(".")[2]: name for spelling in spellings})
    return names


FUNCTION_NAMES = _names()


@dataclass(frozen=True)
class Spelling:
    """How the author of a module writes: names of modules, and of functions as they occur."""

    # What the names of the user's module stand for: `{"tf": "tensorflow"}`, and where functions
    # have names of their own `{"exp": "tensorflow.exp"}`.
    names: Mapping[str, str] = field(default_factory=lambda: dict(USUAL))
    # Functions and how they were written where they were read.
    used: dict[str, str] = field(default_factory=dict)


# Every function by its own name: how losscheck writes identities and slopes.
PLAIN = Spelling(
    {name: f"tensorflow.{name}" for name in [*FUNCTIONS, *ARITHMETIC, *REDUCTIONS, "where"]}
)


def read(text: str, spelling: Spelling | None = None) -> Expression:
    """Read a Python expression; what is not known in it becomes a leaf.

    Parameters
    ----------
    text
        One expression. `SyntaxError` where it is none.
    spelling
        What names stand for; its `used` takes in how functions are written.

    Examples
    --------
    >>> read("tf.exp(x) - 1.0").key, read("net(x)[0] * 2").key
    ('(sub (exp <x>) 1)', '(mul <net(x)[0]> 2)')
    """
    return _Reader(spelling or Spelling()).read(ast.parse(text.strip(), mode="eval").body)


class _Reader:
    """Reads one expression."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def read(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(value=bool()):
                return Leaf(ast.unparse(node))
            case ast.Constant(value=int() | float() as value) if math.isfinite(value):
                return number(Fraction(repr(value)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return op("neg", self.read(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                return op(_BINARY[type(operator)], self.read(left), self.read(right))
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                if type(operator) in _COMPARISONS:
                    return op(_COMPARISONS[type(operator)], self.read(left), self.read(right))
            case ast.Call():
                return self._call(node) or Leaf(ast.unparse(node))
            case ast.Attribute(attr=attr):
                root = self._qualified(node).rpartition(".")[0]
                if attr in CONSTANTS and root in ("math", "numpy", *FRAMEWORKS):
                    return number(Fraction(repr(CONSTANTS[attr])))
        return Leaf(ast.unparse(node))

    def _qualified(self, node: ast.expr) -> str:
        """The dotted path that a function's text stands for, "" where its root is not known."""
        path = ast.unparse(node)
        root, dot, rest = path.partition(".")
        known = self._spelling.names.get(root, "")
        return f"{known}{dot}{rest}" if known else ""

    def _call(self, node: ast.Call) -> Expression | None:
        path = self._qualified(node.func)
        name = FUNCTION_NAMES.get(path.rpartition(".")[2], "")
        args = [arg for arg in node.args if not isinstance(arg, ast.Starred)]
        if path.partition(".")[0] not in FRAMEWORKS or len(args) != len(node.args):
            return None
        found = self._known(name, path.rpartition(".")[2], args, node.keywords)
        if isinstance(found, Operation) and found.name == name:
            self._spelling.used.setdefault(name, ast.unparse(node.func))
        return found

    def _known(
        self, name: str, last: str, args: list[ast.expr], keywords: list[ast.keyword]
    ) -> Expression | None:
        if name in REDUCTIONS:
            options = _options(name, args[1:], keywords)
            return None if options is None or not args else self._reduction(name, args[0], options)
        keywords = [k for k in keywords if k.arg != "name"]
        operands = [self.read(arg) for arg in args]
        if keywords:
            return None
        match last, operands:
            case "squared_difference", [x, y]:
                return op("square", op("sub", x, y))
            case "reciprocal", [x]:
                return op("div", number(1), x)
            case "rsqrt", [x]:
                return op("div", number(1), op("sqrt", x))
            case "where", [condition, x, y]:
                return op("where", condition, x, y)
        function = FUNCTIONS.get(name) or ARITHMETIC.get(name)
        if function is None or function.arity != len(operands):
            return None
        return op(name, *operands)

    def _reduction(self, name: str, arg: ast.expr, options: Options) -> Expression:
        return op(name, self.read(arg), options=options)


def _options(name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> Options | None:
    """The axis of a reduction and whether it stays; None where it cannot be read."""
    given: dict[str, object] = {}
    written = [*zip(("axis", "keepdims"), args, strict=False)]
    written += [(k.arg or "**", k.value) for k in keywords if k.arg != "name"]
    for key, value in written:
        try:
            given[key] = ast.literal_eval(value)
        except ValueError:
            return None
    softmax = name in ("softmax", "log_softmax")
    axis = given.get("axis", -1 if softmax else None)
    axis = tuple(axis) if isinstance(axis, list) else axis
    if not set(given) <= _KEYWORDS or len(args) > len(_KEYWORDS):
        return None
    keepdims = () if softmax else (("keepdims", bool(given.get("keepdims", False))),)
    return (("axis", axis), *keepdims)


def write(
    node: Expression,
    spelling: Spelling | None = None,
    names: Mapping[Expression, str] | None = None,
) -> str:
    """Write an expression as Python.

    Parameters
    ----------
    spelling
        Whose names to use: functions are called as their author calls them, others by the module
        that the author has.
    names
        Subexpressions that have names by then.

    Examples
    --------
    >>> from losscheck.rewriting.python import read
    >>> write(read("tf.exp(x) - (1 - K.log(x))"))
    'tf.exp(x) - (1.0 - tf.math.log(x))'
    """
    return _Writer(spelling or Spelling(), names or {}).write(node, 0)


def imports(node: Expression, spelling: Spelling) -> tuple[str, ...]:
    """The import that a written expression needs and its author does not have."""
    writer = _Writer(spelling, {})
    writer.write(node, 0)
    return ("import tensorflow as tf",) if writer.foreign else ()


class _Writer:
    """Writes one expression."""

    def __init__(self, spelling: Spelling, names: Mapping[Expression, str]) -> None:
        self._spelling = spelling
        self._names = names
        self.foreign = False

    def write(self, node: Expression, tight: int) -> str:
        text, binds = self._text(node)
        return text if binds >= tight else f"({text})"

    def _text(self, node: Expression) -> tuple[str, int]:
        if node in self._names:
            return self._names[node], _ATOM
        match node:
            case Leaf(text=text):
                return text, _ATOM if text.isidentifier() else _tightness(text)
            case Number(value=value):
                return _number(value)
            case Operation(name="neg", operands=(x,)):
                return f"-{self.write(x, _SIGN)}", _SIGN
            case Operation(name="pow", operands=(x, y)) if "pow" not in self._spelling.used:
                return f"{self.write(x, _ATOM)} ** {self._exponent(y)}", _POWER
            case Operation(name=name, operands=(x, y)) if name in _SIGNS:
                sign, left, right = _SIGNS[name]
                return f"{self.write(x, left)} {sign} {self.write(y, right)}", left
            case Operation():
                return self._call(node), _ATOM
        raise TypeError(node)

    def _exponent(self, node: Expression) -> str:
        if isinstance(node, Number) and node.value.denominator == 1:
            return str(node.value)
        return self.write(node, _SIGN)

    def _call(self, node: Operation) -> str:
        parts = [self.write(x, 0) for x in node.operands]
        for name, value in node.options:
            if value not in (None, False):
                parts.append(f"{name}={value!r}")
        return f"{self._function(node.name)}({', '.join(parts)})"

    def _function(self, name: str) -> str:
        used = self._spelling.used.get(name)
        if used:
            return used
        tensorflow, keras = spellings(name)
        modules = {path: alias for alias, path in reversed(list(self._spelling.names.items()))}
        roots = {
            self._spelling.names.get(u.partition(".")[0], "") for u in self._spelling.used.values()
        }
        if "tensorflow" in modules and roots != {"keras.ops"}:
            return f"{modules['tensorflow']}.{tensorflow}"
        if "keras.ops" in modules:
            return f"{modules['keras.ops']}.{keras}"
        if "keras" in modules:
            return f"{modules['keras']}.ops.{keras}"
        self.foreign = True
        return f"tf.{tensorflow}"


def spellings(name: str) -> tuple[str, str]:
    """How TensorFlow and Keras call a function, below `tf` and `keras.ops`."""
    if name in REDUCTIONS:
        return REDUCTIONS[name]
    if name == "where":
        return "where", "where"
    function = FUNCTIONS.get(name) or ARITHMETIC[name]
    return function.tensorflow, function.keras


def _tightness(text: str) -> int:
    """How tightly the text of a leaf binds: names, calls and subscripts do, all else does not."""
    opened, closed = "([", ")]"
    depth = 0
    for sign in text:
        depth += (sign in opened) - (sign in closed)
        if depth == 0 and not (sign.isalnum() or sign in "._" + closed):
            return 0
    return _ATOM


def _number(value: Fraction) -> tuple[str, int]:
    """Write a constant as a float, or as the quotient of two where that has fewer digits."""
    short = repr(float(value)).replace("e-0", "e-").replace("e+", "e")
    ratio = f"{float(value.numerator)!r} / {float(value.denominator)!r}"
    if len(short) > _LONG and value.numerator < 1000 and value.denominator < 1000:
        return ratio, _PRODUCT
    return short, _ATOM if value >= 0 else _SIGN
