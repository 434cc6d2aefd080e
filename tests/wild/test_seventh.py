"""The seventh set of losses of public projects."""

from __future__ import annotations

import pytest

from benchmarks.stability_projects import look
from tests.wild.projects.seventh import SEVENTH
from tests.wild.projects.truth import Truth

# What is added to a density hides that it is 0: the formula as it is written is flat there, which
# is a note; that it was not meant to be flat nothing says.
MISSED = {"blood_sugar": "a constant that outweighs a density is taken for what is meant"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "truth",
    [
        pytest.param(t, marks=pytest.mark.xfail(reason=MISSED[t.name], strict=True))
        if t.name in MISSED
        else t
        for t in SEVENTH
    ],
    ids=[truth.name for truth in SEVENTH],
)
def test_what_is_said_of_a_declared_loss_is_true(truth: Truth) -> None:
    judged = look(truth, declared=True)
    assert (judged.alarms, judged.own) == ((), "")
    assert judged.found is not False
    assert judged.line is not False
