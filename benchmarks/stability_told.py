"""How losses of the zoo are told: diagnoses for a fault, lines of text, warnings of sound ones."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import attrs

import losscheck
from benchmarks.claims import Claim, claims
from benchmarks.markdown import percent, table
from losscheck.model import LossReport, Severity
from losscheck.report.text import loss_text
from losscheck.report.verdicts import View
from tests.zoo.specimen import Specimen

SHORT, LONGEST = 30, 45  # lines that a faulty loss may print: nearly always, and ever


@attrs.frozen(kw_only=True, eq=False)
class Told:
    """What is said of one specimen and of its twin, with every rule.

    Attributes
    ----------
    errors
        Diagnoses of the faulty loss that are errors.
    verified
        Whether the first of them has a fix that was applied and run; None without an error.
    lines
        Of the text on the faulty loss.
    warnings
        Diagnoses of the twin that are warnings.
    claims
        The numbers in what is said of the faulty loss.
    """

    name: str
    errors: int
    verified: bool | None
    lines: int
    warnings: int
    claims: tuple[Claim, ...] = ()


def tell_of(specimens: Sequence[Specimen], tell: Callable[[str], None]) -> list[Told]:
    """Check every specimen and its twin."""
    made = []
    for number, specimen in enumerate(specimens, 1):
        faulty, sound = (_report(specimen, loss) for loss in (specimen.faulty, specimen.sound))
        said = [claim for each in faulty.findings for claim in claims(each, specimen.faulty)]
        made.append(attrs.evolve(told(specimen.name, faulty, sound), claims=tuple(said)))
        tell(f"{number}/{len(specimens)} {made[-1]}")
    return made


def told(name: str, faulty: LossReport, sound: LossReport) -> Told:
    """Count what two reports say."""
    errors = [each for each in faulty.diagnoses if each.severity == Severity.ERROR]
    return Told(
        name=name,
        errors=len(errors),
        verified=errors[0].verified if errors else None,
        lines=len(loss_text(faulty, View()).splitlines()),
        warnings=sum(each.severity == Severity.WARNING for each in sound.diagnoses),
    )


def describe_told(made: Sequence[Told]) -> str:
    """Give the section, beside its targets."""
    failing = [one for one in made if one.errors]
    alone = sum(one.errors == 1 for one in failing) / len(failing)
    brief = sum(one.lines <= SHORT for one in made) / len(made)
    cured = sum(bool(one.verified) for one in failing) / len(failing)
    said = [claim for one in made for claim in one.claims]
    again = [claim for claim in said if claim.holds is not None]
    figures = table(
        ["figure", "measured", "target", "of"],
        [
            ["faulty losses with one error diagnosis", percent(alone), ">= 90%", str(len(failing))],
            ["most error diagnoses", str(max(one.errors for one in failing)), "<= 2", ""],
            ["with a verified fix", percent(cured), ">= 80%", str(len(failing))],
            [f"faulty losses told in {SHORT} lines", percent(brief), ">= 95%", str(len(made))],
            ["most lines", str(max(one.lines for one in made)), f"<= {LONGEST}", ""],
            ["warnings of a sound loss, median", _median(made), "0", str(len(made))],
            ["numbers told that the loss gives again", _share(again), "100%", str(len(again))],
            ["numbers of what is no expression there", str(len(said) - len(again)), "", ""],
        ],
    )
    sentence = (
        f"{percent(alone)} of {len(failing)} faulty losses with an error have one error diagnosis, "
        f"{percent(cured)} a verified fix."
    )
    head = ["specimen", "error diagnoses", "verified", "lines", "warnings of the twin"]
    rows = [
        [
            one.name,
            str(one.errors),
            {True: "yes", False: "no", None: "-"}[one.verified],
            str(one.lines),
            str(one.warnings),
        ]
        for one in made
    ]
    wrong = [f"- {one.name}: {c.said}" for one in made for c in one.claims if c.holds is False]
    listed = ["Numbers that the loss does not give again:\n\n" + "\n".join(wrong)] if wrong else []
    return "\n\n".join([sentence, figures, *listed, table(head, rows)])


def _share(again: Sequence[Claim]) -> str:
    return percent(sum(bool(claim.holds) for claim in again) / len(again)) if again else "-"


def _median(made: Sequence[Told]) -> str:
    return f"{statistics.median(one.warnings for one in made):g}"


def _report(specimen: Specimen, loss: Callable[..., object]) -> LossReport:
    return losscheck.check(
        loss,
        arguments=dict(specimen.arguments),
        dtypes=specimen.dtypes,
        order=specimen.order,
    )
