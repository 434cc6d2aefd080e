"""The text of a target, taken apart: a module or file, the names in it, the arguments of a call."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

import attrs

from losscheck.model import UsageError

FORMS = (
    "Write module:loss, path/file.py:loss, module:factory(gamma=2.0), a module or file alone, "
    'or a name that Keras knows such as "mse".'
)


@attrs.frozen(kw_only=True, eq=False)
class Arguments:
    """The literal arguments of a call."""

    positional: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True, eq=False)
class Reference:
    """A target's text, taken apart."""

    text: str
    place: str  # a dotted module, or the path of a file
    is_file: bool
    names: tuple[str, ...] = ()  # the dotted attribute; empty: everything in the place
    call: Arguments | None = None
    output: str | int | None = None  # of a compiled model

    @property
    def without_output(self) -> str:
        """The text of the model itself."""
        return self.text if self.output is None else self.text[: self.text.rindex("[")]


def parse(text: str) -> Reference:
    """Take the text of a target apart; nothing is imported or evaluated.

    Parameters
    ----------
    text
        Such as "my_module:my_loss", "losses.py:focal(gamma=2.0)", "my_pkg.losses" or
        "my_module:build_model[output]".

    Raises
    ------
    UsageError
        For a text of another form; the message lists the forms.

    Examples
    --------
    >>> parse("losses.py:focal(gamma=2.0)").call.keywords
    {'gamma': 2.0}
    """
    given = text.strip()
    match = re.fullmatch(r"(?P<place>.+?\.py)(?::(?P<rest>.*))?", given, re.DOTALL)
    is_file = match is not None
    if match is None:
        match = re.fullmatch(r"(?P<place>[^\W\d][\w.]*)(?::(?P<rest>.*))?", given, re.DOTALL)
    if match is None:
        raise UsageError(f"{text!r} is no target. {_hint(given)}{FORMS}")
    place, rest = match["place"], match["rest"]
    if not is_file and not all(part.isidentifier() for part in place.split(".")):
        raise UsageError(f"{text!r}: {place!r} is no module name. {FORMS}")
    if rest is None:
        return Reference(text=given, place=place, is_file=is_file)
    names, call, output = _expression(rest, given)
    return Reference(
        text=given, place=place, is_file=is_file, names=names, call=call, output=output
    )


def _hint(given: str) -> str:
    name = re.fullmatch(r"(?P<name>[^\W\d]\w*)\(.*\)", given, re.DOTALL)
    return f"For one of Keras' own with arguments, write keras.losses:{given}. " if name else ""


def _expression(rest: str, text: str) -> tuple[tuple[str, ...], Arguments | None, str | int | None]:
    try:
        node = ast.parse(rest.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            f"{text!r}: {rest!r} is no name and no call ({getattr(error, 'msg', error)}). {FORMS}"
        ) from None
    output = None
    if isinstance(node, ast.Subscript):
        output = _output(node.slice, text)
        node = node.value
    if isinstance(node, ast.Call):
        return _names(node.func, text), _literals(node, text), output
    return _names(node, text), None, output


def _output(node: ast.expr, text: str) -> str | int:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=str() | int() as label):
            return label
    raise UsageError(f"{text!r}: in the brackets the name or number of an output was expected")


def _names(node: ast.expr, text: str) -> tuple[str, ...]:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise UsageError(f"{text!r}: after the colon a (dotted) name was expected. {FORMS}")
    return (node.id, *names)


def _literals(node: ast.Call, text: str) -> Arguments:
    if any(isinstance(value, ast.Starred) for value in node.args) or any(
        keyword.arg is None for keyword in node.keywords
    ):
        raise UsageError(f"{text!r}: the arguments must be written out, without * and **")
    return Arguments(
        positional=tuple(_literal(value, text) for value in node.args),
        keywords={str(keyword.arg): _literal(keyword.value, text) for keyword in node.keywords},
    )


def _literal(node: ast.expr, text: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        raise UsageError(
            f"{text!r}: {ast.unparse(node)} is no literal; arguments of a target are numbers, "
            "texts, lists and the like. For anything else, give the result a name in your module."
        ) from None
