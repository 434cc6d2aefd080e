"""The folder `.losscheck`: JSON files by digest, written whole, and never more than fit."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from losscheck.model import UsageError
from losscheck.report.saving import save

NAME = ".losscheck"
MOST_BYTES = 256 * 1024 * 1024  # of all files together; those that were not used longest go
MOST_FILES = 4_000
LARGEST = 32 * 1024 * 1024  # of one file that is read
IGNORED = "# Made by losscheck. Nothing in here need be kept.\n*\n"
_FILE = re.compile(r"[0-9a-f]{64}\.json")


@attrs.frozen(kw_only=True)
class KeptFile:
    """A file of the folder."""

    path: Path
    size: int
    used: int  # when it was written or read last, in nanoseconds


class Folder:
    """Keeps texts by digest.

    Parameters
    ----------
    beside
        The folder that it lies in.
    """

    def __init__(self, beside: Path) -> None:
        self.path = beside / NAME

    def read(self, digest: str) -> str | None:
        """Give a text; None where there is none that can be read."""
        file = self._file(digest)
        try:
            if file.is_symlink() or file.stat().st_size > LARGEST:
                return None
            text = file.read_text(encoding="utf-8")
            os.utime(file)  # it is in use
        except (OSError, UnicodeDecodeError):
            return None
        return text

    def write(self, digest: str, text: str) -> bool:
        """Keep a text, and let go of what was not used longest where it is too much.

        Returns
        -------
        bool
            Whether it is kept: not on a full disk, and not in a folder that cannot be written.
        """
        try:
            self._make()
            save(text, self._file(digest))
        except (OSError, UsageError):
            return False
        return True

    def trim(self) -> None:
        """Let go of what was not used longest, as far as there is too much."""
        kept = sorted(self.files(), key=lambda each: -each.used)
        size = 0
        for count, each in enumerate(kept):
            size += each.size
            if size > MOST_BYTES or count >= MOST_FILES:
                with contextlib.suppress(OSError):
                    each.path.unlink()

    def drop(self, digest: str) -> None:
        """Let go of a text."""
        with contextlib.suppress(OSError):
            self._file(digest).unlink()

    def files(self) -> Iterator[KeptFile]:
        """Give the files that were written here; what else lies in the folder is left alone."""
        try:
            entries = list(os.scandir(self.path))
        except OSError:
            return
        for entry in entries:
            with contextlib.suppress(OSError):
                if _FILE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    known = entry.stat(follow_symlinks=False)
                    yield KeptFile(
                        path=Path(entry.path), size=known.st_size, used=known.st_mtime_ns
                    )

    def _make(self) -> None:
        if self.path.is_symlink():  # it may lead anywhere
            raise UsageError(f"{self.path} is a link")
        self.path.mkdir(exist_ok=True)
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            save(IGNORED, ignore)

    def _file(self, digest: str) -> Path:
        return self.path / f"{digest}.json"
