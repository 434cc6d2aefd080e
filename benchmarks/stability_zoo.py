"""The zoo under losscheck: what is found, on which line, and which sound twins are alarmed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs

import losscheck
from losscheck.model import Finding, LossReport
from losscheck.rules import BUILT_IN
from tests.zoo.judging import alarms, faults, hits, right_line
from tests.zoo.specimen import Specimen

MASKING = frozenset({"LC102"})  # what it finds keeps others from judging
BUILT = frozenset(rule.code for rule in BUILT_IN)
Tell = Callable[[str], None]


@attrs.frozen(kw_only=True, eq=False)
class Looked:
    """What was said of one specimen.

    Attributes
    ----------
    found
        Of a code and a severity that find the fault, as "LC203 error".
    line
        Whether the first of them blames the right line; None where no line is to blame.
    blamed
        The line that it blames.
    others
        What was said instead, where nothing was found.
    alarms
        Errors on the sound twin: code, message and line. Faults of losscheck itself are among them.
    seconds
        Of the faulty loss and of its twin.
    """

    specimen: Specimen
    found: tuple[str, ...]
    line: bool | None
    blamed: str
    others: tuple[str, ...]
    alarms: tuple[str, ...]
    seconds: tuple[float, float]


@attrs.frozen(kw_only=True, eq=False)
class Rates:
    """Shares between 0 and 1, and the counts that they are of.

    Attributes
    ----------
    recall
        Found, of all specimens whose symptom comes about.
    line
        Right, of those found that have a line to blame.
    alarmed
        Of all twins.
    """

    recall: float
    line: float
    alarmed: float
    specimens: int
    lines: int
    twins: int


def look(specimens: Sequence[Specimen], tell: Tell, *, declared: bool) -> list[Looked]:
    """Check every specimen and its twin, with their domains declared or with nothing."""
    looked = []
    checks = Checks(declared)
    for number, specimen in enumerate(specimens, 1):
        looked.append(look_at(specimen, checks))
        tell(f"{number}/{len(specimens)} {describe(looked[-1])}")
    return looked


class Checks:
    """Checks losses, each once: several specimens have the same twin.

    Parameters
    ----------
    declared
        Whether losscheck is told the domains and shapes.
    """

    def __init__(self, declared: bool) -> None:
        self.declared = declared
        self._known: dict[tuple[Any, ...], tuple[LossReport, float]] = {}

    def of(
        self, specimen: Specimen, loss: Callable[..., Any], select: Sequence[str] = ()
    ) -> tuple[LossReport, float]:
        """Give the report, and the seconds that it took."""
        arguments = dict(specimen.arguments) if self.declared else None
        key = (loss, str(arguments), specimen.dtypes, specimen.order, tuple(select))
        if key not in self._known:
            begin = time.perf_counter()
            report = losscheck.check(
                loss,
                arguments=arguments,
                dtypes=specimen.dtypes,
                order=specimen.order,
                select=select,
            )
            self._known[key] = report, time.perf_counter() - begin
        return self._known[key]


def look_at(specimen: Specimen, checks: Checks) -> Looked:
    """Check one specimen and its twin."""
    # Whether a fault is found is for the rules that it is about; a twin must stand before them all.
    asked = (specimen.codes | specimen.guessed | MASKING) & BUILT if specimen.codes else ()
    faulty, first = checks.of(specimen, specimen.faulty, sorted(asked))
    sound, second = checks.of(specimen, specimen.sound)
    found = hits(specimen, faulty, declared=checks.declared)
    return Looked(
        specimen=specimen,
        found=tuple(f"{finding.code} {finding.severity}" for finding in found),
        line=right_line(specimen, found),
        blamed=_line(found[0]) if found else "",
        others=tuple(_short(finding) for finding in faulty.findings if finding not in found),
        alarms=(*map(_short, alarms(sound)), *faults(sound)),
        seconds=(first, second),
    )


def rates(looked: Sequence[Looked]) -> Rates:
    """Count."""
    there = [one for one in looked if one.specimen.reproduced]
    lines = [one.line for one in there if one.line is not None]
    return Rates(
        recall=_share([bool(one.found) for one in there]),
        line=_share(lines),
        alarmed=_share([bool(one.alarms) for one in looked]),
        specimens=len(there),
        lines=len(lines),
        twins=len(looked),
    )


def describe(one: Looked) -> str:
    """Say on one line what was said of a specimen."""
    found = ", ".join(dict.fromkeys(one.found)) or "MISSED"
    line = {True: "right line", False: f"line {one.blamed!r}", None: ""}[one.line]
    alarmed = f"TWIN {one.alarms}" if one.alarms else ""
    seconds = "+".join(f"{second:.0f}" for second in one.seconds)
    return f"{one.specimen.name}: {found} {line} {alarmed} {seconds} s"


def _share(truths: Sequence[bool]) -> float:
    return sum(truths) / len(truths) if truths else 1.0


def _line(finding: Finding) -> str:
    return "" if finding.location is None else finding.location.source.strip()


def _short(finding: Finding) -> str:
    return f"{finding.code} {finding.severity}: {finding.message} at `{_line(finding)}`"
