"""The tables of the zoo: rates, what was missed, what was alarmed, what took long."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.markdown import percent, table
from benchmarks.stability_zoo import Looked, rates

LONG = 60.0  # seconds of one check from which on it is listed


def describe_zoo(looked: Sequence[Looked], recall: float, line: float, alarmed: float) -> str:
    """Give the section on one run over the zoo, beside its targets."""
    found = rates(looked)
    figures = table(
        ["figure", "measured", "target", "of"],
        [
            _figure("faults found", found.recall, ">=", recall, found.specimens),
            _figure("on the right line", found.line, ">=", line, found.lines),
            _figure("twins with an error", found.alarmed, "<=", alarmed, found.twins),
        ],
    )
    parts = [_in_short(looked), figures]
    for title, rows in (
        ("Missed", [_missed(one) for one in looked if one.specimen.reproduced and not one.found]),
        ("Found on another line", [_astray(one) for one in looked if one.line is False]),
        ("Sound twins with an error", [_alarmed(one) for one in looked if one.alarms]),
        ("Not reproducible here", [_absent(one) for one in looked if not one.specimen.reproduced]),
        (f"Slower than {LONG:.0f} s", [_slow(one) for one in looked if max(one.seconds) > LONG]),
    ):
        if rows:
            parts.append("\n".join([f"{title}:", "", *rows]))
    return "\n\n".join(parts)


def _in_short(looked: Sequence[Looked]) -> str:
    found = rates(looked)
    told = (
        f"{percent(found.recall)} of {found.specimens} faults found, {percent(found.line)} of "
        f"{found.lines} on their line; {percent(found.alarmed)} of {found.twins} sound twins with "
        "an error."
    )
    missed = [one.specimen.name for one in looked if one.specimen.reproduced and not one.found]
    alarmed = [one.specimen.name for one in looked if one.alarms]
    for title, names in (("Missed", missed), ("Alarmed", alarmed)):
        if names:
            told += f" {title}: {', '.join(names)}."
    return told


def _figure(name: str, rate: float, than: str, target: float, count: int) -> list[str]:
    return [name, percent(rate), f"{than} {percent(target, 0)}", str(count)]


def every_row(looked: Sequence[Looked]) -> str:
    """Give a table with one line a specimen."""
    head = ["specimen", "trigger", "found", "right line", "twin", "seconds"]
    rows = [
        [
            one.specimen.name,
            one.specimen.trigger,
            ", ".join(dict.fromkeys(one.found)) or ("missed" if one.specimen.reproduced else "-"),
            {True: "yes", False: "no", None: "-"}[one.line],
            "alarmed" if one.alarms else "quiet",
            f"{one.seconds[0]:.1f} + {one.seconds[1]:.1f}",
        ]
        for one in looked
    ]
    return table(head, rows)


def _missed(one: Looked) -> str:
    wanted = " or ".join(sorted(one.specimen.codes)) or "no rule is about it:"
    said = "; ".join(one.others[:3]) or "nothing"
    return f"- {one.specimen.name} ({wanted} at {one.specimen.trigger}); said instead: {said}"


def _astray(one: Looked) -> str:
    return f"- {one.specimen.name}: `{one.blamed}`, not the line with `{one.specimen.line}`"


def _alarmed(one: Looked) -> str:
    return f"- {one.specimen.name}: {'; '.join(one.alarms)}"


def _absent(one: Looked) -> str:
    return f"- {one.specimen.name}: {one.specimen.instead}"


def _slow(one: Looked) -> str:
    return f"- {one.specimen.name}: {one.seconds[0]:.0f} s, its twin {one.seconds[1]:.0f} s"
