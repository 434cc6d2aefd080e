"""The stability report as one page, all losses together first; nothing is loaded from elsewhere.

Without JavaScript the page is whole; with it, losses are sorted and filtered, and code is copied.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

import attrs
from markupsafe import Markup

from losscheck.model import Check, LossReport, Outcome, Report, Severity, Verdict
from losscheck.report import told, words
from losscheck.report.pictures import pictures
from losscheck.report.templating import plain, templates
from losscheck.report.told import Told
from losscheck.report.verdicts import View

VERDICTS = tuple(each.value for each in (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE))
SIGNS = {  # outcome -> its sign and what it means, the worst first
    Outcome.ERROR: ("‼", "fault of losscheck"),
    Outcome.FAIL: ("✕", "error"),
    Outcome.WARN: ("!", "warning"),
    Outcome.INCONCLUSIVE: ("?", "undecided"),
    Outcome.NOTE: ("i", "note"),
    Outcome.PASS: ("✓", "pass"),
    Outcome.SKIP: ("\N{EN DASH}", "not run"),
}
OF_SEVERITY = {
    Severity.ERROR: Outcome.FAIL,
    Severity.WARNING: Outcome.WARN,
    Severity.NOTE: Outcome.NOTE,
}
OTHER = "other rules"  # those of other packages
LONGEST = 48  # characters of a name in an anchor, and in the overview twice as many


@attrs.frozen
class Script:
    """The script of the page, and the digest by which the page allows it and no other."""

    text: Markup
    digest: str


def render(report: Report, view: View) -> str:
    """Write the page, with what changed since an earlier report."""
    page = templates().get_template("stability.html.j2")
    made = rows(report)
    shown = {
        "made": " · ".join(_made(report)),
        "found": _found(report),
        "families": families(report),
        "rows": made,
        "signs": signs(made),
        "unchecked": unchecked(report),
        "choices": choices(report, made),
        "changes": view.changes,
    }
    drawn = {row.anchor: pictures(row.loss, f"p{number}") for number, row in enumerate(made)}
    return page.render(report=report, overview=shown, pictures=drawn, script=_script()) + "\n"


def _script() -> Script:
    text = resources.files("losscheck.report").joinpath("templates/page.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(Markup(text), f"sha256-{digest}")


def _made(report: Report) -> list[str]:
    """With what the report was made."""
    env = report.environment
    return [
        *filter(None, [words.date(report)]),
        f"losscheck {report.losscheck}",
        f"seed {report.seed}",
        f"TensorFlow {env.tensorflow}",
        f"Keras {env.keras}",
        f"Python {env.python}",
    ]


def _found(report: Report) -> dict[str, int]:
    """Count the diagnoses of all losses, by severity."""
    return {
        severity: sum(told.count(loss, severity) for loss in report.losses)
        for severity in words.SEVERITIES
    }


@attrs.frozen(kw_only=True)
class Cell:
    """What came of one family of rules on one loss."""

    family: str
    state: str  # Outcome
    sign: str
    says: str
    rank: int  # for sorting: the worst is 0
    goal: str  # the finding that it links to; "" for none


@attrs.frozen(kw_only=True, eq=False)
class Row:
    """One loss, as the page has it."""

    loss: LossReport
    anchor: str
    name: tuple[str, ...]  # its target, cut where that is very long, in parts that stay whole
    module: str
    rank: int  # of its verdict: the worst is 0
    cells: tuple[Cell, ...]
    told: tuple[Told, ...]  # errors and warnings
    notes: tuple[Told, ...]
    outcomes: tuple[tuple[str, int], ...]  # how many checks came to each, the worst first


def rows(report: Report) -> list[Row]:
    """Give the losses, those that fail first."""
    anchors = _anchors(report.losses)
    shown = families(report)
    made = [_row(loss, anchors[index], shown) for index, loss in enumerate(report.losses)]
    return sorted(made, key=_weight)


def _weight(row: Row) -> tuple[int, int, int]:
    errors, warnings = (told.count(row.loss, each) for each in words.SEVERITIES[:2])
    return row.rank, -errors, -warnings


def _row(loss: LossReport, anchor: str, shown: Sequence[str]) -> Row:
    found = told.told(loss)
    module, colon, _ = loss.target.partition(":")
    cut = _cut(plain(words.one_line(loss.target)))
    worst = (*VERDICTS, Verdict.PASS.value)
    counts = Counter(check.outcome for check in loss.checks)
    return Row(
        loss=loss,
        anchor=anchor,
        name=tuple(part for part in re.split(r"(?<=[.:/_(,])", cut) if part),
        module=_cut(words.one_line(module)) if colon else "Keras",
        rank=worst.index(loss.verdict),
        cells=tuple(_cell(loss, family) for family in shown),
        told=tuple(each for each in found if each.severity != Severity.NOTE),
        notes=tuple(each for each in found if each.severity == Severity.NOTE),
        outcomes=tuple((each.value, counts[each]) for each in SIGNS if counts[each]),
    )


def _cut(text: str) -> str:
    return text if len(text) <= 2 * LONGEST else f"{text[: 2 * LONGEST]}..."


def families(report: Report) -> list[str]:
    """Name the families of rules that the matrix shows; that of other packages where it is met."""
    codes = [check.code for loss in report.losses for check in loss.checks]
    codes += [finding.code for loss in report.losses for finding in loss.findings]
    others = [OTHER] if OTHER in map(_family, codes) else []
    return [*words.FAMILIES.values(), *others]


def _family(code: str) -> str:
    return words.FAMILIES.get(code[2:3], OTHER) if code.startswith("LC") else OTHER


def _cell(loss: LossReport, family: str) -> Cell:
    """Judge a family by the worst of its rules, and name these."""
    by_outcome: dict[Outcome, dict[str, None]] = {each: {} for each in SIGNS}
    for check in loss.checks:
        if _family(check.code) == family:
            by_outcome[Outcome(check.outcome)][f"{check.code} {check.slug}"] = None
    goals: dict[Outcome, str] = {}
    for finding in (f for each in told.told(loss) for f in each.findings):
        if _family(finding.code) == family:
            outcome = OF_SEVERITY[Severity(finding.severity)]
            by_outcome[outcome][f"{finding.code} {finding.slug}"] = None
            goals.setdefault(outcome, finding.id)
    state = next((each for each, rules in by_outcome.items() if rules), Outcome.SKIP)
    sign, meaning = SIGNS[state]
    rules = list(by_outcome[state])
    named = state not in (Outcome.PASS, Outcome.SKIP)
    count = f": {', '.join(rules)}" if named else f" ({words.plural(len(rules), 'rule')})"
    return Cell(
        family=family,
        state=state.value,
        sign=sign,
        says=f"{family}: {meaning}{count if rules else ''}",
        rank=list(SIGNS).index(state),
        goal=goals.get(state, ""),
    )


def signs(made: Iterable[Row]) -> list[tuple[str, str, str]]:
    """Explain the signs that the matrix has."""
    met = {cell.state for row in made for cell in row.cells}
    return [(state.value, *told_as) for state, told_as in SIGNS.items() if state.value in met]


def unchecked(report: Report) -> list[tuple[str, str, str]]:
    """Name the rules that were not run or decided: why, which, and on which losses if not all."""
    found: dict[str, dict[str, dict[str, None]]] = {}  # reason -> rule -> losses
    for loss in report.losses:
        for outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.SKIP):
            for reason, checks in words.by_reason(loss, outcome).items():
                for check in filter(_missed, checks):
                    rules = found.setdefault(reason, {})
                    rules.setdefault(f"{check.code} {check.slug}", {})[loss.target] = None
    told_as = []
    for reason, rules in found.items():
        losses = {target for targets in rules.values() for target in targets}
        every = len(losses) == len(report.losses)
        told_as.append((reason, ", ".join(sorted(rules)), "" if every else _listed(losses)))
    return told_as


def _missed(check: Check) -> bool:
    """Say whether a check that did not run could have said something."""
    return check.applies or check.outcome != Outcome.SKIP


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(_cut(words.one_line(name)) for name in names)
    more = len(ordered) - words.FEW
    return ", ".join(ordered[: words.FEW]) + (f" and {more} more" if more > 0 else "")


def choices(report: Report, made: Sequence[Row]) -> Mapping[str, Mapping[str, str]]:
    """What can be filtered by: of each field the values that occur, and how each is shown."""
    findings = sorted(
        (finding for loss in report.losses for finding in loss.findings), key=lambda f: f.code
    )
    present = {row.loss.verdict for row in made}
    severities = {finding.severity for finding in findings}
    modules = sorted({row.module for row in made})
    return {
        "verdict": {each: each for each in (*VERDICTS, Verdict.PASS.value) if each in present},
        "severity": {each: each for each in words.SEVERITIES if each in severities},
        "rule": {f.code: f"{f.code} {f.slug}" for f in findings},
        "module": {each: each for each in modules},
    }


def _anchors(losses: Sequence[LossReport]) -> list[str]:
    """Name each loss for links: the same name from run to run, and no two alike."""
    found: dict[str, None] = {}  # a set that keeps its order
    for loss in losses:
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", loss.target).strip("-")
        if len(name) > LONGEST or not name:
            digest = hashlib.sha256(loss.target.encode("utf-8", "backslashreplace")).hexdigest()
            name = f"{name[:LONGEST]}-{digest[:8]}"
        anchor, number = f"loss-{name}", 2
        while anchor in found:
            anchor, number = f"loss-{name}-{number}", number + 1
        found[anchor] = None
    return list(found)
