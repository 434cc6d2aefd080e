"""Whether a rewrite is the same function, and who is right where it is not."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import losscheck
from losscheck.comparison import Comparison, Difference
from losscheck.model import UsageError
from losscheck.report.answers import render_comparison
from losscheck.report.json import comparison_from_json, comparison_to_json
from losscheck.report.verdicts import View
from tests.comparing import rewrites


@functools.cache
def compared(old: Callable[..., Any], new: Callable[..., Any]) -> Comparison:
    return losscheck.compare(old, new, modes=("graph",))


def weighing(comparison: Comparison, weight: str) -> list[Difference]:
    return [d for d in comparison.differences if d.weight == weight]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rewrites.focal, rewrites.focal_by_sum),
        pytest.param(rewrites.Huber(), rewrites.huber, marks=pytest.mark.slow),
        pytest.param(rewrites.weighted, rewrites.weighted_by_shares, marks=pytest.mark.slow),
        (rewrites.absolute, rewrites.absolute_by_maximum),
    ],
    ids=lambda loss: getattr(loss, "__name__", "Huber"),
)
def test_the_same(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    found = compared(old, new)
    assert (found.answer, weighing(found, "difference"), found.fails()) == ("same", [], False)
    assert found.cases > 10_000
    assert found.modes == ("graph",)


def test_a_corner_is_a_note() -> None:
    """The slopes of |x| at 0: 0 by its sign, and -1 by a maximum; both lie in [-1, 1]."""
    found = compared(rewrites.absolute, rewrites.absolute_by_maximum)
    corner = next(d for d in weighing(found, "note") if "corner" in d.message)
    assert (corner.what, corner.right) == ("gradient", "each")
    np.testing.assert_array_equal(corner.inputs["y_true"], corner.inputs["y_pred"])
    assert found.fails(strict=True)


def test_a_wrong_gradient_is_blamed_on_its_line() -> None:
    """d/dp of -(p^2) log(1 - p) at 1/2, y = 0: -2p log(1 - p) + p^2 / (1 - p) = 1.19315."""
    found = compared(rewrites.focal, rewrites.focal_of_wrong_slope)
    (wrong,) = weighing(found, "difference")
    assert (found.answer, wrong.what, wrong.right, wrong.range) == (
        "differ",
        "gradient",
        "old",
        "ordinary",
    )
    assert wrong.location is not None
    assert "1.9" in wrong.location.source
    p = np.asarray(wrong.inputs["y_pred"], np.float64)
    p = np.where(np.asarray(wrong.inputs["y_true"]) == 1.0, 1 - p, p)
    slope = (-2 * p * np.log1p(-p) + p * p / (1 - p)) / p.shape[-1]
    np.testing.assert_allclose(np.abs(wrong.truth), np.abs(slope), rtol=1e-5)


def test_a_value_that_jumps_is_no_repair() -> None:
    """-log 0 is infinite; 0 there, beside 16 and more next to it, is worse than that."""
    found = compared(rewrites.focal, rewrites.focal_zero_at_zero)
    (jump,) = weighing(found, "difference")
    assert (jump.what, jump.right) == ("value", "neither")
    assert np.isinf(jump.old).any()
    assert np.isfinite(jump.new).all()


def test_a_repair() -> None:
    found = compared(rewrites.crossentropy, rewrites.stable_crossentropy)
    assert (found.answer, found.fails(), found.fails(strict=True)) == ("repairs", False, True)
    assert {d.right for d in found.repairs} == {"new"}
    # exp(-89) is subnormal, which does not make an Inf at the logit 89 one of the extreme range.
    assert any(not np.isfinite(d.old).all() and d.range != "extreme" for d in found.repairs)
    lost = next(d for d in found.repairs if np.isfinite(d.old).all())
    x, y = (np.asarray(lost.inputs[n], np.float64) for n in ("y_pred", "y_true"))
    right = np.mean(np.logaddexp(0, x) - x * y, axis=-1)
    np.testing.assert_allclose(lost.new, right, rtol=1e-5)
    assert np.abs(lost.old - right).max() > 1e-4 * np.abs(right).max()
    assert found.new.arguments == ("labels", "logits")


@pytest.mark.slow
def test_what_was_repaired_and_is_undone_differs() -> None:
    found = compared(rewrites.stable_crossentropy, rewrites.crossentropy)
    assert found.answer == "differ"
    broken = next(d for d in found.differences if "NEW gives" in d.message)
    assert (broken.weight, broken.right) == ("difference", "old")


@pytest.mark.slow
def test_other_functions() -> None:
    found = losscheck.compare(rewrites.weighted, rewrites.weighted_mean)
    other = next(d for d in found.differences if d.what == "value" and d.weight == "difference")
    assert (other.right, other.range) == ("each", "ordinary")
    assert other.modes == ("graph", "eager", "xla")


@pytest.mark.slow
def test_a_multiple() -> None:
    multiple = compared(rewrites.absolute, rewrites.absolute_sum)
    assert "in every ordinary case NEW is 3 times OLD" in multiple.notes
    assert len(weighing(multiple, "difference")) == 1  # no other gradients, which follow


@pytest.mark.parametrize(
    ("new", "what", "said"),
    [
        (rewrites.absolute_mean, "shape", "OLD returns (4,), NEW ()"),
        (rewrites.absolute_along_one, "shape", "OLD returns (4, 5), NEW (4, 3)"),
        pytest.param(
            rewrites.absolute_without_slope,
            "gradient",
            "No gradient reaches the prediction in NEW",
            marks=pytest.mark.slow,
        ),
        (rewrites.raises, "call", "NEW does not run with what OLD takes"),
    ],
)
def test_what_is_returned(new: Callable[..., Any], what: str, said: str) -> None:
    found = compared(rewrites.absolute, new)
    assert found.answer == "differ"
    assert any(d.what == what and said in d.message for d in found.differences)


@pytest.mark.slow
def test_a_declared_shape_narrows_what_is_compared() -> None:
    shape = {"y_true": ("real", "(B, D)"), "y_pred": ("real", "(B, D)")}
    found = losscheck.compare(
        rewrites.absolute, rewrites.absolute_along_one, arguments=shape, modes=("graph",)
    )
    assert found.answer == "same"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (rewrites.raises, rewrites.absolute, "raises whatever it is given"),
        (rewrites.absolute, rewrites.weighted_mean, "needs 'weights' as well"),
        (rewrites.weighted, rewrites.absolute, "it has no argument in place 3"),
        (rewrites.absolute, rewrites.noisy, "draws random numbers"),
    ],
)
def test_what_cannot_be_compared(
    old: Callable[..., Any], new: Callable[..., Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        losscheck.compare(old, new)


def test_it_survives_pickling_and_json() -> None:
    found = compared(rewrites.focal, rewrites.focal_zero_at_zero)
    text = comparison_to_json(found)
    assert comparison_to_json(comparison_from_json(text)) == text
    assert comparison_to_json(pickle.loads(pickle.dumps(found))) == text


def test_what_is_noted_is_not_called_the_same() -> None:
    told = render_comparison(compared(rewrites.absolute, rewrites.absolute_by_maximum), View())
    assert "the same to rounding, but for the notes" in " ".join(told.split())
    assert "note  gradient" in told


def test_it_is_told_in_a_few_lines() -> None:
    same = render_comparison(compared(rewrites.focal, rewrites.focal_by_sum), View())
    assert "SAME" in same
    assert len(same.splitlines()) <= 5
    wrong = render_comparison(compared(rewrites.focal, rewrites.focal_of_wrong_slope), View())
    assert len(wrong.splitlines()) <= 12
    assert "rewrites.py:" in wrong
    assert max(map(len, wrong.splitlines())) <= 100
