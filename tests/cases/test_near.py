"""The ladder of distances on which digits are counted."""

from __future__ import annotations

import numpy as np
import pytest

from losscheck.cases.near import near
from losscheck.model import Range
from tests.cases.arguments import pair


def test_every_decade_between_ordinary_points_is_ordinary() -> None:
    first, _ = near(pair("real", "real"), {"B": 1, "D": 1}, classes=2, seed=0, count=32)
    assert first.along == "|y_pred - y_true|"
    apart = np.abs(first.cases.inputs["y_pred"].astype(float) - first.cases.inputs["y_true"])
    assert np.array_equal(first.distance, apart.ravel())
    ordinary = first.distance[first.cases.ranges == Range.ORDINARY]
    for exponent in range(-7, 0):
        assert ((ordinary >= 10.0**exponent) & (ordinary < 10.0 ** (exponent + 1))).sum() > 16


@pytest.mark.parametrize(
    ("domains", "along"), [(("binary", "logits"), "|y_pred|"), (("simplex", "simplex"), None)]
)
def test_other_domains_stay_inside(domains: tuple[str, str], along: str | None) -> None:
    first, further = near(pair(*domains), {"B": 3, "D": 4}, classes=4, seed=0, count=8)
    assert along is None or first.along == along
    assert len(first.cases) == len(first.distance) > 0
    assert (first.cases.ranges <= Range.WORKING).all()
    assert len(further)
