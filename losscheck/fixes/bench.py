"""A change tried: the loss run with it in memory, judged by the rules that found the fault."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence
from losscheck.faults import Faults
from losscheck.findings.explanation import Explanation
from losscheck.fixes.agreement import disagreement
from losscheck.fixes.cases import Tried
from losscheck.fixes.edit import Edit
from losscheck.fixes.judged import Judged
from losscheck.fixes.patch import PatchError, patched, unified
from losscheck.fixes.transplant import TransplantError, transplanted
from losscheck.program.programs import Programs
from losscheck.program.tracing.trace import CallError, OutputError
from losscheck.rules import rules
from losscheck.rules.base import Rule
from losscheck.settings.budget import CutError


@attrs.frozen(kw_only=True)
class Verified:
    """What came of a change.

    Attributes
    ----------
    clears
        The ids of the findings that it cures.
    complaints
        Why it must not be made: values that change, new findings, a loss that does not run. A
        change is verified where there are none and it clears something.
    diff
        Of the user's files, unified; "" where the change cannot be made.
    """

    clears: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    diff: str = ""

    @property
    def holds(self) -> bool:
        """Whether it cures something and spoils nothing."""
        return bool(self.clears) and not self.complaints


class Bench:
    """Tries changes of one loss.

    Parameters
    ----------
    desk
        The evidence of the loss as it is.
    base
        The folder that files are named relative to.
    handed
        Further objects that lead to the functions of the loss.
    """

    def __init__(self, desk: Desk, base: str, handed: Sequence[Any] = ()) -> None:
        self._evidence = desk.evidence
        self._base = base
        call = desk.evidence.programs.call
        self._roots = (call.function, call.handed, *handed)

    def verify(self, edits: Sequence[Edit], explanations: Sequence[Explanation]) -> Verified:
        """Say which findings a change cures, and what speaks against it.

        Parameters
        ----------
        edits
            Made together.
        explanations
            The findings of the fault.
        """
        try:
            changed, diff = self._changed(edits)
        except PatchError as error:
            return Verified(complaints=(str(error),))
        try:
            with transplanted(changed, self._roots):
                clears, complaints = self._tried(edits, explanations)
        except (TransplantError, CallError, OutputError) as error:
            return Verified(complaints=(f"the changed loss does not run: {error}",), diff=diff)
        except CutError:
            return Verified(complaints=("there was no time to try it",), diff=diff)
        except Exception as error:  # of a kernel, or of Python in the loss
            said = f"{type(error).__name__}: {error}".partition("\n")[0]
            return Verified(complaints=(f"it could not be tried: {said}",), diff=diff)
        return Verified(clears=clears, complaints=complaints, diff=diff)

    def _changed(self, edits: Sequence[Edit]) -> tuple[dict[str, str], str]:
        """The new text of each file, and the difference."""
        changed, pieces = {}, []
        for file in dict.fromkeys(edit.file for edit in edits):
            old = "".join(linecache.getlines(file))
            changed[file] = patched(old, [edit for edit in edits if edit.file == file])
            pieces.append(unified(file, old, changed[file], self._base))
        return changed, "".join(pieces)

    def _tried(
        self, edits: Sequence[Edit], explanations: Sequence[Explanation]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        tried = Tried(self._evidence, explanations)
        concerned = _concerned(explanations)
        modes = tuple({e.crowd.mode for e in explanations if e.crowd is not None})
        inferred = self._evidence.inferred
        anew = attrs.evolve(inferred, programs=Programs(inferred.programs.call))
        before, after = (
            Evidence(
                inferred=each,
                dtypes=self._evidence.dtypes,
                modes_wanted=modes,
                seed=self._evidence.seed,
                faults=Faults(),
                given=tried.of,
            )
            for each in (inferred, anew)
        )
        for instance in before.instances:  # raises where the changed loss does
            if (
                after.programs.tracing(instance.shapes).how
                != before.programs.tracing(instance.shapes).how
            ):
                return (), ("it can no longer be traced as it was",)
        complaints = list(disagreement(before, after, self._evidence))
        if complaints:
            return (), tuple(complaints)
        written = [text for edit in edits for text in (edit.new, *edit.before)]
        was, now = Judged(Desk(before), concerned), Judged(Desk(after), concerned, written)
        clears = tuple(e.finding.id for e in explanations if now.clear(e, tried.prints(e)))
        return clears, tuple(now.more_than(was))


def _concerned(explanations: Sequence[Explanation]) -> list[Rule]:
    """The rules that spoke, and those without which nothing is known of value and gradient."""
    spoke = {e.finding.code for e in explanations}
    found: Iterator[Rule] = (
        rule
        for rule in rules()
        if rule.code in spoke or (rule.essential and "sweeps" in rule.needs)
    )
    return list(found)
