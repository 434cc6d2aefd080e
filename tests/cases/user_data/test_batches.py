"""What can be given as data, what is taken of it, and what is said of what cannot be used."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscheck.cases.user_data import MOST_ROWS, arrange, names_of, read
from losscheck.cases.user_data.batches import MOST_BATCHES
from losscheck.model import UsageError

PAIR = ("y_true", "y_pred")
MODULE = """
import numpy as np

one = {"y_true": np.zeros(2), "y_pred": np.ones((2, 3))}

def batches(count=2):
    for i in range(count):
        yield np.full(4, i), np.full((4, 3), 0.5 + i)

def broken():
    yield from ()
    raise RuntimeError("no such table")

def nothing():
    return []

def number():
    return 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "feeds.py").write_text(MODULE)
    np.savez(tmp_path / "batch.npz", y_true=np.zeros(5), y_pred=np.ones((5, 3)))
    np.savez(tmp_path / "unnamed.npz", np.zeros(5), np.ones(5))
    np.savez(tmp_path / "objects.npz", y_true=np.array([[1], [1, 2]], object), y_pred=np.ones(2))
    np.savez(tmp_path / "empty.npz")
    np.save(tmp_path / "one.npz.npy", np.zeros(3))
    (tmp_path / "one.npz.npy").rename(tmp_path / "single.npz")
    (tmp_path / "text.npz").write_text("y_true,y_pred")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ("batch.npz", 5),
        (Path("batch.npz"), 5),
        ("feeds.py:batches", 8),
        ("feeds.py:batches(count=3)", 12),
        ("feeds.py:one", 2),
        ({"y_true": [0.0], "y_pred": [[1.0]]}, 1),
        ((np.zeros(3), np.zeros(3)), 3),
        ([(np.zeros(3), np.zeros(3)), (np.zeros(2), np.zeros(2))], 5),
        (lambda: (np.zeros(3), np.zeros(3)), 3),
    ],
)
def test_every_form(folder: Path, given: Any, count: int) -> None:
    batches = read(given, folder)
    data = arrange(batches, names_of(batches, PAIR), 0)
    assert (set(data.rows), len(data), data.total) == (set(PAIR), count, count)
    assert all(array.dtype == np.float32 for array in data.rows.values())


def test_a_callable_may_go_on_forever(folder: Path) -> None:
    forever = read(lambda: ((np.full(2, i), np.zeros(2)) for i in itertools.count()), folder)
    data = arrange(forever, PAIR, 0)
    assert len(data) == 2 * MOST_BATCHES
    assert data.notes == (f"data: the first {MOST_BATCHES} batches of the data; there are more",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("bach.npz", "no data file 'bach.npz'.*Did you mean 'batch.npz'"),
        ("text.npz", "no .npz file.*numpy.savez"),
        ("single.npz", "a single array, no arrays by name"),
        ("objects.npz", "'y_true' holds objects.*pad them"),
        ("empty.npz", "holds no array"),
        ("feeds", "names a module"),
        ("feeds.csv", "names a module|is no data"),
        ("feeds.py:batchs", "has no 'batchs'.*Did you mean 'batches'"),
        ("feeds.py:broken", "RuntimeError: no such table.*feeds.py:1"),
        ("feeds.py:nothing", "yields no batch"),
        ("feeds.py:number", "gives int 3"),
        ([np.zeros(3), np.zeros(3)], "batch 0 of the data is ndarray"),
        ([(np.zeros(3),), (np.zeros(3), np.zeros(3))], "a tuple of 1 arrays, batch 1 has a tuple"),
    ],
)
def test_what_is_no_data(folder: Path, given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(given, folder)


def of(folder: Path, *, order: tuple[str, ...] = PAIR, known: tuple[str, ...] = (), **arrays: Any):
    batches = read(arrays, folder)
    return arrange(batches, names_of(batches, order, known), 0)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"y_true": [0.0], "y_perd": [0.0]}, "'y_perd'.*Did you mean 'y_pred'"),
        ({"y_true": [0.0, 1.0], "y_pred": [0.0]}, "differ in length.*y_true 2, y_pred 1"),
        ({"y_true": ["a"], "y_pred": [0.0]}, "y_true holds texts"),
        ({"y_true": [1j], "y_pred": [0.0]}, "y_true holds complex numbers"),
        ({"y_true": 1.0, "y_pred": [0.0]}, "y_true is a single number"),
        ({"y_true": [], "y_pred": []}, "holds no row"),
        ({"y_true": [np.nan], "y_pred": [0.0]}, "every one of the 1 rows.*1 in y_true"),
    ],
)
def test_arrays_that_cannot_be_used(folder: Path, arrays: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        of(folder, **arrays)


def test_arrays_without_names_are_told_of(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"arr_0.*numpy.savez\(file, y_true=..., y_pred=...\)"):
        names_of(read("unnamed.npz", folder), PAIR)


def test_arrays_of_other_losses_are_left(folder: Path) -> None:
    data = of(folder, known=("weight",), y_true=[0.0], y_pred=[0.0], weight=[1.0])
    assert set(data.rows) == set(PAIR)


def test_more_arrays_than_arguments(folder: Path) -> None:
    with pytest.raises(UsageError, match="tuples of 3 arrays, but the loss takes 2"):
        names_of(read((np.zeros(1), np.zeros(1), np.zeros(1)), folder), PAIR)


def test_rows_that_no_domain_has_are_left_out_and_counted(folder: Path) -> None:
    data = of(folder, y_true=[0.0, np.nan, 1.0, 1.0], y_pred=[0.1, 0.2, np.inf, 1e39])
    assert data.rows["y_pred"].tolist() == [np.float32(0.1)]
    (note,) = data.notes
    assert "3 of 4 rows" in note
    assert "1 in y_true, 2 in y_pred" in note


def test_of_many_rows_a_sample_is_taken_the_same_each_time(folder: Path) -> None:
    many = np.arange(3.0 * MOST_ROWS)
    first, again = (of(folder, y_true=many, y_pred=many) for _ in range(2))
    assert (len(first), first.total) == (MOST_ROWS, 3 * MOST_ROWS)
    assert np.array_equal(first.rows["y_true"], again.rows["y_true"])
    assert np.array_equal(first.rows["y_true"], first.rows["y_pred"])
    assert first.notes == ("data: a sample of 65,536 of the 196,608 rows of the data",)


def test_batches_of_other_shapes_are_left_out(folder: Path) -> None:
    ragged = [(np.zeros((2, t)), np.zeros((2, t))) for t in (3, 3, 5)]
    data = arrange(read(ragged, folder), PAIR, 0)
    assert data.rows["y_true"].shape == (4, 3)
    assert "1 of 3 batches" in data.notes[0]
