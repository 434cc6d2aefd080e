"""From an expression back to Python, in the spelling of who wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from losscheck.rewriting.expressions import Expression, Leaf, Number, Operation
from losscheck.rewriting.functions import ARITHMETIC, FUNCTIONS, REDUCTIONS
from losscheck.rewriting.reading import Spelling

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


def write(
    node: Expression,
    spelling: Spelling | None = None,
    names: Mapping[Expression, str] | None = None,
) -> str:
    """Write an expression as Python.

    Parameters
    ----------
    node
        The expression.
    spelling
        Whose names to use: functions are called as their author calls them, others by the module
        that the author has.
    names
        Subexpressions that have names by then.

    Examples
    --------
    >>> from losscheck.rewriting.reading import read
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
