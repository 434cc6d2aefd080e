"""Files that are named or read: targets as seen from another folder, data of a bounded size."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from losscheck.model import UsageError

SMALL = 8 * 1024 * 1024  # bytes of a configuration, or of a baseline with 20,000 entries
LARGE = 512 * 1024 * 1024  # bytes of a report: of some thousands of losses
_FILE = re.compile(r"(?P<file>.+?\.(py|npz))(?P<rest>:.*)?", re.DOTALL)


def text_of(file: Path, most: int, what: str) -> str:
    """Read a text file.

    Parameters
    ----------
    file
        The file; of a device or a pipe no more is read than of a file.
    most
        How many bytes it may have.
    what
        What it should be, for the message.

    Raises
    ------
    OSError, UnicodeDecodeError
        It cannot be read, or is no text.
    UsageError
        It is too large.
    """
    with file.open("rb") as opened:
        found = opened.read(most + 1)
    if len(found) > most:
        raise UsageError(f"{file} is larger than {what} may be: {most // 1024**2} MiB")
    return found.decode("utf-8")


def tree_of(text: str, **given: Any) -> Any:
    """Read JSON.

    Raises
    ------
    ValueError
        It is none, or is nested too deeply.
    """
    try:
        return json.loads(text, **given)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def seen_from(target: str, folder: Path, named_in: Path) -> str:
    """Write a target so that its file is named from a folder.

    Parameters
    ----------
    target
        Such as "losses.py:focal", or a file of data; a module is named alike from everywhere.
    folder
        From where the file is to be named.
    named_in
        From where it is named.

    Examples
    --------
    >>> seen_from("losses.py:focal", Path("/project/tools"), Path("/project"))
    '../losses.py:focal'
    """
    match = _FILE.fullmatch(target)
    if match is None or folder == named_in or os.path.isabs(match["file"]):
        return target
    path = os.path.relpath(named_in / match["file"], folder)
    return Path(path).as_posix() + (match["rest"] or "")
