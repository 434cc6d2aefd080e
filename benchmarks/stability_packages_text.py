"""The tables of the packages: defects found and missed, and errors where there is no defect."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.claims import repeated
from benchmarks.disputes import DISPUTES
from benchmarks.markdown import percent, table
from benchmarks.stability_packages import Published


def describe_packages(looked: Sequence[Published], entries: int) -> str:
    """Give the section on the corpus, of which so many entries there are."""
    found = sum(len(one.found) for one in looked)
    severe = found + sum(len(one.missed) for one in looked)
    clean = [one for one in looked if not one.entry.defects]
    alarmed = [one for one in clean if one.errors]
    figures = table(
        ["figure", "measured", "target", "of"],
        [
            [
                "severe defects found",
                percent(found / max(1, severe)),
                ">= 100%",
                str(severe),
            ],
            ["entries without defects, with an error", str(len(alarmed)), "<= 1", str(len(clean))],
        ],
    )
    parts = [
        f"{percent(found / max(1, severe))} of {severe} severe defects found; an error on "
        f"{len(alarmed)} of {len(clean)} entries without defects.",
        figures,
    ]
    parts.append(repeated([claim for one in looked for claim in one.claims]))
    if len(looked) < entries:
        parts.append(
            f"{len(looked)} of {entries} entries were checked in the time given: those with severe "
            "defects first, then those without any."
        )
    lines = [
        f"- {_name(one)}: {d.kind} ({d.trigger}): {d.evidence}"
        for one in looked
        for d in one.missed
    ]
    if lines:
        parts.append("\n".join(["Missed:", "", *lines]))
    lines = [f"- {_name(one)}: {'; '.join(one.errors)}" for one in alarmed]
    if lines:
        parts.append("\n".join(["Errors on entries without defects:", "", *lines]))
    if DISPUTES:
        lines = [
            f"- `{call}`: {dispute.what} {dispute.evidence()}" for call, dispute in DISPUTES.items()
        ]
        parts.append("\n".join(["Where losscheck and the corpus disagree:", "", *lines]))
    parts.append(_every(looked))
    return "\n\n".join(parts)


def _every(looked: Sequence[Published]) -> str:
    rows = [
        [
            _name(one),
            one.verdict,
            "; ".join(f"{defect.kind}: {code}" for defect, code in one.found) or "-",
            "; ".join(defect.kind for defect in one.missed) or "-",
            ", ".join(one.said) or "-",
            f"{one.seconds:.1f}",
        ]
        for one in looked
    ]
    return table(["loss", "verdict", "severe, found", "severe, missed", "said", "seconds"], rows)


def _name(one: Published) -> str:
    return f"{one.entry.package} {one.entry.version} `{one.entry.call}`"
