"""Every stage counts what it covered, and what it did not run for."""

from __future__ import annotations

from losscheck.cases import search
from losscheck.model import Coverage
from tests.cases.arguments import pair


def _stages(sizes: dict[str, int], budget: int) -> dict[str, list[Coverage]]:
    found = search(pair("binary", "probability"), sizes, budget=budget)
    assert sum(part.cases for part in found.coverage) == len(found.cases)
    stages: dict[str, list[Coverage]] = {}
    for part in found.coverage:
        stages.setdefault(part.stage, []).append(part)
    return stages


def test_one_prediction_is_covered_whole_where_there_is_room() -> None:
    stages = _stages({"B": 1, "D": 1}, 100_000)
    (corners,) = stages["corners"]
    assert corners.covered == corners.of
    whole = {part.what.split()[0]: (part.covered, part.of) for part in stages["exhaustive"]}
    # Counted in test_exhaustive.
    assert whole == {"float16": (15_362, 15_362), "bfloat16": (16_258, 16_258)}
    assert all("2 of 2 labels" in part.what for part in stages["exhaustive"])
    assert {"ordinary", "relations", "mixtures", "spread"} <= stages.keys()


def test_a_smaller_budget_says_what_is_missing() -> None:
    halves = _stages({"B": 1, "D": 1}, 20_000)["exhaustive"]
    assert all(part.covered is not None and part.of is not None for part in halves)
    assert all((part.covered or 0) < (part.of or 0) for part in halves)


def test_a_batch_says_why_not_every_number_is_tried() -> None:
    (part,) = _stages({"B": 4, "D": 3}, 20_000)["exhaustive"]
    assert part.covered is None
    assert "one real prediction" in part.reason
