"""What is said of several losses together, or of none, made without running any."""

from __future__ import annotations

import itertools
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import metadata

import attrs

from losscheck import __version__
from losscheck.engine.events import Done
from losscheck.model import Environment, LossReport, Report, Summary, UsageError, Verdict
from losscheck.settings.settings import Settings

VERSIONS = ("python", "tensorflow", "keras", "numpy", "hypothesis")  # of an environment
Named = tuple[str, Report]  # with the file that it is from
BUILDS = ("tensorflow", "tensorflow-cpu", "tf-nightly", "tensorflow-macos")


def summary(reports: Sequence[LossReport]) -> Summary:
    """Count losses by verdict."""
    count = Counter(Verdict(report.verdict) for report in reports)
    return Summary(
        losses=len(reports),
        passed=count[Verdict.PASS],
        fail=count[Verdict.FAIL],
        inconclusive=count[Verdict.INCONCLUSIVE],
        error=count[Verdict.ERROR],
        cases=sum(report.cases for report in reports),
    )


def merged(given: Sequence[Named]) -> Report:
    """Put the reports of runs together as that of one run over all their losses.

    Parameters
    ----------
    given
        The reports: the shards of one run in any order, or runs of other losses.

    Returns
    -------
    Report
        With the losses in the order in which one run has them; its seconds are those of all.

    Raises
    ------
    UsageError
        They do not belong together; the message names the files.
    """
    for named in given[1:]:
        _check_alike(given[0], named)
    ordered = _in_order(given)
    _check_apart(ordered)
    reports = [report for _, report in ordered]
    losses = tuple(_losses(reports))
    first = min(reports, key=lambda report: report.date)
    platforms = dict.fromkeys(report.environment.platform for report in reports)
    devices = dict.fromkeys(name for report in reports for name in report.environment.devices)
    return attrs.evolve(
        first,
        environment=attrs.evolve(
            first.environment, platform=", ".join(platforms), devices=tuple(devices)
        ),
        seconds=sum(report.seconds for report in reports),
        summary=summary(losses),
        losses=losses,
        left_out=tuple(dict.fromkeys(item for report in reports for item in report.left_out)),
        unexamined=tuple(target for report in reports for target in report.unexamined),
        shard="",
    )


def _check_alike(one: Named, other: Named) -> None:
    """Refuse what was not run alike."""
    (a, first), (b, second) = one, other
    pairs = [("losscheck", first.losscheck, second.losscheck)]
    pairs += [(n, getattr(first.environment, n), getattr(second.environment, n)) for n in VERSIONS]
    pairs += [("the seed", str(first.seed), str(second.seed))]
    for what, here, there in pairs:
        if here != there:
            raise UsageError(
                f"{a} and {b} do not belong together: {what} {here or 'unknown'} there, "
                f"{there or 'unknown'} here; run all parts with the same versions and options"
            )


def _in_order(given: Sequence[Named]) -> list[Named]:
    """Put shards in their order, and see that they are all there."""
    parts: dict[str, str] = {}
    for file, report in given:
        if report.shard in parts and report.shard:
            raise UsageError(f"{parts[report.shard]} and {file} are both shard {report.shard}")
        parts[report.shard] = file
    if set(parts) == {""}:
        return list(given)
    if "" in parts:
        raise UsageError(f"{parts['']} is no shard, and others are; merge those of one run")
    counts = {name.partition("/")[2] for name in parts}
    if len(counts) > 1 or not all(map(_is_part, parts)):
        raise UsageError(f"the shards {', '.join(parts)} are not those of one run")
    of = int(counts.pop())
    if len(parts) < of:
        first = next(i for i in range(1, of + 1) if f"{i}/{of}" not in parts)
        raise UsageError(
            f"the run is not whole: shard {first}/{of} is missing; name the reports of all {of}"
        )
    return sorted(given, key=lambda named: int(named[1].shard.partition("/")[0]))


def _is_part(shard: str) -> bool:
    part, _, of = shard.partition("/")
    return part.isdecimal() and of.isdecimal() and 1 <= int(part) <= int(of)


def _check_apart(given: Sequence[Named]) -> None:
    """Refuse losses that several reports have."""
    where: dict[str, str] = {}
    for file, report in given:
        for loss in report.losses:
            if loss.target in where and not (report.shard and _unexamined(loss)):
                raise UsageError(
                    f"{loss.target} is in {where[loss.target]} and in {file}; name one of them"
                )
            where[loss.target] = file


def _unexamined(loss: LossReport) -> bool:
    """Say whether a loss was examined by none: its module could not be imported, by no part."""
    return loss.own_seed is None


def _losses(reports: Sequence[Report]) -> Iterator[LossReport]:
    """Give the losses as one run has them: of shards, one of each in turn."""
    if not reports[0].shard:
        yield from (loss for report in reports for loss in report.losses)
        return
    known = {loss.target: loss for report in reports for loss in report.losses}
    for turn in itertools.zip_longest(*(report.losses for report in reports)):
        for loss in turn:
            if loss is not None and known.pop(loss.target, None) is not None:
                yield loss


def nothing(settings: Settings) -> Done:
    """Report that no loss was examined, as it was asked for."""
    report = Report(
        losscheck=__version__,
        environment=installed(),
        seed=settings.seed,
        seconds=0.0,
        summary=Summary(losses=0, passed=0, fail=0, inconclusive=0, error=0, cases=0),
        losses=(),
        shard=settings.part,
    )
    return Done(report=report)


def installed() -> Environment:
    """Versions as the packages that are installed state them; devices are not looked for."""
    return Environment(
        python=platform.python_version(),
        tensorflow=_version(*BUILDS),
        keras=_version("keras", "keras-nightly"),
        numpy=_version("numpy"),
        hypothesis=_version("hypothesis"),
        platform=platform.platform(),
    )


def _version(*names: str) -> str:
    """The version of the first of these packages that is installed; "" without any."""
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""
