"""Numbers that are in dispute, so that a change which cures them must give others.

Where shapes are broadcast into pairs that do not belong together every number is: what is right is
known of the case that was found. Other faults leave some of the numbers right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from losscheck.advice import wording
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.desk import Desk
from losscheck.evidence.gather import Evidence
from losscheck.evidence.shape.layouts import TOLERANCE, relative_gap
from losscheck.findings.explanation import Explanation
from losscheck.findings.rejudge import judging
from losscheck.model import Array, Range
from losscheck.rules import by_code
from losscheck.rules.base import Doubt


def wrong_throughout(each: Explanation, evidence: Evidence) -> bool:
    """Say whether a finding is of a layout that is asked for, and of every case in it.

    Parameters
    ----------
    evidence
        Of the loss, at the sizes of every check.
    """
    suspect = each.suspect
    if by_code(suspect.code).doubt is not Doubt.ALL or suspect.expected_value is None:
        return False
    shapes = {name: np.shape(array) for name, array in suspect.inputs.items()}
    return any(shapes == dict(instance.shapes) for instance in evidence.instances)


def still_wrong(each: Explanation, changed: Evidence) -> Iterator[str]:
    """Say in words where the changed loss does not give what is right in the case of a finding.

    What is right is a sum, or one mean where the axis of the samples fell to the broadcasting:
    Keras takes the mean of the changed loss's values, too.
    """
    suspect = each.suspect
    inputs = {name: np.asarray(array)[np.newaxis] for name, array in suspect.inputs.items()}
    block = CaseBlock(inputs, np.asarray([Range.ORDINARY], np.uint8))
    shapes = changed.instance_of(block).shapes
    given = np.asarray(changed.programs.at(shapes).run(inputs).value, np.float64)
    found = np.asarray([given.sum(), given.mean()])
    right = np.asarray(suspect.expected_value, np.float64).reshape(-1)
    if not (relative_gap(found, right) <= TOLERANCE).any():
        yield (
            f"the loss would be {wording.number(float(found[0]))} where "
            f"{wording.number(float(right[0]))} is right"
        )


def doubted(explanations: Sequence[Explanation]) -> Doubt:
    """What the findings that weigh most say is wrong with the numbers, where they agree on it."""
    worst = max(each.weight for each in explanations)
    doubts = {by_code(e.finding.code).doubt for e in explanations if e.weight == worst}
    return doubts.pop() if len(doubts) == 1 else Doubt.NOTHING


def wrong_in(explanations: Sequence[Explanation], desk: Desk) -> Callable[[CaseBlock], Array]:
    """Give the rules of some findings as a function of cases: in which they find the same."""
    crowds = [one.crowd for one in explanations if one.crowd is not None]

    def wrong(cases: CaseBlock) -> Array:
        found = np.zeros(len(cases), bool)
        for crowd in crowds:
            if _sizes(crowd.population.cases) == _sizes(cases):
                found |= judging(desk, by_code(crowd.code), crowd)(cases)
            else:  # of other sizes nothing is known
                found[:] = True
        return found

    return wrong


def _sizes(cases: CaseBlock) -> list[tuple[int, ...]]:
    return [array.shape[1:] for array in cases.inputs.values()]
