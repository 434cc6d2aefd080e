"""Rules by what users call them: a code, the beginning of codes, a slug."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from losscheck.model import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLE = "LC103"  # a code, where a message shows how one is written


def rule_code(given: str, where: str) -> str:
    """Return the code of a rule that is named by its code or slug.

    Raises
    ------
    UsageError
        If there is no such rule; the message begins with `where`.
    """
    from losscheck.rules import find, rules

    rules()  # one that cannot be used has nothing to do with what was given here
    try:
        return find(given).code
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def prefixes(given: Sequence[str], where: str) -> tuple[str, ...]:
    """Check codes of rules or their beginnings.

    Parameters
    ----------
    given
        Such as "LC203", "LC2" or a slug.
    where
        What gives them, for messages.

    Returns
    -------
    tuple of str
        Codes and beginnings of codes, in upper case.

    Raises
    ------
    UsageError
        If one of them selects nothing.
    """
    from losscheck.rules import rules

    found = []
    for text in given:
        start = text.strip().upper()
        known = any(
            rule.code.startswith(start) and start.startswith(rule.code.rstrip(string.digits))
            for rule in rules()
        )
        found.append(start if known else rule_code(text, where))
    return tuple(found)
