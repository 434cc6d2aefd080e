"""A budget of processor time: what it cuts is said, and nothing that was found is lost."""

from __future__ import annotations

import time

import pytest

from losscheck.rules import BUILT_IN
from losscheck.rules.evidence import schedule
from losscheck.settings import budget
from losscheck.settings.budget import Budget, CutError, once, spend


def spent() -> Budget:
    """A budget of which nothing is left."""
    found = Budget(1e-9)
    end = time.process_time() + 0.01
    while time.process_time() < end:
        pass
    return found


def test_nothing_begins_once_it_is_spent() -> None:
    spend()  # nobody asks for a budget
    with spent().running(), pytest.raises(CutError):
        spend()
    spend()


def test_what_was_cut_is_begun_again_only_where_there_is_time_again() -> None:
    class Evidence:
        raised: dict[str, BaseException] = {}  # noqa: RUF012
        begun = 0

        @once
        def sweeps(self) -> int:
            self.begun += 1
            spend()
            return self.begun

    evidence, over = Evidence(), spent()
    with over.running():
        for _ in range(3):
            with pytest.raises(CutError):
                evidence.sweeps()
        assert evidence.begun == 1
        with over.held():
            assert evidence.sweeps() == 2


def test_what_was_found_is_told() -> None:
    found = spent()
    with found.running():
        with found.held():
            spend()
        with pytest.raises(CutError):
            spend()


def test_what_was_found_late_is_told_for_a_tenth_longer_and_no_longer() -> None:
    found = Budget(0.2)
    while not found.spent:
        pass
    with found.running(), found.late():
        spend()
        while not found.spent:
            pass
        with pytest.raises(CutError):
            spend()


def test_what_can_be_done_without_has_a_share_of_its_own_though_what_is_told_has_no_end() -> None:
    found = Budget(0.2)
    while not found.spent:
        pass
    with found.running(), found.held(), budget.strictly():
        spend()
        while not found.spent:
            pass
        with pytest.raises(CutError):
            spend()


def test_a_case_that_is_made_simpler_leaves_time_to_tell_it() -> None:
    found = Budget(0.4)
    while not found.spent:
        pass
    with found.running(), found.late():
        with budget.strictly(budget.SIMPLER):
            while not found.spent:
                pass
        assert not found.spent


def test_a_share_ends_what_takes_longer_and_says_so() -> None:
    held = spent()
    held.seconds = 1_000.0
    held._end = time.process_time() + 500.0
    with held.running():
        with budget.within(0.4, "not all was tried"):
            spend()
        spend()
    assert held.shortened == ["not all was tried"]
    over = spent()
    with over.running(), pytest.raises(CutError), budget.within(0.4, "nothing"):
        spend()
    with budget.within(0.4, "nobody asks for a budget"):
        spend()


def test_what_everything_rests_on_has_some_seconds_however_few_there_are() -> None:
    held = spent()
    with held.running(), held.least():
        spend()
    assert held.spent


def test_none_is_never_spent() -> None:
    assert not Budget(0).spent


def test_what_tries_something_else_does_not_take_the_cut() -> None:
    assert not issubclass(CutError, Exception)


def test_every_rule_comes_once_and_behind_those_that_mask_it() -> None:
    order = [rule.code for rule in schedule(BUILT_IN)]
    assert sorted(order) == sorted(rule.code for rule in BUILT_IN)
    place = {code: index for index, code in enumerate(order)}
    for rule in BUILT_IN:
        assert all(place[code] < place[rule.code] for code in rule.masked_by if code in place)


def test_value_and_gradient_come_before_training() -> None:
    order = [rule.code for rule in schedule(BUILT_IN)]
    first = {"LC101", "LC102", "LC201", "LC202", "LC203", "LC204"}
    assert max(order.index(code) for code in first) < order.index("LC301")
    assert order[-1] == "LC603"


def test_a_loss_whose_budget_is_spent_is_inconclusive_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("tensorflow")
    import losscheck

    monkeypatch.setattr(budget.time, "process_time", iter(range(10**9)).__next__)
    report = losscheck.check("mse", budget=1)
    assert report.verdict == "inconclusive"
    assert "cut by the budget of 1 s of processor time" in report.reason
    checks = {check.code: check for check in report.checks}
    assert checks["LC101"].outcome == checks["LC201"].outcome == "inconclusive"
    assert checks["LC603"].outcome == "skip"
    assert checks["LC603"].reason == checks["LC101"].reason
    assert any(note.startswith("LC101, LC102,") and "LC603" in note for note in report.notes)
    assert not report.faults


def test_a_rule_that_matters_is_judged_on_what_there_was_time_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import losscheck
    from losscheck.evidence import desk

    def late(*given: object) -> None:
        raise CutError

    cut = {**desk.FURTHER, "upstream": (late, ("gradients",)), "training": (late, ())}
    monkeypatch.setattr(desk, "FURTHER", cut)
    report = losscheck.check("mse", select=["LC101", "LC603"])
    outcomes = {check.code: check.outcome for check in report.checks}
    assert outcomes["LC101"] == "pass"
    assert outcomes["LC603"] == "skip"
    assert any(note.startswith("LC101 was judged without upstream:") for note in report.notes)
    assert any(note.startswith("LC603:") for note in report.notes)
