"""What Python hands over in place of options, held to what the command line takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from losscheck.model import UsageError
from losscheck.rules import EXAMPLE, prefixes, rule_code
from losscheck.settings.settings import (
    DTYPES,
    FAIL_ON,
    MODES,
    ArgumentSettings,
    Settings,
    a_budget,
    an_order,
    argument,
    check_texts,
    one_of,
)

REASON = "clipping is deliberate"  # where a message shows how one is given


def laid_over(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """Lay what was handed over, by the names that `losscheck.check` has for it, over settings.

    Raises
    ------
    UsageError
        If something cannot be used; the message begins with its name.
    """
    changes = {name: _READERS[name](value, name) for name, value in given.items()}
    if "ignore" in changes:
        changes["ignore"] = {**settings.ignore, **changes["ignore"]}
    return attrs.evolve(settings, **changes)


def texts(given: Any, where: str, example: str) -> tuple[str, ...]:
    """Give words that were handed over one by one or, as on the command line, with commas.

    Raises
    ------
    UsageError
        If they are no texts.
    """
    parts = [given] if isinstance(given, str) else given
    if not isinstance(parts, Iterable) or isinstance(parts, Mapping | bytes):
        raise _no_texts(given, where, example)
    found: dict[str, None] = {}  # a set that keeps its order
    for part in parts:
        if not isinstance(part, str):
            raise _no_texts(given, where, example)
        found |= dict.fromkeys(word.strip() for word in part.split(",") if word.strip())
    return tuple(found)


def _no_texts(given: Any, where: str, example: str) -> UsageError:
    return UsageError(
        f"{where}: expected names such as {example!r} or [{example!r}], got {given!r:.60}"
    )


def ignored(given: Any, where: str) -> dict[str, str]:
    """Read the rules that are ignored, each with its reason.

    Parameters
    ----------
    given
        A mapping of code or slug to reason, or texts such as "LC103=it is meant".
    where
        What gives them, for messages.

    Raises
    ------
    UsageError
        For an unknown rule, or one without a reason.
    """
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Iterable) and not isinstance(given, Mapping):
        given = dict(_pair(text, given, where) for text in given)
    if not isinstance(given, Mapping):
        raise _no_reason(given, where)
    for code, reason in given.items():
        if not (isinstance(code, str) and isinstance(reason, str) and reason.strip()):
            raise _no_reason(given, where, code if isinstance(code, str) else EXAMPLE)
    return {rule_code(code, where): reason.strip() for code, reason in given.items()}


def _pair(text: Any, given: Any, where: str) -> tuple[str, str]:
    if not isinstance(text, str):
        raise _no_reason(given, where)
    code, _, reason = text.partition("=")
    if not reason.strip():
        raise _no_reason(given, where, code)
    return code, reason


def _no_reason(given: Any, where: str, code: str = EXAMPLE) -> UsageError:
    return UsageError(
        f"{where}: expected a reason for each rule, as in {{{code!r}: {REASON!r}}}; the report "
        f"prints it. Got {given!r:.60}"
    )


def declared(given: Any, where: str) -> dict[str, ArgumentSettings]:
    """Read what is declared of arguments, by their names.

    Raises
    ------
    UsageError
        If it is no mapping, or holds what is no declaration.
    """
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise UsageError(
            f"{where}: expected what is declared of each argument by its name, as in "
            f"{{'y_pred': 'probability'}}, got {given!r:.60}"
        )
    found = {
        name: argument(_with_shape(each), f"{where}[{name!r}]") for name, each in given.items()
    }
    for name, settings in found.items():
        check_texts(settings, f"{where}[{name!r}]")
    return found


def _with_shape(each: Any) -> Any:
    """Take "probability:(B, D)" apart, as --arg has it; a domain has no colon."""
    if not isinstance(each, str) or ":" not in each:
        return each
    domain, _, shape = (part.strip() for part in each.partition(":"))
    return (domain or None, shape) if shape else domain


def a_seed(given: Any, where: str) -> int:
    """Return the given seed if it is one.

    Raises
    ------
    UsageError
        If it is no whole number, or a negative one.
    """
    if type(given) is int and given >= 0:  # True is an int
        return given
    raise UsageError(f"{where}: expected a whole number from 0 on, got {given!r:.60}")


def _each_of(given: Any, choices: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Check words against the choices that there are; none at all cannot be meant."""
    words = texts(given, where, choices[0])
    if not words:
        raise UsageError(f"{where}: nothing is given; expected some of {', '.join(choices)}")
    return tuple(one_of(word, choices, where) for word in words)


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "arguments": lambda given, where: declared(given or {}, where),
    "dtypes": lambda given, where: _each_of(given, DTYPES, where),
    "modes": lambda given, where: _each_of(given, MODES, where),
    "select": lambda given, where: prefixes(texts(given, where, EXAMPLE), where),
    "ignore": lambda given, where: ignored(given or {}, where),
    "seed": a_seed,
    "order": an_order,
    "budget": a_budget,
    "fail_on": lambda given, where: one_of(given, FAIL_ON, where),
}
