"""Which cases of a crowd are looked at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from losscheck.findings import locate
from losscheck.model import Range


def test_a_few_ordinary_cases_are_looked_at_beside_thousands_of_extreme_ones() -> None:
    # Evenly spread, 192 of 7065 would have met one of these four with a chance of one in ten.
    ranges = np.full(7065, Range.EXTREME)
    ordinary = [11, 1500, 3002, 6003]
    ranges[ordinary] = Range.ORDINARY
    cases = SimpleNamespace(ranges=ranges)
    crowd: Any = SimpleNamespace(members=np.arange(7065), population=SimpleNamespace(cases=cases))
    members, stands_for = locate.of_each_range(crowd, 192)
    assert {*ordinary} <= {*members.tolist()}
    assert len(members) == 4 + 96
    assert stands_for[np.isin(members, ordinary)].tolist() == [1.0] * 4
    assert stands_for.sum() == pytest.approx(7065)
