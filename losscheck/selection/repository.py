"""What git says of the files of the user: which differ from a commit, and what they were there."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from losscheck.model import UsageError

OPTION = "--changed"
REMOTE = "refs/remotes/origin/HEAD"  # where `git clone` writes the default branch
USUAL = ("main", "master")
SHALLOW = (
    " (the clone is shallow: get the rest with `git fetch --unshallow`, in GitHub Actions with "
    "fetch-depth: 0)"
)
ABBREVIATED = 10  # digits of a commit in what is told


@attrs.frozen(kw_only=True)
class Base:
    """The commit that files are compared with."""

    commit: str  # in full
    told: str  # what it is, for people


class Repository:
    """The git repository that a folder lies in.

    Parameters
    ----------
    directory
        The folder, absolute.

    Raises
    ------
    UsageError
        It lies in none, or there is no git.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = directory
        done = self._run("rev-parse", "--show-toplevel")
        top = os.fsdecode(done.stdout).rstrip("\n")
        if done.returncode or not top:
            raise UsageError(f"{OPTION}: {directory} is in no git repository{_why(done)}")
        self.root = self._folder = Path(top).resolve()

    def base(self, given: str) -> Base:
        """Find the commit to compare with: what is given, else where the default branch was left.

        Raises
        ------
        UsageError
            There is none.
        """
        if given:
            if (commit := self.commit(given)) is None:
                raise UsageError(
                    f"{OPTION}: git knows no commit {given!r} here{self._shallow()}; "
                    f"{OPTION} alone compares with the default branch"
                )
            return Base(commit=commit, told=f"{given} ({commit[:ABBREVIATED]})")
        branch = self._default_branch()
        done = self._run("merge-base", "HEAD", branch)
        commit = os.fsdecode(done.stdout).strip()
        if done.returncode or not commit:
            raise UsageError(
                f"{OPTION}: HEAD and {branch} have no commit in common{self._shallow()}; "
                f"name the commit to compare with, as in {OPTION}=HEAD~1"
            )
        return Base(commit=commit, told=f"{commit[:ABBREVIATED]}, the merge base with {branch}")

    def commit(self, name: str) -> str | None:
        """Give the commit of that name in full; None where there is none."""
        done = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        return os.fsdecode(done.stdout).strip() or None

    def differing(self, base: Base) -> Mapping[Path, str]:
        """Give the files that may differ from a commit, deleted and untracked ones too.

        Returns
        -------
        mapping of Path to str
            To what a file was called in the commit: "" where it was not renamed.
        """
        fields = iter(self._listed("diff", "--name-status", "-z", "-M", base.commit, "--"))
        found: dict[Path, str] = {}
        for status in fields:
            name = next(fields)
            found[self.root / name] = ""
            if status.startswith(("R", "C")):
                found[self.root / next(fields)] = name
        for name in self._listed("ls-files", "-z", "--others", "--exclude-standard"):
            found.setdefault(self.root / name, "")
        return found

    @functools.cached_property
    def files(self) -> frozenset[Path]:
        """The files of the repository that are there, with those that were never added."""
        options = ("-z", "--cached", "--others", "--exclude-standard", "--", "*.py")
        names = self._listed("ls-files", *options)
        return frozenset(file for name in names if (file := self.root / name).is_file())

    def text(self, file: Path, base: Base) -> bytes | None:
        """Give what a file was in a commit; None where it was not there."""
        name = file.relative_to(self.root).as_posix()
        done = self._run("cat-file", "blob", f"{base.commit}:{name}")
        return None if done.returncode else done.stdout

    def _default_branch(self) -> str:
        head = self._run("symbolic-ref", "--quiet", "--short", REMOTE)
        configured = self._run("config", "--get", "init.defaultBranch")
        told, own = (os.fsdecode(done.stdout).strip() for done in (head, configured))
        names = (*USUAL, own) if own else USUAL
        local = [branch for name in names for branch in (f"origin/{name}", name)]
        for branch in (told, *local):
            if branch and self.commit(branch) is not None:
                return branch
        raise UsageError(
            f"{OPTION}: no default branch is known here, neither origin/HEAD nor a branch "
            f"{' or '.join(names)}{self._shallow()}; name the commit to compare with, as in "
            f"{OPTION}=HEAD~1"
        )

    def _shallow(self) -> str:
        done = self._run("rev-parse", "--is-shallow-repository")
        return SHALLOW if done.stdout.strip() == b"true" else ""

    def _listed(self, *arguments: str) -> Iterator[str]:
        done = self._run(*arguments)
        if done.returncode:
            raise UsageError(f"{OPTION}: git {arguments[0]} failed{_why(done)}")
        yield from filter(None, os.fsdecode(done.stdout).split("\0"))

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", "-C", str(self._folder), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # we only read
            )
        except OSError as error:
            raise UsageError(f"{OPTION}: git cannot be run: {error.strerror}") from error


def _why(done: subprocess.CompletedProcess[bytes]) -> str:
    said = os.fsdecode(done.stderr).strip().splitlines()
    return f" ({said[0]})" if said else ""
