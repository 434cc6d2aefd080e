import hypothesis
import numpy as np
import pytest

from losscheck.cases import mixtures
from losscheck.cases.strategies import recipes
from losscheck.model import Range
from tests.cases.arguments import PAIRS, SPARSE, pair


def drawn(arguments, seed=0, count=4_000, shape=(3, 3)):
    return mixtures(arguments, {item.name: shape for item in arguments}, count, seed)


@pytest.mark.parametrize(("true", "pred"), PAIRS)
def test_mixtures_are_deterministic_and_vary_with_the_seed(true, pred):
    first, same, other = (drawn(pair(true, pred), seed) for seed in (1, 1, 2))
    for name, values in first.inputs.items():
        np.testing.assert_array_equal(values, same.inputs[name])
    np.testing.assert_array_equal(first.ranges, same.ranges)
    assert not np.array_equal(first.inputs["y_pred"], other.inputs["y_pred"])
    assert 3_000 < len(first) <= 4_000


def test_every_range_and_pair_of_ranges_comes_up():
    cases = drawn(pair("real", "real"), count=20_000)
    assert set(cases.ranges) == set(Range)
    sizes = [np.abs(cases.inputs[name]).reshape(len(cases), -1) for name in ("y_true", "y_pred")]
    calm = [(size <= 3).all(axis=1) for size in sizes]
    wild = [(size > 1e9).any(axis=1) for size in sizes]
    for condition in (calm[0] & wild[1], wild[0] & calm[1], calm[0] & calm[1], wild[0] & wild[1]):
        assert condition.any()


def test_some_cases_mix_landmarks_into_ordinary_values():
    values = drawn(pair("real", "real")).inputs["y_pred"].reshape(-1, 9)
    special = np.isin(values, np.array([88, 89, 100, 104, 700, 1e4, 1e9], np.float32))
    assert ((special.sum(axis=1) == 1) & ((np.abs(values) <= 3).sum(axis=1) >= 7)).any()


def test_arguments_of_different_shapes():
    shapes = {"y_true": (4,), "y_pred": (4, 3), "sample_weight": (4,)}
    cases = mixtures(SPARSE, shapes, 2_000, 0, "float16", classes=3)
    assert {name: values.shape[1:] for name, values in cases.inputs.items()} == shapes
    assert all(values.dtype == np.float16 for values in cases.inputs.values())


def test_recipes_disregard_the_users_profile_and_leave_no_files(tmp_path, monkeypatch):
    expected = recipes(2, 32, seed=5)
    monkeypatch.chdir(tmp_path)
    previous = hypothesis.settings.get_current_profile_name()
    hypothesis.settings.register_profile(
        "hostile", max_examples=1, derandomize=True, phases=[], database=None
    )
    try:
        hypothesis.settings.load_profile("hostile")
        assert recipes(2, 32, seed=5) == expected
    finally:
        hypothesis.settings.load_profile(previous)
    assert len(expected) == 32
    assert list(tmp_path.iterdir()) == []


def test_recipes_are_the_same_inside_another_hypothesis_test():
    expected = recipes(2, 16, seed=1)

    @hypothesis.settings(max_examples=2, database=None, deadline=None)
    @hypothesis.given(hypothesis.strategies.booleans())
    def inside(_):
        assert recipes(2, 16, seed=1) == expected

    inside()


def test_recipes_use_every_mood():
    moods = [mood for recipe in recipes(3, 64, seed=0) for mood in recipe.moods]
    assert {mood.reach for mood in moods} == set(Range)
    assert len({mood.special for mood in moods}) == 3
    assert len({mood.magnitude for mood in moods}) == 3
