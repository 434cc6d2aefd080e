"""Reports of losses that have not changed, kept from run to run in the folder `.losscheck`."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import attrs

from losscheck import __version__
from losscheck.engine.whole import summary
from losscheck.keeping import folder
from losscheck.keeping.folder import LARGEST, Folder
from losscheck.model import Environment, LeftOut, LossReport, Report, UsageError, Verdict
from losscheck.report.json import from_json, to_json
from losscheck.rules.execution.process import Crash, Timeout
from losscheck.selection import Selection
from losscheck.selection.dependencies import Dependencies
from losscheck.settings.settings import Settings

ENDED = frozenset({Crash.code, Timeout.code})  # another run may come to an end


@attrs.frozen(kw_only=True, eq=False)
class Whole:
    """All that a run would find, without a loss run."""

    losses: tuple[LossReport, ...]
    left_out: tuple[LeftOut, ...]
    said: tuple[str, ...]  # what is told of the choice of losses: lines


SECONDS = folder.digest("seconds")  # what is kept of how long losses took
MOST_LOSSES = 10_000  # of which that is kept


class Kept:
    """Reports that are kept from run to run.

    Attributes
    ----------
    environment
        That the losses were run in whose reports were given; None before that.
    """

    def __init__(self, targets: Sequence[str], settings: Settings) -> None:
        self.environment: Environment | None = None
        self._targets = targets
        self._settings = settings
        self._begin = time.time()
        self._variables = folder.environment()
        self._versions = folder.versions(self._variables)
        self.folder = Folder(Path(settings.home or settings.directory).resolve())
        self._before = self._dependencies()
        self._asked: dict[str, str | None] = {}  # loss -> the digest that it was looked up by

    def whole(self) -> Whole | None:
        """Give what the run comes to where nothing at all has changed; None otherwise."""
        try:
            chosen = Selection(self._targets, self._settings)
            key = self._of_run(self._before, chosen.targets)
            text = self.folder.read(key) if key else None
            if text is None:
                return None
            tree = json.loads(text)
            wanted = [name for name in tree["losses"] if chosen.takes(name)]
            left_out = tuple(LeftOut(**item) for item in tree["left_out"])
        except (UsageError, ValueError, TypeError, KeyError):  # told, or made anew, by a run
            return None
        found = self.losses(wanted)
        if len(found) < len(wanted):
            return None
        return Whole(
            losses=tuple(found.values()),
            left_out=left_out,
            said=chosen.said(),
        )

    def losses(self, targets: Iterable[str]) -> dict[str, LossReport]:
        """Give the reports of those losses that have not changed, by target."""
        found = {target: self._report(target) for target in targets}
        reports = {target: report for target, report in found.items() if report is not None}
        for report in reports.values():
            self.environment = self.environment or report.environment
        return {target: _loss(report) for target, report in reports.items()}

    def keep(self, report: Report, losses: Collection[str], left_out: Sequence[LeftOut]) -> bool:
        """Keep what a run has found.

        Parameters
        ----------
        losses
            The targets of all losses that there are, before any was left out as unchanged; none
            where that is not known.

        Returns
        -------
        bool
            Whether the folder could be written.
        """
        now = self._dependencies()
        able = True
        for loss in report.losses:
            key = self._of_loss(now, loss.target)
            if key is not None and key == self._asked.get(loss.target) and _lasts(loss):
                alone = attrs.evolve(report, losses=(loss,), summary=summary([loss]), left_out=())
                able &= self._write(key, to_json(alone))
        chosen = Selection(self._targets, self._settings).targets
        key = self._of_run(now, chosen) if losses else None
        if key is not None and now.newest <= self._begin:
            items = [attrs.asdict(item) for item in left_out]
            able &= self._write(key, json.dumps({"losses": list(losses), "left_out": items}))
        able &= self._keep_seconds([loss for loss in report.losses if not loss.kept])
        self.folder.trim()
        return able

    def seconds(self) -> dict[str, float]:
        """How long losses took when they were examined last, by target."""
        try:
            tree = json.loads(self.folder.read(SECONDS) or "{}")
            return {str(target): float(taken) for target, taken in tree.items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def _keep_seconds(self, losses: Sequence[LossReport]) -> bool:
        known = self.seconds() | {loss.target: loss.seconds for loss in losses}
        return self._write(SECONDS, json.dumps(dict(list(known.items())[-MOST_LOSSES:])))

    def _dependencies(self) -> Dependencies:
        directory = Path(self._settings.directory).resolve()
        home = Path(self._settings.home).resolve() if self._settings.home else None
        return Dependencies(self._targets, directory, home, self._variables)

    def _report(self, target: str) -> Report | None:
        key = self._of_loss(self._before, target)
        self._asked[target] = key
        text = self.folder.read(key) if key else None
        if key is None or text is None:
            return None
        try:
            report = from_json(text)
        except UsageError:
            self.folder.drop(key)
            return None
        own = [loss for loss in report.losses if loss.target == target]
        return report if len(own) == 1 and report.losscheck == __version__ else None

    def _of_loss(self, dependencies: Dependencies, target: str) -> str | None:
        """The digest of all that the report of a loss depends on."""
        sources = dependencies.of_loss(target)
        settings = folder.of_loss(target, self._settings)
        if sources is None or settings is None or dependencies.newest > self._begin:
            return None
        return folder.digest("loss", self._versions, sources, settings)

    def _of_run(self, dependencies: Dependencies, targets: Sequence[str]) -> str | None:
        """The digest of all that says which losses there are."""
        places = [dependencies.of_place(target) for target in targets]
        if None in places:
            return None
        return folder.digest("run", self._versions, places, folder.of_run(self._settings))

    def _write(self, key: str, text: str) -> bool:
        return len(text) > LARGEST or self.folder.write(key, text)


def _loss(report: Report) -> LossReport:
    """The loss of a report that was kept, which says so."""
    return attrs.evolve(report.losses[0], kept=report.date)


def _lasts(loss: LossReport) -> bool:
    """Say whether the report of a loss is what any other run would come to."""
    ended = loss.own_seed is None or any(finding.code in ENDED for finding in loss.findings)
    return not (ended or loss.faults or loss.kept or loss.verdict == Verdict.ERROR)
