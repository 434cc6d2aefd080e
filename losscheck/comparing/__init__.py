"""Whether two losses are the same function: both run over the same cases, in every mode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import attrs
import numpy as np

from losscheck import __version__
from losscheck.cases.blocks import CaseBlock, spread
from losscheck.comparing.outputs import outputs
from losscheck.comparing.pair import PARTS, Pair
from losscheck.comparing.sides import Side, UncallableError, new_side, old_side
from losscheck.comparing.sorts import Sort
from losscheck.comparing.witness import Pool, differences
from losscheck.comparison import Answer, Compared, Comparison, Difference, Right, Weight
from losscheck.evidence.gather import Instance
from losscheck.evidence.search.sweep import Sweep
from losscheck.model import Array, Range, UsageError
from losscheck.program.running.refusals import running
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.settings.budget import Budget, CutError
from losscheck.settings.settings import Settings
from losscheck.targets import Loss

FIRST = ("graph", "eager", "xla")  # the order in which modes are compared, and told
PROPORTIONAL = 1e-4  # of the ordinary value: how far a multiple may be off
BY_WEIGHT = (Weight.DIFFERENCE.value, Weight.REPAIR.value, Weight.NOTE.value)


def compare(
    old: Loss, new: Loss, settings: Settings, listen: Callable[[str], None] = lambda stage: None
) -> Comparison:
    """Compare two losses over the domain of the old one.

    Values and gradients are compared in every case that a check of either of them would look at:
    ordinary, working and extreme ones, corners, relations, and those that its search was guided to.
    Numbers that differ by more than a few roundings are held against float64 and, in the case that
    is shown, against exact numbers: these tell another function from lost digits, and whose.

    Parameters
    ----------
    old, new
        The losses; arguments are matched by position.
    settings
        What steers a check: declared arguments (of the old loss), dtypes, modes, seed, budget.
    listen
        Called with the name of each stage as it begins.

    Raises
    ------
    UsageError
        The losses cannot be compared: the old one does not run, the new one takes other arguments,
        or one of them is a whole model.
    """
    begin = time.perf_counter()
    for loss in (old, new):
        if loss.compiled is not None:
            raise UsageError(
                f"{loss.target} is a compiled model: compare the losses of its outputs, as in "
                f"{loss.target}[output]"
            )
    budget = Budget(2 * settings.budget)  # for two losses
    with budget.running():
        made = _Comparing(old, new, settings, budget, listen).comparison()
    return attrs.evolve(made, seconds=time.perf_counter() - begin)


class _Comparing:
    """Compares two losses, and keeps what it has looked at."""

    def __init__(
        self,
        old: Loss,
        new: Loss,
        settings: Settings,
        budget: Budget,
        listen: Callable[[str], None],
    ) -> None:
        self._losses = old, new
        self._settings = settings
        self._budget = budget
        self._listen = listen
        self._cases = 0
        self._modes: dict[str, None] = {}
        self._dtypes: dict[str, None] = {}
        self._notes: list[str] = []

    def comparison(self) -> Comparison:
        """Compare them."""
        self._listen("what they take")
        with self._budget.held():
            old = old_side(self._losses[0], self._settings)
            try:
                new = new_side(self._losses[1], old, self._settings)
            except UncallableError as error:
                return self._made(old, None, (_uncallable(error),), ())
        for side in (old, new):
            if side.evidence.draws:
                raise UsageError(
                    f"{side.loss.target} draws random numbers, so that it differs from itself; "
                    "compare losses that take the noise as an argument"
                )
        self._note_what_is_left_out(old, new)
        modes = [mode for mode in FIRST if mode in self._settings.modes]
        self._listen("what they return")
        with self._budget.held():
            returned = outputs(old, new, modes, self._settings.dtypes)
        found = list(returned.differences)
        stops = {d.what for d in found if d.weight == Weight.DIFFERENCE and d.range is not None}
        if not stops & {"shape", "call"}:
            found = _told_once(found, list(self._of_numbers(old, new, modes)))
        elif "shape" in stops:
            self._notes.append("values and gradients were not compared: the shapes differ")
        return self._made(old, new, tuple(found), returned.shapes)

    def _of_numbers(self, old: Side, new: Side, modes: Sequence[str]) -> Iterator[Difference]:
        pools = list(self._pools(old, new, modes))
        groups: dict[tuple[int, Sort, str], list[Pool]] = {}
        for pool in pools:
            groups.setdefault((pool.part, pool.sort, pool.pair.dtype), []).append(pool)
        unsettled = {(part, dtype) for part, sort, dtype in groups if sort is Sort.UNSETTLED}
        self._listen("where they part")
        told: set[tuple[int, Sort, str]] = set()
        for (part, sort, dtype), some in groups.items():
            if sort is Sort.UNSETTLED:
                continue
            with self._budget.held():
                shown = list(differences(some))
            if not shown:
                count = sum(len(pool.cases) for pool in some)
                self._notes.append(
                    f"{count:,} cases differed in the {PARTS[part]} when many were run at a time, "
                    "and those of them that were run alone did not"
                )
            for found, difference in shown:
                if (part, found, dtype) not in told:
                    told.add((part, found, dtype))
                    yield attrs.evolve(difference, more=(part, dtype) in unsettled)

    def _pools(self, old: Side, new: Side, modes: Sequence[str]) -> Iterator[Pool]:
        """Cases that differ, by size, dtype, mode, part and sort."""
        for dtype in self._settings.dtypes:
            for place, instance in enumerate(old.evidence.instances):
                self._listen(f"their cases in {dtype}")
                with self._budget.held():
                    pair, cases = self._pair(old, new, instance, place, dtype)
                if pair is None or not len(cases):
                    continue
                self._cases += len(cases)
                self._dtypes[dtype] = None
                for mode in modes if dtype == "float32" else modes[:1]:
                    try:
                        yield from self._in_mode(pair, cases, mode, new)
                    except CutError:
                        self._notes.append(f"{mode} was not compared: {self._budget.reason}")

    def _pair(
        self, old: Side, new: Side, instance: Instance, place: int, dtype: str
    ) -> tuple[Pair | None, CaseBlock]:
        """Both losses at one size, and the cases that the search for either of them has found."""
        blocks, sweeps = [], []
        for side in (old, new):
            sweep = self._swept(side, place, dtype)
            if sweep is None:
                self._notes.append(f"{side.loss.target} does not run in {dtype}")
                return None, CaseBlock({}, np.zeros(0, np.uint8))
            sweeps.append(sweep)
            blocks.append(side.given_back(sweep.cases))
        cases = CaseBlock.concat(blocks).distinct()
        most = min(side.evidence.budget(self._at(side, instance)) for side in (old, new))
        if len(cases) > 2 * most:  # a loss that runs a case a call
            cases = cases.take(spread(np.arange(len(cases)), most))
        pair = Pair(old=old, new=new, instance=instance, dtype=dtype, scale=sweeps[0].scale)
        return pair, cases

    def _swept(self, side: Side, place: int, dtype: str) -> Sweep | None:
        found = [s for s in side.evidence.sweeps if s.dtype == dtype]
        return found[place] if place < len(found) else None

    def _at(self, side: Side, instance: Instance) -> Instance:
        shapes = {side.names[name]: shape for name, shape in instance.shapes.items()}
        return next(i for i in side.evidence.instances if dict(i.shapes) == shapes)

    def _in_mode(self, pair: Pair, cases: CaseBlock, mode: str, new: Side) -> Iterator[Pool]:
        last = pair.instance is pair.old.evidence.main
        both = (pair.instance, self._at(new, pair.instance))
        if any(i.program.eager for i in both) and mode != "eager":
            return
        if mode == "xla" and not all(i.compiles(last=last) for i in both):
            self._notes.append("xla was not compared at one size: it takes long to compile")
            return
        try:
            found = pair.sort(_running(pair, both, cases), mode)
        except (CallError, OutputError):
            raise
        except Exception:  # no kernel or no compilation in this mode
            self._notes.append(f"{mode} was not compared: one of them does not run in it")
            return
        self._modes[mode] = None
        if found is None:
            return
        for part, sorts in enumerate(found.sorts):
            for sort in np.unique(sorts):
                if sort != Sort.SAME:
                    members = np.flatnonzero(sorts == sort)
                    yield Pool(
                        pair=pair,
                        part=part,
                        sort=Sort(int(sort)),
                        mode=mode,
                        cases=found.cases.take(members),
                    )
        if mode == FIRST[0] and last:
            self._note_a_multiple(found.parts[0].old, found.parts[0].new, found.cases)

    def _note_a_multiple(self, old: Array, new: Array, cases: CaseBlock) -> None:
        """Say so where one loss is a multiple of the other, or differs by a constant."""
        usual = (cases.ranges == Range.ORDINARY) & np.isfinite(old).all(1) & np.isfinite(new).all(1)
        one, two = old[usual], new[usual]
        if not len(one) or not (scale := float(np.abs(one).max(initial=0.0))):
            return
        ratio = float((one * two).sum() / (one * one).sum())
        shift = float((two - one).mean())
        if (
            abs(ratio - 1) > PROPORTIONAL
            and np.abs(two - ratio * one).max() <= PROPORTIONAL * scale
        ):
            self._notes.append(f"in every ordinary case NEW is {ratio:.6g} times OLD")
        elif abs(shift) > PROPORTIONAL * scale and np.ptp(two - one) <= PROPORTIONAL * scale:
            self._notes.append(f"in every ordinary case NEW is OLD and {shift:+.6g}")

    def _note_what_is_left_out(self, old: Side, new: Side) -> None:
        taken = {p.name for p in new.loss.parameters}
        handed = set(old.names)
        for parameter in old.loss.parameters:
            if (
                parameter.name not in handed | taken
                and parameter.name not in old.evidence.spec.constants
            ):
                self._notes.append(
                    f"OLD has a parameter {parameter.name}, which NEW has not: it was left at "
                    f"{parameter.default!r}"
                )
        order = list(new.names.values())
        swapped = [n for i, n in enumerate(old.names) if n in order and order.index(n) != i]
        if swapped:
            self._notes.append(
                f"arguments are matched by position, and {swapped[0]} stands at another one in NEW"
            )

    def _made(
        self,
        old: Side,
        new: Side | None,
        found: tuple[Difference, ...],
        shapes: tuple[str, ...],
    ) -> Comparison:
        from losscheck.program.quiet import environment

        weights = {difference.weight for difference in found}
        answer = Answer.DIFFER if Weight.DIFFERENCE in weights else Answer.SAME
        if answer is Answer.SAME and Weight.REPAIR in weights:
            answer = Answer.REPAIRS
        names = tuple(old.names.values())
        own = names if new is None else tuple(new.names.values())
        one, two = self._losses
        return Comparison(
            losscheck=__version__,
            environment=environment(),
            answer=answer.value,
            old=Compared(target=one.target, source=one.source, arguments=names),
            new=Compared(target=two.target, source=two.source, arguments=own),
            arguments=old.evidence.spec.arguments,
            differences=tuple(sorted(found, key=lambda d: BY_WEIGHT.index(d.weight))),
            cases=self._cases,
            dtypes=tuple(self._dtypes),
            modes=tuple(self._modes),
            shapes=shapes,
            notes=tuple(dict.fromkeys(self._notes)),
            seed=self._settings.seed,
            seconds=0.0,
        )


def _told_once(
    returned: Sequence[Difference], of_numbers: Sequence[Difference]
) -> list[Difference]:
    """Leave out what follows from something else that is told.

    Other values at a further rank, and other gradients, follow from other values; a gradient that
    is missing is told as such.
    """
    other = [d for d in of_numbers if d.weight == Weight.DIFFERENCE and d.right == Right.EACH]
    values = any(d.what == "value" for d in other)
    missing = any(d.what == "gradient" for d in returned)
    kept = [d for d in returned if not (values and d.what == "value")]
    for difference in of_numbers:
        follows = difference.what == "gradient" and difference.weight == Weight.DIFFERENCE
        if not (follows and np.isfinite(difference.new).all() and (values or missing)):
            kept.append(difference)
    return kept


def _running(pair: Pair, both: Sequence[Instance], cases: CaseBlock) -> CaseBlock:
    """The cases on which neither loss raises."""
    able = np.ones(len(cases), bool)
    for side, instance in zip((pair.old, pair.new), both, strict=True):
        program = instance.program
        if program.eager or program.refuses:
            able &= running(program, side.cases(cases).inputs)
    return cases if able.all() else cases.take(able)


def _uncallable(error: UncallableError) -> Difference:
    said = " ".join(str(error).split())[:200]
    raised = error.error
    return Difference(
        what="call",
        weight=Weight.DIFFERENCE.value,
        right=Right.OLD.value,
        message=f"NEW does not run with what OLD takes: {said}.",
        side="new",
        location=raised.location if isinstance(raised, CallError) else None,
    )
