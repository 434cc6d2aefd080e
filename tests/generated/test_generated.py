"""Generated losses under losscheck: no fault of its own, no error on what is sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generated.checking import FULL, SHORTEST, Effort, check, not_shown


def judge(seed: int, count: int, folder: Path, effort: Effort) -> None:
    checked = list(check(seed, count, folder, effort))
    assert [wrong for one in checked for wrong in one.wrong] == []
    assert not_shown(checked, folder) == []
    # Python that knows float32 alone leaves its gradient undecided.
    assert sum(bool(one.undecided) for one in checked) <= 0.1 * count


# Each loss is asked two rules, and most are small: a second each, of which two hundred do not fit
# beside all other tests. `make test-slow` and `make accuracy` ask more of more.
@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 4))])
def test_generated_losses_are_sound(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    judge(seed, 20, tmp_path, SHORTEST)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5, 6, 7, 8])
def test_generated_losses_are_sound_by_all_rules(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    judge(seed, 25, tmp_path, FULL)
