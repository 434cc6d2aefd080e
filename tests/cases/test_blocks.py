import numpy as np
import pytest

from losscheck.cases import blocks
from losscheck.cases.blocks import CaseBlock, fingerprint, first_of_equal


def block(x, y, ranges):
    return CaseBlock(
        {"x": np.array(x, np.float32), "y": np.array(y, np.float32)}, np.array(ranges, np.uint8)
    )


def test_take_and_concat_keep_inputs_and_ranges_together():
    cases = block([[1], [2], [3]], [4, 5, 6], [0, 1, 2])
    picked = cases.take(np.array([2, 0]))
    assert len(picked) == 2
    assert picked.inputs["x"].tolist() == [[3], [1]]
    assert picked.ranges.tolist() == [2, 0]
    joined = CaseBlock.concat([picked, cases.take(slice(1))])
    assert joined.inputs["y"].tolist() == [6, 4, 4]
    assert joined.ranges.tolist() == [2, 0, 0]


def test_a_case_counts_once_and_the_first_stays():
    cases = block([[1], [2], [1], [1]], [4, 5, 4, 6], [0, 1, 2, 0]).distinct()
    assert cases.inputs["x"].ravel().tolist() == [1, 2, 1]
    assert cases.inputs["y"].tolist() == [4, 5, 6]
    assert cases.ranges.tolist() == [0, 1, 0]


def test_exchanged_arguments_and_signs_of_zero_are_different_cases():
    cases = block([[1], [2], [0.0], [-0.0]], [2, 1, 0, 0], [0, 0, 0, 0])
    assert len(cases.distinct()) == 4


def test_fingerprints_tell_rows_apart_as_their_bits_do():
    rows = np.random.default_rng(0).integers(-2, 3, size=(5000, 3)).astype(np.float32)
    expected = len(np.unique(rows, axis=0))
    assert len(np.unique(fingerprint(rows))) == expected


def test_the_first_of_equal_numbers_are_those_of_numpy():
    numbers = np.random.default_rng(0).integers(0, 40, 1000).astype(np.uint64)  # alike but for bits
    spread = numbers * np.uint64(0x9E3779B97F4A7C15)
    for prints in (numbers, spread, spread[:1], spread[:0]):
        expected = np.sort(np.unique(prints, return_index=True)[1])
        assert first_of_equal(prints).tolist() == expected.tolist()


def test_wide_rows_have_the_prints_that_narrow_ones_have(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(3).normal(size=(5, 40)).astype(np.float32)
    expected = blocks.fingerprint(rows)
    monkeypatch.setattr(blocks, "WIDE", 8)
    np.testing.assert_array_equal(blocks.fingerprint(rows), expected)
