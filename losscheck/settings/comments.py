"""Comments in the user's source that set findings apart: ``# losscheck: ignore[LC103] reason``."""

from __future__ import annotations

import functools
import io
import re
import tokenize
from pathlib import Path

import attrs

from losscheck.model import UsageError
from losscheck.rules import EXAMPLE, prefixes

COMMENT = re.compile(r"#\s*losscheck\s*:\s*ignore\b(?P<codes>\[[^\]]*\])?(?P<reason>.*)")


@attrs.frozen(kw_only=True)
class Comment:
    """One comment.

    Attributes
    ----------
    line
        1-based, where it stands.
    codes
        Codes, or how they begin.
    reason
        Why these findings are as they should be.
    alone
        Whether nothing else stands on its line: then it speaks of the line below as well.
    """

    file: str
    line: int
    codes: tuple[str, ...]
    reason: str
    alone: bool

    def speaks_of(self, line: int, code: str) -> bool:
        """Say whether it speaks of a finding of a code at a line."""
        here = line == self.line or (self.alone and line == self.line + 1)
        return here and code.startswith(self.codes)

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}:{self.line}"


def comments(file: Path, shown: str) -> tuple[Comment, ...]:
    """Read the comments of a file; none of one that cannot be read as Python.

    What looks like a comment within a text or a docstring is none.

    Parameters
    ----------
    file
        The file.
    shown
        How messages name it.

    Raises
    ------
    UsageError
        A comment names no rule, or gives no reason.
    """
    try:
        return _read(file, shown, file.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError):
        return ()


@functools.lru_cache(maxsize=256)
def _read(file: Path, shown: str, _changed: int) -> tuple[Comment, ...]:
    text = file.read_text(encoding="utf-8")
    if "losscheck" not in text:
        return ()
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := COMMENT.search(token.string)):
                found.append(_comment(match, token, shown))
    except (tokenize.TokenError, SyntaxError):
        return ()
    return tuple(found)


def head(file: Path, first: int) -> range:
    """The lines of a definition that begins at `first`: its decorators, up to that of `def`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return range(first, first + 1)
    for number, line in enumerate(lines[first - 1 :], first):
        if line.lstrip().startswith(("def ", "async def ", "class ")) or "lambda" in line:
            return range(first, number + 1)
    return range(first, first + 1)


def _comment(match: re.Match[str], token: tokenize.TokenInfo, shown: str) -> Comment:
    where = f"{shown}:{token.start[0]}"
    given = [code.strip() for code in (match["codes"] or "").strip("[]").split(",")]
    codes = [code for code in given if code]
    if not codes:
        raise UsageError(f"{where}: name the rules: # losscheck: ignore[{EXAMPLE}] and the reason")
    reason = match["reason"].strip().lstrip(":-").strip()
    if not reason:
        listed = ", ".join(codes)
        raise UsageError(f"{where}: give the reason: # losscheck: ignore[{listed}] why it is meant")
    return Comment(
        file=shown,
        line=token.start[0],
        codes=prefixes(codes, where),
        reason=reason,
        alone=not token.line[: token.start[1]].strip(),
    )
