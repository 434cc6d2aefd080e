"""How many processes at the same time, and what each may take."""

from __future__ import annotations

import pytest

from losscheck.engine import alone
from losscheck.settings.settings import Settings


@pytest.fixture(autouse=True)
def eight_cores_and_six_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "cores", lambda: 8)
    monkeypatch.setattr(alone, "_free", lambda: 6e9)


@pytest.mark.parametrize(
    ("jobs", "losses", "wanted"),
    [("auto", 100, 4), ("auto", 3, 3), ("auto", 0, 1), (1, 100, 1), (16, 100, 16), (16, 2, 2)],
)
def test_as_many_as_cores_memory_and_losses_allow(
    jobs: int | str, losses: int, wanted: int
) -> None:
    assert alone.jobs(Settings(jobs=jobs), losses) == wanted


def test_the_machine_is_shared_out() -> None:
    whole = alone.limits(Settings(), 1)
    assert (whole.threads, whole.memory, whole.timeout) == (8, 6e9, 300.0)
    part = alone.limits(Settings(timeout=9.0), 3)
    assert (part.threads, part.memory, part.timeout) == (2, 2e9, 9.0)
    assert alone.limits(Settings(), 16).memory == alone.LEAST  # a sound loss may need it
    assert alone.limits(Settings(), 16).threads == 1
    assert alone.limits(Settings(memory=0.5), 16).memory == 0.5e9
