"""What of the zoo's faults has a verified fix, and whether such a fix is what it says.

    python -m benchmarks.fixes [STEP]

takes every STEP-th faulty loss of which an error is expected. Each verified fix is written to a
file of its own and checked once more from there, by all rules, as a loss that nobody has seen; and
it is compared with the loss as it was (`losscheck diff`): it may differ where it repairs, and next
to a singular point that it is kept away from. Where a finding says of the numbers themselves that
they are wrong, as of shapes that are broadcast, there is nothing to compare them with.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs

import losscheck
from losscheck.comparison import Weight
from losscheck.fixes.merged import applied, files_of
from losscheck.model import Diagnosis, LossReport
from losscheck.rules import by_code
from losscheck.rules.base import Doubt
from tests.zoo.catalogue import CATALOGUE
from tests.zoo.faulty import PLANTED
from tests.zoo.specimen import Specimen, called


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
    seconds
        Of processor time, of the check.
    """

    name: str
    verified: bool
    left: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    meant: bool = False
    changed: str = ""
    beside: str = ""
    seconds: float = 0.0


def look_at(specimen: Specimen, folder: Path) -> Looked:
    """Check a specimen, and the same with its fix."""
    begin = time.process_time()
    report = _checked(specimen, specimen.faulty)
    seconds = time.process_time() - begin
    errors = [one for one in report.diagnoses if one.severity == "error"]
    if not errors or not errors[0].verified:
        return Looked(name=specimen.name, verified=False, seconds=seconds)
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
        seconds=seconds,
    )


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
    found: Any = getattr(module, called(specimen.faulty))
    return found if callable(specimen.faulty) and hasattr(specimen.faulty, "__name__") else found()


def table(looked: Sequence[Looked]) -> str:
    """The figures as Markdown."""
    fixed = [one for one in looked if one.verified]
    sound = [one for one in fixed if not (one.left or one.added or one.changed)]
    rows = [
        "| faulty losses | verified fix | of these: clean when checked again | seconds (median) |",
        "|---|---|---|---|",
        f"| {len(looked)} | {len(fixed)} ({len(fixed) / max(1, len(looked)):.0%}) "
        f"| {len(sound)} | {sorted(one.seconds for one in looked)[len(looked) // 2]:.1f} |",
    ]
    bounds, meant = sum(bool(one.beside) for one in sound), sum(one.meant for one in sound)
    rows += [
        "",
        f"{bounds} of the clean ones are another function next to a singular point; {meant} give "
        "other numbers because those that they had are wrong.",
        "",
    ]
    doubtful = [one for one in fixed if one not in sound]
    rows += [
        f"- {one.name}: left {', '.join(one.left) or 'none'}; added "
        f"{', '.join(one.added) or 'none'}; {one.changed or 'same'}"
        for one in doubtful
    ]
    return "\n".join(rows)


def main(step: int) -> None:
    """Measure, and print the figures."""
    wanted = [s for s in (*CATALOGUE, *PLANTED) if s.severity == "error" and s.reproduced][::step]
    looked = []
    with tempfile.TemporaryDirectory() as folder:
        for specimen in wanted:
            looked.append(look_at(specimen, Path(folder)))
            print(looked[-1], file=sys.stderr, flush=True)
    print(table(looked))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
