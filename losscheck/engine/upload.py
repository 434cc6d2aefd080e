"""A project handed to machines that do not have it: a wheel or a zip, unpacked there once."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from losscheck.model import UsageError


@contextlib.contextmanager
def named_by_content(archive: str) -> Iterator[Path]:
    """Copy an archive under a name that only its content decides, while the context lasts.

    Two runs then share workers without one taking the other's files for its own.

    Parameters
    ----------
    archive
        The path of a wheel or a zip.

    Raises
    ------
    UsageError
        It cannot be read, or is none.
    """
    try:
        digest = hashlib.sha256(Path(archive).read_bytes()).hexdigest()
        if not zipfile.is_zipfile(archive):
            raise UsageError(_unusable(archive, "it is neither"))
        with tempfile.TemporaryDirectory() as folder:
            yield Path(shutil.copy(archive, Path(folder, f"losscheck-{digest[:16]}.zip")))
    except FileNotFoundError as error:
        raise UsageError(_unusable(archive, "there is no such file")) from error
    except OSError as error:
        raise UsageError(_unusable(archive, error.strerror or "it cannot be read")) from error


def unpacked(archive: Path) -> Path:
    """Give the folder beside an archive that holds what is in it.

    Whoever comes first unpacks it. The folder appears whole, so nobody imports from half of it.
    """
    folder = archive.with_suffix("")
    if not folder.exists():
        begun = Path(tempfile.mkdtemp(dir=archive.parent))
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(begun)  # which keeps every member inside
        try:
            begun.rename(folder)
        except OSError:  # another has been faster
            shutil.rmtree(begun)
    return folder


def _unusable(archive: str, why: str) -> str:
    return (
        f"--upload {archive}: expected a wheel or a zip of the project, but {why}; make one by "
        "`git archive -o project.zip HEAD` or `python -m build --wheel`"
    )
