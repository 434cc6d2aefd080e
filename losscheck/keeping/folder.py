"""The folder `.losscheck`: what is kept there, by which keys, and never more than fits."""

from __future__ import annotations

import contextlib
import datetime
import functools
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from losscheck.model import UsageError
from losscheck.program.quiet import READ
from losscheck.report.saving import save
from losscheck.rules import packages
from losscheck.settings.baseline import read
from losscheck.settings.settings import Settings

NAME = ".losscheck"
MOST_BYTES = 256 * 1024 * 1024  # of all files together; those that were not used longest go
MOST_FILES = 4_000
LARGEST = 32 * 1024 * 1024  # of one file that is read
IGNORED = "# Made by losscheck. Nothing in here need be kept.\n*\n"
_FILE = re.compile(r"[0-9a-f]{64}\.json")
# What neither a finding nor a number depends on, and what `for_loss` has already.
ASIDE = frozenset(
    {
        *("targets", "exclude", "changed", "fail_on", "home", "names", "shard"),
        "cache",
        *("executor", "upload"),
        *("jobs", "timeout", "memory", "isolation"),  # what they end is not kept
        *("losses", "arguments", "data", "ignore", "baseline"),
    }
)
OURS = ("TF_CPP_", "TF_FORCE_GPU_", "TF_NUM_")  # variables that losscheck sets itself
LARGEST_DATA = 256 * 1024 * 1024  # of a file of data that is read


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


def digest(*parts: object) -> str:
    """Digest anything that has a lasting text."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def environment() -> dict[str, str]:
    """Give the variables of the environment that losscheck has not set."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


def versions(variables: Mapping[str, str]) -> str:
    """Digest what runs a loss: losscheck, Python, what is installed, and how it is set."""
    set_ = {name: value for name, value in variables.items() if name.startswith(READ)}
    home = Path(variables.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
    python = (sys.version, platform.platform(), sys.flags.optimize)
    return digest(_own(), python, sorted(_installed()), set_, _content(home / "keras.json"))


def of_loss(target: str, settings: Settings) -> str | None:
    """Digest the settings of a loss, with the files that they name; None where nobody can."""
    own = settings.for_loss(target)
    if own.data and not own.data.endswith(".npz"):  # what yields batches may read anything
        return None
    data = _content(Path(settings.directory, own.data)) if own.data else ""
    if data is None:
        return None
    held = {
        field.name: getattr(settings, field.name)
        for field in attrs.fields(Settings)
        if field.name not in ASIDE
    }
    return digest(target, held, attrs.asdict(own), settings.ignored(target), data, _known(settings))


def of_run(settings: Settings) -> str:
    """Digest all settings, which say what is refused."""
    same = attrs.evolve(settings, fail_on="never", jobs=1, timeout=0.0, memory=0.0, isolation=None)
    return digest(attrs.asdict(same))


def _known(settings: Settings) -> Any:
    """What the baseline holds, and the day where an entry has its last one."""
    if not settings.baseline:
        return ""
    entries = read(Path(settings.baseline))
    day = datetime.datetime.now(tz=datetime.UTC).date() if any(e.expires for e in entries) else ""
    return [*map(attrs.astuple, entries)], day


def _content(file: Path) -> str | None:
    """Digest a file; "" where there is none, None where it is too large."""
    try:
        if file.stat().st_size > LARGEST_DATA:
            return None
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


@functools.cache
def _own() -> str:
    """Digest the sources of losscheck and of packages with rules, which may be worked on."""
    home = Path(__file__).parent.parent
    files = sorted(home.rglob("*.py"))
    for module in sorted(name for name in packages() if name in sys.modules):
        files += _package(module)
    found = hashlib.sha256()
    for file in files:
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _package(module: str) -> list[Path]:
    """The files of the package that a module belongs to."""
    file = getattr(sys.modules[module.partition(".")[0]], "__file__", None)
    if not file:
        return []
    path = Path(file)
    return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]


def _installed() -> Iterator[str]:
    """The names and versions of what is installed, as its folders are called."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        yield from (name for name in names if name.endswith((".dist-info", ".egg-info")))
