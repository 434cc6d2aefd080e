"""The accuracy tables in words that explain them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.accuracy import COVER, FAULTS, MEANINGLESS, Odd, Row, meaningful
from benchmarks.family import Array, Family
from benchmarks.markdown import number, percent, table

METHOD = """\
Every tool gets the same functions at the same points, each in its own framework and in double
precision (`tf.test.compute_gradient` in single precision too, as most of its users run it). A
function is written once over an array namespace and runs on NumPy, TensorFlow, PyTorch, JAX and
mpmath. The truth is mpmath's central difference with a step of 1e-50 at {digits} digits.

Every tool is handed the true gradient, and the true gradient times 1 + e: by a custom gradient in
TensorFlow, PyTorch and JAX, as an array where a tool only returns numbers. There are {points}
points ({coordinates} coordinates) in {families} families: {elementwise} functions of one number
with {each} points each, and {coupled} losses of a whole prediction with {few}. A point is wrong for
a tool if one of its coordinates is.

No tool was tuned. Each is judged by its own documented defaults:

{criteria}

A fault is in proportion to the gradient, so it means nothing where the gradient is next to nothing:
points where no coordinate reaches {meaningless} of the family's median are left out of the misses
of every tool; {counted} remain. losscheck's verdict and the rule for numdifftools and SciPy are
given that median as the ordinary size of the gradient; losscheck's checker measures it itself.

All functions of one number but one (`sin above 1e6`) are also what losscheck's own tests check its
ladder with, at other points: it was developed against them. It had not met the losses of a whole
prediction.

losscheck's row is its ladder of steps and its verdict alone, on the float64 program that it traces
from the TensorFlow function; what its checker does beyond (looking at ties and at the largest
number inside the loss) is left out."""

COLUMNS = """\
- *false alarms*: the gradient is right and the tool says that it is wrong (of {points} points).
- *missed*: the gradient is wrong by that factor and the tool says that it is right (of {counted}).
- *undecided*: the gradient is right and the tool says that it cannot tell. The rest is verified.
- *covered*: how often the truth lies within {cover:g} times the estimated error of the tool's
  derivative, over all coordinates with a finite estimate; `-` for tools that estimate none.
- *µs a coordinate*: median over the functions of one number, warm, without compilation. Tools that
  take many points in one call (losscheck, numdifftools, SciPy) get 1,024 in one call, the others
  one point a call, since they take no more."""


def describe_accuracy(rows: Sequence[Row], families: Sequence[Family]) -> str:
    """Give the section: method, table, what the columns mean, where losscheck is worse."""
    from benchmarks.spaces import DIGITS

    points = sum(len(family.points) for family in families)
    counted = sum(int(meaningful(family).sum()) for family in families)
    single = [family for family in families if family.elementwise]
    coupled = [family for family in families if not family.elementwise]
    method = METHOD.format(
        digits=DIGITS,
        points=points,
        coordinates=f"{sum(family.points.size for family in families):,}",
        families=len(families),
        elementwise=len(single),
        coupled=len(coupled),
        each=len(single[0].points),
        few=len(coupled[0].points),
        criteria="\n".join(f"- {row.tool}: {row.criterion}." for row in rows),
        meaningless=f"{MEANINGLESS:g}",
        counted=counted,
    )
    columns = COLUMNS.format(points=points, counted=counted, cover=COVER)
    return "\n\n".join(
        [
            "## Right and wrong gradients",
            accuracy_table(rows),
            columns,
            "### Where losscheck is worse",
            worse(rows),
            "### What losscheck got wrong",
            oddities(rows[0].odd),
            "### Method",
            method,
        ]
    )


def accuracy_table(rows: Sequence[Row]) -> str:
    """Give one row a tool."""
    head = ["tool", "false alarms", *(f"missed {e:g}" for e in FAULTS)]
    head += ["undecided", "covered", "µs a coordinate"]
    return table(
        head,
        [
            [
                row.tool,
                percent(row.alarms),
                *(percent(miss) for miss in row.misses),
                percent(row.undecided),
                percent(row.coverage, 2),
                number(row.microseconds),
            ]
            for row in rows
        ],
    )


def worse(rows: Sequence[Row]) -> str:
    """Say in which columns another tool has the better number, read off the table."""
    ours, *others = rows
    rates: list[tuple[str, Callable[[Row], float | None]]] = [
        ("false alarms", lambda row: row.alarms),
        *((f"missed {e:g}", lambda row, i=i: row.misses[i]) for i, e in enumerate(FAULTS)),
        ("undecided", lambda row: row.undecided),
        ("not covered", lambda row: None if row.coverage is None else 1 - row.coverage),
    ]
    lines = []
    for name, rate in rates:
        here = rate(ours) or 0.0
        # Saying "wrong" of everything misses nothing, so the price is given along.
        better = [
            f"{row.tool} {percent(rate(row))} ({percent(row.alarms)} false alarms)"
            for row in others
            if (there := rate(row)) is not None and there < here
        ]
        if better:
            lines.append(f"- {name}: losscheck {percent(here)}; " + "; ".join(better) + ".")
    faster = [
        f"{row.tool} {number(row.microseconds)}"
        for row in others
        if row.microseconds < ours.microseconds
    ]
    if faster:
        here = number(ours.microseconds)
        lines.append(f"- µs a coordinate: losscheck {here}; " + "; ".join(faster) + ".")
    return "\n".join(lines) or "In no column of this table."


def oddities(odd: Sequence[Odd]) -> str:
    """List the points that a tool got wrong, largest fault first."""
    if not odd:
        return "Nothing."
    rows = [
        [
            point.family,
            "false alarm" if point.fault == 0 else f"missed {point.fault:g}",
            ", ".join(repr(float(x)) for x in point.point),  # exactly, so that it can be tried
            _digits(point.truth, 6),
            "-" if point.value is None else _digits(point.value - point.truth, 2),
            "-" if point.error is None else _digits(point.error, 2),
        ]
        for point in sorted(odd, key=lambda point: -point.fault if point.fault else -1.0)
    ]
    return table(["family", "what", "at", "true gradient", "error", "estimated error"], rows)


def _digits(values: Array, digits: int) -> str:
    return ", ".join(f"{v:.{digits}g}" for v in values)
