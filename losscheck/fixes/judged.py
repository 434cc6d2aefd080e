"""What the rules say of a loss over a few cases, before a change and after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.desk import INSTEAD, Desk
from losscheck.evidence.precision.truth import kinds
from losscheck.faults import FailedError
from losscheck.findings import locate
from losscheck.findings.explanation import Explanation
from losscheck.findings.spelled import spelled
from losscheck.model import Array, Kind, Range, Severity, Suspect
from losscheck.program.running.runnable import Runnable
from losscheck.rules import by_code, policy
from losscheck.rules.base import Rule
from losscheck.rules.crowd import Crowd

SEARCHED = ("lone", "narrowed")  # cases of their own, which are swept with the others here


class Judged:
    """The suspects of some rules.

    Parameters
    ----------
    desk
        Evidence over the cases that a change is tried on.
    written
        The expressions and statements of the change.
    """

    def __init__(self, desk: Desk, rules: Sequence[Rule], written: Sequence[str] = ()) -> None:
        self._written = written
        self._evidence = desk.evidence
        self._found: dict[str, list[Suspect | Crowd]] = {}
        self._failed: set[str] = set()
        for rule in rules:
            try:
                given = {name: _given(desk, rule, name) for name in rule.needs}
                self._found[rule.code] = list(rule.judge(**given))
            except FailedError:
                self._failed.add(rule.code)

    def clear(self, explanation: Explanation, prints: Array) -> bool:
        """Say whether what was found is gone.

        Parameters
        ----------
        prints
            Of the cases that it was found in.
        """
        code = explanation.finding.code
        if code in self._failed:
            return False
        left: list[Array] = []
        for other in self._found[code]:
            if not isinstance(other, Crowd):
                if other.form == explanation.suspect.form:
                    return False
            elif _same_run(other, explanation):
                still = np.isin(_prints(other), prints)
                if still.any() and self._weighs(other, still):
                    left.append(self._here(other, still))
        still_bad = np.concatenate([np.zeros(0, np.uint64), *left])
        # The first is the case that is reported.
        return not len(prints) or (prints[0] not in still_bad and 2 * len(still_bad) <= len(prints))

    def _here(self, crowd: Crowd, which: Array) -> Array:
        """Those of the cases that are left which the changed statement is still to blame for.

        In a batch another operation may fail in another sample: that is another fault.
        """
        cases: CaseBlock = crowd.population.cases.take(crowd.members[which])
        try:
            program = self._evidence.instance_of(cases).program
            blamed = locate.keys(self._evidence, crowd, cases)
        except Exception:  # nobody in particular is to blame
            return cases.prints()
        mine = [self._is_changed(program, name) for name in blamed]
        left = cases.take(np.asarray(mine, bool))
        return left.prints()

    def _is_changed(self, program: Runnable, node: str) -> bool:
        """Say whether an operation comes of what was written, as far as that is known."""
        frame = None if program.traced is None else program.traced.origins.frame(node)
        told = spelled(frame)
        return told is None or any(told.expression in text for text in self._written)

    def more_than(self, before: Judged) -> Iterator[str]:
        """What is found here that was not found before, in words."""
        for code, found in self._found.items():
            then = before._found.get(code, [])
            known = [np.zeros(0, np.uint64), *(_prints(c) for c in then if isinstance(c, Crowd))]
            cases = np.concatenate(known)
            forms = {suspect.form for suspect in then if isinstance(suspect, Suspect)}
            for other in found:
                if isinstance(other, Crowd):
                    fresh = ~np.isin(_prints(other), cases)
                    asked = other.dtype in ("float32", *self._evidence.dtypes)
                    new = asked and bool(fresh.any()) and self._weighs(other, fresh)
                else:
                    new = other.form not in forms
                if new:
                    yield f"{code} would be found: {other.form}"

    def _weighs(self, crowd: Crowd, which: Array) -> bool:
        """Say whether some of the cases of a crowd would make more than a note."""
        rule, cases = by_code(crowd.code), crowd.population.cases.take(crowd.members[which])
        found: Sequence[Kind | None] = [Kind.AVOIDABLE] * len(cases)
        if crowd.form in rule.nonfinite:
            found = kinds(self._evidence, cases, crowd.dtype, crowd.direction)
        return any(
            policy.severity(
                crowd.code,
                crowd.form,
                reach=Range(int(reach)),
                kind=kind,
                dtype=crowd.dtype,
                scale=None,
                certain=True,
                required=self._evidence.dtypes,
                chosen={},
            )
            is not Severity.NOTE
            for reach, kind in set(zip(cases.ranges.tolist(), found, strict=True))
        )


def _given(desk: Desk, rule: Rule, name: str) -> Any:
    if name in SEARCHED or (name == "modes" and not rule.by_mode):
        return INSTEAD[name]
    return desk.given(name)


def _same_run(crowd: Crowd, explanation: Explanation) -> bool:
    of = explanation.crowd
    return of is not None and (crowd.dtype, crowd.mode) == (of.dtype, of.mode)


def _prints(crowd: Crowd) -> Array:
    cases: CaseBlock = crowd.population.cases
    return cases.take(crowd.members).prints()
