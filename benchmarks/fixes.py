"""What of the zoo's faults has a verified fix, and whether such a fix is what it says.

Each verified fix is written to a file of its own and checked once more from there, by all rules, as
a loss that nobody has seen; and it is compared with the loss as it was (`losscheck diff`): it may
differ where it repairs, and next to a singular point that it is kept away from. Where a finding
says of the numbers themselves that they are wrong, as of shapes that are broadcast, there is
nothing to compare them with.
"""

from __future__ import annotations

import contextlib
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import attrs

import losscheck
from benchmarks.markdown import number, percent, table
from losscheck import diagnoses
from losscheck.comparison import Weight
from losscheck.fixes.patch import applied, files_of
from losscheck.model import Diagnosis, LossReport
from losscheck.rules import by_code
from losscheck.rules.base import Doubt
from tests.zoo.catalogue import CATALOGUE
from tests.zoo.faulty import PLANTED
from tests.zoo.specimen import Specimen, called

STEP = 5  # of the faulty losses one is taken: to check each three times takes a minute


@attrs.frozen(kw_only=True)
class Looked:
    """What came of one specimen.

    Attributes
    ----------
    verified
        Whether its first diagnosis has a verified fix.
    left, added
        Codes of errors that the fixed loss has: of the diagnosis, and others that it had not.
    meant
        Whether other numbers are what is asked for.
    changed
        What the comparison says where the fixed loss differs in more than repairs in ordinary
        cases.
    beside
        The same of working cases: next to a singular point, where a bound stands.
    fixing
        Seconds of processor time that the fixes took.
    """

    name: str
    verified: bool
    left: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    meant: bool = False
    changed: str = ""
    beside: str = ""
    fixing: float = 0.0

    @property
    def numbers(self) -> str:
        """What became of them."""
        if not self.verified:
            return ""
        other = "others are right" if self.meant else self.changed
        return other or ("the same but next to a singular point" if self.beside else "the same")


def look_at(specimen: Specimen, folder: Path) -> Looked:
    """Check a specimen, and the same with its fix."""
    with _timed() as spent:
        report = _checked(specimen, specimen.faulty)
    errors = [one for one in report.diagnoses if one.severity == "error"]
    if not errors or not errors[0].verified:
        return Looked(name=specimen.name, verified=False, fixing=sum(spent))
    fixed = _fixed(specimen, errors[0], folder)
    again = _checked(specimen, fixed)
    before, after = (_codes(each) for each in (report, again))
    cleared = {f.code for f in report.findings if f.id in errors[0].clears}
    meant = all(by_code(code).doubt is not Doubt.NOTHING for code in cleared)
    apart = ("", "") if meant else _apart(specimen, fixed)
    return Looked(
        name=specimen.name,
        verified=True,
        left=tuple(sorted(cleared & after)),
        added=tuple(sorted(after - before)),
        meant=meant,
        changed=apart[0],
        beside=apart[1],
        fixing=sum(spent),
    )


@contextlib.contextmanager
def _timed() -> Iterator[list[float]]:
    """Note the processor time of everything that looks for fixes meanwhile."""
    spent: list[float] = []
    with_cures = diagnoses.with_cures

    def timed(*given: Any) -> Any:
        begin = time.process_time()
        try:
            return with_cures(*given)
        finally:
            spent.append(time.process_time() - begin)

    with mock.patch("losscheck.diagnoses.with_cures", timed):
        yield spent


def _checked(specimen: Specimen, loss: Callable[..., Any]) -> LossReport:
    return losscheck.check(
        loss, arguments=dict(specimen.arguments), dtypes=specimen.dtypes, order=specimen.order
    )


def _apart(specimen: Specimen, fixed: Callable[..., Any]) -> tuple[str, str]:
    """What the two losses differ in over ordinary and over working cases, repairs left out."""
    compared = losscheck.compare(
        specimen.faulty, fixed, arguments=dict(specimen.arguments), modes=("graph",)
    )
    found = [d for d in compared.differences if d.weight == Weight.DIFFERENCE]
    ordinary, working = (
        next((d.message for d in found if d.range in (None, reach)), "")
        for reach in ("ordinary", "working")
    )
    return ordinary, working


def _codes(report: LossReport) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity == "error"}


def _fixed(specimen: Specimen, diagnosis: Diagnosis, folder: Path) -> Callable[..., Any]:
    """The loss out of a copy of its file with the fix applied."""
    name, piece = next(iter(files_of(diagnosis.diff).items()))
    file = folder / f"{Path(name).stem}_{called(specimen.faulty)}.py"
    file.write_text(applied(piece, Path(name).read_text(encoding="utf-8")), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    found: Callable[..., Any] = getattr(module, called(specimen.faulty))
    return found if hasattr(specimen.faulty, "__name__") else found()


def describe(looked: Sequence[Looked]) -> str:
    """Give the section on fixes: a sentence, and a row for each loss."""
    fixed = [one for one in looked if one.verified]
    clean = [one for one in fixed if not (one.left or one.added or one.changed)]
    seconds = statistics.median(one.fixing for one in looked)
    said = (
        f"Of {len(looked)} faulty losses (one in {STEP} of the zoo's) {len(fixed)} have a "
        f"verified fix ({percent(len(fixed) / len(looked))}, target >= 80%). Written to a file and "
        f"checked anew by all rules, {len(clean)} of these have no error of the diagnosis left, "
        "none that is new, and the numbers of before on ordinary cases; "
        f"{sum(one.meant for one in clean)} of them give other numbers because those that they had "
        f"are wrong, {sum(bool(one.beside) for one in clean)} differ next to a singular point. The "
        f"fixes take {number(seconds)} s of processor time, median (target <= 1.5 s)."
    )
    head = ["specimen", "verified", "left", "added", "numbers", "seconds"]
    rows = [
        [
            one.name,
            "yes" if one.verified else "no",
            ", ".join(one.left),
            ", ".join(one.added),
            one.numbers,
            f"{one.fixing:.1f}",
        ]
        for one in looked
    ]
    return f"{said}\n\n{table(head, rows)}"


def look_at_fixes(tell: Callable[[str], None], step: int = STEP) -> list[Looked]:
    """Look at every so many-th faulty loss of which an error is expected."""
    wanted = [s for s in (*CATALOGUE, *PLANTED) if s.severity == "error" and s.reproduced][::step]
    looked = []
    with tempfile.TemporaryDirectory() as folder:
        for place, specimen in enumerate(wanted, 1):
            looked.append(look_at(specimen, Path(folder)))
            tell(f"{place}/{len(wanted)} {looked[-1]}")
    return looked
