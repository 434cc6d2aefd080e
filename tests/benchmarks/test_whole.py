"""The timing half of the benchmark, on small losses and with a stand-in for the verdict."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import attrs
import numpy as np
import pytest

from benchmarks import timed_losses as losses
from benchmarks.timed_losses import million_losses, timed_losses
from benchmarks.verdict import MODULE, checker
from benchmarks.whole import compute_gradient, time_loss
from benchmarks.whole_text import against_table, million_table
from losscheck.program.quiet import tensorflow

SHAPE = (2, 3)


@pytest.fixture(scope="module")
def tf():
    return tensorflow()


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> list:
    """Stand in for losscheck's entry; gives what it was called with."""
    seen: list = []

    def check_case(programs, inputs, low=-np.inf, high=np.inf, seed=0):
        seen.append((programs, inputs))
        return SimpleNamespace(
            outcome="wrong",
            how="projected",
            wrong=np.array([4]),
            seconds={"ladder": 0.25, "bisection": 0.5},
            passes={"forward": 40, "gradient": 12},
        )

    module = ModuleType(MODULE)
    module.check_case = check_case
    monkeypatch.setattr("benchmarks.extras._self_test", lambda *given: True)
    monkeypatch.setitem(sys.modules, MODULE, module)
    return seen


@pytest.mark.parametrize("number", range(7))
def test_compute_gradient_runs_on_every_loss(tf, number: int) -> None:
    loss = timed_losses()[number]
    (theoretical,), (numeric,) = compute_gradient(loss, loss.inputs(SHAPE))(None)
    assert theoretical.shape == (1, 6)
    assert np.abs(theoretical - numeric).max() < 1e-4


def test_one_element_alone_is_doubled(tf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "MILLION", SHAPE)
    monkeypatch.setattr(losses, "DOUBLED", (1, 0))
    sound, _, faulty, _ = million_losses()
    slopes = [
        compute_gradient(loss, sound.inputs(SHAPE))(None)[0][0].ravel() for loss in (sound, faulty)
    ]
    assert (slopes[1] / slopes[0]).tolist() == pytest.approx([1, 1, 1, 2, 1, 1])


def test_without_the_entry_the_other_side_is_timed(tf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)  # as if it were not there
    assert checker() is None
    timing = time_loss(timed_losses()[0], SHAPE, None, against=True)
    assert timing.compute_gradient > 0
    assert timing.faster is None
    assert "only the other side was timed" in against_table([timing])


def test_the_verdict_is_counted_without_what_is_only_shown(tf, entry: list) -> None:
    timing = time_loss(timed_losses()[0], SHAPE, checker(), against=True)
    assert len(entry) == 1 + len(timing.verdicts)  # one to warm up
    programs, inputs = entry[0]
    assert programs.call.prediction == "y_pred"
    assert {name: array.shape for name, array in inputs.items()} == {
        "y_true": SHAPE,
        "y_pred": SHAPE,
    }
    assert set(timing.extras) == {"second opinion", "self-test"}
    assert timing.faster == pytest.approx(timing.compute_gradient / timing.verdict.wall)
    text = against_table([timing])
    assert "self-test ms (not counted)" in text
    assert "ladder ms (not counted)" not in text


def test_a_million_is_counted_in_passes(tf, entry: list) -> None:
    timing = time_loss(timed_losses()[0], SHAPE, checker(), against=False)
    assert timing.compute_gradient is None
    slow = attrs.evolve(timing, one_pass=0.25, extras={})
    cells = [cell.strip() for cell in million_table([slow]).splitlines()[-1].split("|")]
    assert cells[1:5] == ["MSE", "wrong", "projected", "4"]
    assert cells[7:10] == ["2.0", "40", "12"]  # of bisection, forward, gradient


def test_losschecks_own_verdict_fits_the_adapter(tf) -> None:
    check = checker()
    assert check is not None
    timing = time_loss(timed_losses()[0], SHAPE, check, against=False)
    assert timing.verdict.outcome == "verified"
    assert timing.verdict.wrong == ()
    assert set(timing.extras) == {"second opinion", "self-test"}
