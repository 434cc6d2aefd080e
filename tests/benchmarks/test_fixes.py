"""What the table of fixes rests on."""

from __future__ import annotations

from typing import Any

from benchmarks.fixes import _timed
from losscheck import diagnoses


def test_looking_for_fixes_is_timed_and_done_all_the_same() -> None:
    nobody: Any = None
    with _timed() as spent:
        assert diagnoses.with_cures([], nobody, nobody) == []
    assert len(spent) == 1
