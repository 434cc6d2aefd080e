"""How a report is to be shown; renderers that have no use for a setting leave it alone."""

from __future__ import annotations

import attrs

from losscheck.changes import Changes


@attrs.frozen(kw_only=True)
class View:
    """What the reader asked for."""

    verbosity: int = 0  # -1: errors, a line each, 0: diagnoses at a glance, 1: everything
    width: int = 100  # columns of the terminal
    color: bool = False  # escape codes in the text
    changes: Changes | None = None  # since an earlier report: on the page and in Markdown
