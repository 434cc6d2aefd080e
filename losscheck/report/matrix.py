"""Two tables of a loss: dtypes by modes, and the shapes that were tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from losscheck.model import Execution, Layout, LossReport
from losscheck.report import words

# Outcome -> how it is coloured, as the badge of that name.
TONES = {
    "agrees": "pass",
    "differs": "fail",
    "not finite": "warn",
    "broadcasts": "warn",
    "raises": "warn",
    "not run": "dim",
}
LONGEST = 120  # characters of what was raised
REFUSED = "mismatched ranks"  # to raise is right there


@attrs.frozen(kw_only=True)
class Cell:
    """What is said in a cell, in which tone, and what it was counted over."""

    text: str
    tone: str = ""
    counted: str = ""


@attrs.frozen(kw_only=True)
class Table:
    """A table with the names of its columns and rows, and what it shows."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    says: str


def tables(loss: LossReport) -> tuple[Table, ...]:
    """Give the tables that a report has something for."""
    made = (_executions(loss.executions), _layouts(loss.layouts))
    return tuple(table for table in made if table is not None)


def _executions(cells: Sequence[Execution]) -> Table | None:
    if not cells:
        return None
    dtypes, modes = (list(dict.fromkeys(getattr(c, n) for c in cells)) for n in ("dtype", "mode"))
    at = {(cell.dtype, cell.mode): cell for cell in cells}
    return Table(
        head=("", *modes),
        rows=tuple((d, tuple(_ran(at[d, m]) for m in modes)) for d in dtypes),
        says=f"{'; '.join(_of_executions(cells))}.",
    )


def _ran(cell: Execution) -> Cell:
    text = "NaN or Inf" if cell.outcome == "not finite" else cell.outcome
    if not cell.cases:
        counted = words.plural(cell.count, "case") if cell.count else ""
    elif cell.count and cell.outcome != "reference":
        counted = f"{cell.count:,} of {words.plural(cell.cases, 'case')}"
    else:
        counted = words.plural(cell.cases, "case")
    return Cell(text=text, tone=TONES.get(cell.outcome, ""), counted=counted)


def _of_executions(cells: Sequence[Execution]) -> Iterator[str]:
    """Say what the table shows, a part an outcome."""
    by = {outcome: [c for c in cells if c.outcome == outcome] for outcome in (*TONES, "runs")}
    for cell in (each for each in cells if each.outcome == "reference" and each.count):
        of = f"{cell.count:,} of {words.plural(cell.cases, 'ordinary or working case')}"
        yield f"the {cell.mode} in {cell.dtype} gives NaN or Inf at {of}"
    if by["agrees"]:
        names = _and(map(_named, by["agrees"]))
        verb = _verb("agree", by["agrees"])
        yield f"{names} {verb} with the graph in float32 to two digits or as rounding explains"
    for cell in by["differs"]:
        yield f"{_named(cell)} differs from the graph in float32 at {_ran(cell).counted}"
    for cell in by["not finite"]:
        yield f"{_named(cell)} gives NaN or Inf at {_ran(cell).counted}"
    if by["raises"]:
        names = _and(map(_named, by["raises"]))
        yield f"{names} {_verb('raise', by['raises'])} {_brief(by['raises'][0].reason)}"
    for cell in (each for each in by["runs"] if each.cases):
        yield f"{_named(cell)} gives no NaN or Inf of its own at {_ran(cell).counted}"
    if traced := [each for each in by["runs"] if not each.cases]:
        yield f"{_and(map(_named, traced))} {_verb('run', traced)}"


def _named(cell: Execution) -> str:
    """Name a way of running: the mode in float32, the dtype as a graph."""
    if cell.dtype == "float32":
        return "XLA" if cell.mode == "xla" else cell.mode
    return cell.dtype if cell.mode == "graph" else f"{cell.dtype} ({cell.mode})"


def _verb(verb: str, group: Sequence[object]) -> str:
    return verb if len(group) > 1 else f"{verb}s"


def _layouts(layouts: Sequence[Layout]) -> Table | None:
    if not layouts:
        return None
    groups: dict[tuple[str, str], list[Layout]] = {}
    for layout in layouts:
        groups.setdefault((layout.form, layout.outcome), []).append(layout)
    rows = tuple(
        (
            form,
            (Cell(text="; ".join(map(_shapes, group))), Cell(text=outcome, tone=_tone(group[0]))),
        )
        for (form, outcome), group in groups.items()
    )
    says = f"{'; '.join(_of_layouts(layouts))}."
    return Table(head=("tried", "shapes", "outcome"), rows=rows, says=says)


def _tone(layout: Layout) -> str:
    refused = layout.form == REFUSED and layout.outcome == "raises"
    return "pass" if refused else TONES.get(layout.outcome, "")


def _of_layouts(layouts: Sequence[Layout]) -> Iterator[str]:
    raised = [each for each in layouts if each.outcome == "raises"]
    yield f"{len(layouts) - len(raised):,} of {words.plural(len(layouts), 'layout')} run"
    if apart := [_shapes(each) for each in layouts if each.outcome == "broadcasts"]:
        yield f"{_and(apart)} {_verb('give', apart)} another loss by broadcasting"
    reasons: dict[str, list[str]] = {}
    for layout in raised:
        name = layout.form if layout.form.startswith("unknown") else _shapes(layout)
        reasons.setdefault(_brief(layout.reason), []).append(name)
    for reason, names in reasons.items():
        yield f"{_and(names)} {_verb('raise', names)} {reason}"


def _shapes(layout: Layout) -> str:
    """Write the shapes of a layout: one alone where all arguments have it."""
    if len(set(layout.shapes.values())) == 1:
        return next(iter(layout.shapes.values()))
    return " with ".join(f"{name} {shape}" for name, shape in layout.shapes.items())


def _brief(reason: str) -> str:
    text = words.one_line(reason).rstrip(".")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _and(names: Iterable[str]) -> str:
    told = list(dict.fromkeys(names))
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
