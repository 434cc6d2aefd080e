"""Whether any package registers rules: a look at files, before what reads them is imported.

`importlib.metadata` takes longer to import than all rules, and most often there is nothing to read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder

GROUP = "losscheck.rules"
METADATA = (".dist-info", ".egg-info")


def registered() -> bool:
    """Say whether an installed package may register rules."""
    if any(
        hasattr(finder, "find_distributions") for finder in sys.meta_path if finder != PathFinder
    ):
        return True
    return any(GROUP.encode() in text for folder in sys.path for text in _entry_points(folder))


def _entry_points(folder: str) -> Iterator[bytes]:
    """The entry points of the packages in a folder, as text."""
    if os.path.isfile(folder):  # packages in an archive, which we leave to who reads archives
        yield GROUP.encode()
        return
    try:
        entries = list(os.scandir(folder or "."))
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(METADATA) or entry.name == "EGG-INFO":
            try:
                with open(os.path.join(entry.path, "entry_points.txt"), "rb") as file:
                    yield file.read()
            except OSError:
                continue
