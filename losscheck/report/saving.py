"""Texts into files, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from losscheck.model import UsageError


def save(text: str, file: Path, instead: str = "name another path") -> None:
    """Write a text into a file: who reads it meanwhile sees the old text or the new one.

    Parameters
    ----------
    text
        What is written, in UTF-8.
    file
        The file. A device or a pipe is written to as it is, a link where it points to.
    instead
        What to do where that fails, for the message.

    Raises
    ------
    UsageError
        If it cannot be written; a file that was there is still what it was.
    """
    try:
        if file.exists() and not file.is_file():
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
        else:
            _replace(text, Path(os.path.realpath(file)))
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}; {instead}") from error


def _replace(text: str, file: Path) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        # Lone surrogates, which Python reads from odd bytes in file names, have no UTF-8.
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        if file.exists():
            beside.chmod(file.stat().st_mode & 0o7777)
        beside.replace(file)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def writable(folder: Path, instead: str) -> None:
    """Make a folder where it is missing, and see that a file can be written into it.

    Raises
    ------
    UsageError
        If not: before hours of work, and not after them.
    """
    trial = folder / f".losscheck.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b" " * 4096)  # a full disk takes a name, and no contents
        trial.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            trial.unlink(missing_ok=True)
        raise UsageError(
            f"cannot write the report to {folder}: {error.strerror}; {instead}"
        ) from error
