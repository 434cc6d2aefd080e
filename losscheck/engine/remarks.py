"""What the reader should know of how a loss was examined."""

from __future__ import annotations

from collections.abc import Iterator

from losscheck.evidence.desk import Desk
from losscheck.infer import Inferred
from losscheck.program.running.ways import Way


def remarks(desk: Desk, inferred: Inferred) -> tuple[str, ...]:
    """List what holds of the whole examination: data, slow ways, cases left out."""
    notes = list(inferred.data.notes) if inferred.data else []
    if inferred.spec.narrowed:
        notes.append(f"the domain was narrowed: {inferred.spec.narrowed}")
    return (*notes, *_of_the_runs(desk)) if desk.evidence.swept else tuple(notes)


def _of_the_runs(desk: Desk) -> Iterator[str]:
    ways = dict.fromkeys(instance.program.way() for instance in desk.evidence.instances)
    slow = [way for way in ways if way != Way.VECTORIZED]
    yield from (f"the cases were run by {way}: the loss cannot be vectorized" for way in slow)
    main = desk.evidence.main
    if main.wiring and "xla" in desk.evidence.modes_wanted and not main.compiles(last=True):
        size = len(main.wiring.nodes)
        yield f"no sweep was run under XLA: its {size:,} operations take long to compile"
    if desk.evidence.fatal_to_xla:
        yield (
            "nothing was run under XLA: a slice in a loop has a size that changes with it, over "
            "which XLA's compiler may end the whole process"
        )
    for dtype, blocks in desk.evidence.refused.items():
        count = sum(map(len, blocks))
        yield f"{count:,} cases were left out in {dtype}: an operation raises on them"
    if desk.evidence.draws:
        yield "the random numbers drawn inside were held: the same in every run"
