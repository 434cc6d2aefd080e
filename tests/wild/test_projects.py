"""The truths about 144 losses of public projects, computed again without losscheck."""

from __future__ import annotations

import pytest

from tests.wild.projects.truth import Truth
from tests.wild.projects.verify import TRUTHS, verify

# These try the losses in plain TensorFlow, and nothing of losscheck: one in six does at each run.
SAMPLE = TRUTHS[::6]


@pytest.mark.parametrize(
    "truth",
    [pytest.param(t, marks=[] if t in SAMPLE else [pytest.mark.slow]) for t in TRUTHS],
    ids=[truth.name for truth in TRUTHS],
)
def test_the_truth_is_as_stated(truth: Truth) -> None:
    assert verify(truth)


def test_half_of_them_are_faulty_and_every_project_is_named_once() -> None:
    assert sum(truth.faulty for truth in TRUTHS) == 72
    assert len(TRUTHS) == 144
    projects = [truth.source.split(",")[0] for truth in TRUTHS]
    assert all(project.count("/") == 1 for project in projects)
    assert len(set(projects)) == 144


def test_what_is_said_beside_a_sound_loss_is_no_error() -> None:
    grave = {"LC102", "LC201", "LC202", "LC203", "LC204", "LC402", "LC501", "LC901", "LC903"}
    assert [truth.name for truth in TRUTHS if not truth.faulty and truth.beside & grave] == []
