"""`losscheck fix`: the verified changes of all diagnoses as one difference, written if asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from losscheck.cli import commands, streams
from losscheck.cli.options import settings
from losscheck.engine.events import Finished
from losscheck.fixes.patch import ConflictError, applied, files_of, merged, unified
from losscheck.model import Diagnosis, LossReport, Report, Severity, UsageError
from losscheck.report import verdicts
from losscheck.report.saving import save
from losscheck.settings.settings import Settings

OVERLAPS = "its fix changes what another one changes: run this once more behind it"
KEPT = "make it writable, or apply the difference yourself"
UNKNOWN = "no verified fix"


@attrs.define
class Patches:
    """The changes of files, as far as they can be made together."""

    base: Path
    texts: dict[Path, str] = attrs.field(factory=dict)  # of the files, as they are
    versions: dict[Path, list[str]] = attrs.field(factory=dict)  # each with one fix

    def add(self, difference: str) -> None:
        """Make another change as well.

        Raises
        ------
        ConflictError
            It cannot be made together with the others, or the file has changed.
        """
        news: dict[Path, list[str]] = {}
        for name, piece in files_of(difference).items():
            file = self.base / name if (self.base / name).is_file() else Path("/") / name
            text = self.texts.setdefault(file, file.read_text(encoding="utf-8"))
            news[file] = [*self.versions.get(file, ()), applied(piece, text)]
            merged(text, news[file])
        self.versions |= news

    @property
    def changed(self) -> dict[Path, str]:
        """The new text of each file."""
        return {file: merged(self.texts[file], news) for file, news in self.versions.items()}

    @property
    def difference(self) -> str:
        """All changes, unified, a file after the other."""
        pairs = self.changed.items()
        base = str(self.base)
        return "".join(unified(str(f), self.texts[f], new, base) for f, new in pairs)


def fix(targets: Sequence[str], options: dict[str, Any], *, write: bool, force: bool) -> int:
    """Check losses, and show or make the changes that cure what was found.

    Returns
    -------
    int
        The exit status: 0 where no error is left, 1 where one is.
    """
    held = settings(Path.cwd(), options)
    done = commands.examined(targets, held, quiet=options["quiet"])
    if done is None:
        return verdicts.Exit.NO_LOSS
    patches = Patches(Path(held.directory).resolve())
    fixed, left = _collected(done.report, patches, quiet=options["quiet"])
    streams.emit(patches.difference)
    if write and patches.versions:
        _refuse_uncommitted(patches, force=force)
        if not _written(patches, done.report, fixed, held):
            return verdicts.Exit.FINDINGS
    if any(loss.verdict == "error" for loss in done.report.losses):
        return verdicts.Exit.FAULT
    return verdicts.Exit.FINDINGS if left else verdicts.Exit.CLEAN


def _collected(report: Report, patches: Patches, *, quiet: bool) -> tuple[dict[str, int], int]:
    """Put the changes of all diagnoses together, the worst first.

    How many errors of each loss are cured, and how many of all are not.
    """
    told = [(loss, one) for loss in report.losses for one in loss.diagnoses]
    told = [pair for pair in told if pair[1].severity != Severity.NOTE]
    told.sort(key=lambda pair: pair[1].severity != Severity.ERROR)
    fixed: dict[str, int] = {}
    left = 0
    for loss, one in told:
        error = one.severity == Severity.ERROR
        try:
            if one.verified and one.diff:
                patches.add(one.diff)
                said = f"fixed: clears {_codes(loss, one.clears)}"
                fixed[loss.target] = fixed.get(loss.target, 0) + error
            else:
                said = UNKNOWN
        except ConflictError:
            said = OVERLAPS
        left += error and not said.startswith("fixed")
        if not quiet:
            _tell(loss, one, said)
    return fixed, left


def _tell(loss: LossReport, one: Diagnosis, said: str) -> None:
    where = one.location
    place = "" if where is None else f"  {where.file}:{where.line}"
    codes = _codes(loss, one.findings)
    print(f"{loss.target}  {one.severity}  {codes}{place}  {said}", file=sys.stderr)


def _codes(loss: LossReport, ids: Sequence[str]) -> str:
    return ", ".join(sorted({f.code for f in loss.findings if f.id in ids}))


def _refuse_uncommitted(patches: Patches, *, force: bool) -> None:
    """Refuse files outside the folder, and those with changes that git could not bring back."""
    for file in patches.versions:
        if not file.resolve().is_relative_to(patches.base):
            raise UsageError(f"--write changes nothing outside of {patches.base}: {file}")
        told = subprocess.run(
            ["git", "status", "--porcelain", "--", file.name],
            cwd=file.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode == 0 and told.stdout.strip() and not force:
            raise UsageError(
                f"{file.relative_to(patches.base)} has changes that are not committed; commit "
                "them, or write with --force"
            )


def _written(patches: Patches, before: Report, fixed: dict[str, int], held: Settings) -> bool:
    """Write the files and check once more; put them back where an error is left or new."""
    for file, text in patches.changed.items():
        save(text, file, KEPT)
    wanted = {
        loss.target: _errors(loss) - fixed.get(loss.target, 0)
        for loss in before.losses
        if fixed.get(loss.target, 0)
    }
    worse = [loss.target for loss in _again(wanted, held) if _errors(loss) > wanted[loss.target]]
    for file, text in patches.texts.items() if worse else ():
        save(text, file, KEPT)
    if worse:
        print(f"not written: with all changes {', '.join(worse)} has errors", file=sys.stderr)
    else:
        files = ", ".join(str(file.relative_to(patches.base)) for file in patches.versions)
        print(f"written: {files}", file=sys.stderr)
    return not worse


def _errors(loss: LossReport) -> int:
    return sum(one.severity == Severity.ERROR for one in loss.diagnoses)


def _again(targets: dict[str, int], held: Settings) -> list[LossReport]:
    """Check losses in processes of their own, which import what was written."""
    from losscheck.engine.task import Task
    from losscheck.engine.workers import examined

    tasks = [Task(target=target, settings=held) for target in targets]
    with streams.stdout_to_stderr():
        events = examined(tasks, held)
        return [event.report for event in events if isinstance(event, Finished)]
