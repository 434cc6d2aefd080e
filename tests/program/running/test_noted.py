"""The case that is being run, as another process finds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from losscheck.program.running import noted

NAMES = ("y_true", "y_pred")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(noted, "_file", None)
    noted.note_in(str(tmp_path / "case"))
    return tmp_path / "case"


def test_a_case_is_there_while_it_is_run(file: Path) -> None:
    label, prediction = np.array([[1, -2]], np.int32), np.array([[0.5, np.nan]], np.float32)

    def run(*arrays: np.ndarray) -> list[np.ndarray]:
        found = noted.read(file)
        assert list(found) == [*NAMES]
        assert found["y_true"].dtype == np.int32
        np.testing.assert_array_equal(found["y_true"], label)
        np.testing.assert_array_equal(found["y_pred"], prediction)
        return [arrays[1]]

    held = np.ones(3)  # no input, but a tensor that is given
    assert noted.noted(run, NAMES)(label, prediction, held) == [prediction]
    assert noted.read(file) == {}


def test_a_large_case_is_not_noted(file: Path) -> None:
    with noted.noting(NAMES, [np.ones(2), np.ones(noted.MOST)]):
        assert noted.read(file) == {}


def test_what_is_damaged_is_no_case(file: Path) -> None:
    for text in (b"", b"9999", b"0003{}x", b'0014[["a","<f4",3]]', b"\0"):
        file.write_bytes(text)
        assert noted.read(file) == {}


def test_nobody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noted, "_file", None)
    assert noted.noted(list, NAMES) is list
