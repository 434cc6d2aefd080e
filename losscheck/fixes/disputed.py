"""Losses whose every number is in dispute: broadcast, they pair what does not belong together.

A change that cures that must give other numbers, so that it cannot be held against those of before.
What is right is known of the case that was found.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from losscheck.advice import wording
from losscheck.cases.blocks import CaseBlock
from losscheck.evidence.gather import Evidence
from losscheck.evidence.shape.layouts import TOLERANCE, relative_gap
from losscheck.findings.explanation import Explanation
from losscheck.model import Range
from losscheck.rules import by_code


def wrong_throughout(each: Explanation, evidence: Evidence) -> bool:
    """Say whether a finding is of a layout that is asked for, and of every case in it.

    Parameters
    ----------
    evidence
        Of the loss, at the sizes of every check.
    """
    suspect = each.suspect
    if not by_code(suspect.code).throughout or suspect.expected_value is None:
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
