"""Files in targets, named from one folder and written as another one sees them."""

from __future__ import annotations

import os
import re
from pathlib import Path

_FILE = re.compile(r"(?P<file>.+?\.(py|npz))(?P<rest>:.*)?", re.DOTALL)


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
