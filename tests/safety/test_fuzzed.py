"""Anything at all as a target, configuration, report, baseline and data: told or refused.

Never a traceback or a fault of losscheck, and never a file outside of where one was asked for.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from losscheck import cli
from losscheck.model import Report, UsageError
from losscheck.report.json import to_json
from losscheck.settings.file import KEYS
from losscheck.targets.reference import parse
from tests.report.conftest import report

__all__ = ["report"]  # the fixture

COUNTS = [pytest.param(25, id="some"), pytest.param(500, id="many", marks=pytest.mark.slow)]
TEXTS = ("text", "concise", "markdown", "json", "sarif", "junit", "github", "gitlab", "html")
HOSTILE = (
    "../../outside", "/etc/passwd", "<script>alert(1)</script>", "\x1b[31m\x07", "{{ 7*7 }}",
    "]]>", "::error::x", "%0A", "$(touch x)", "\u202e", "", "a" * 99, "NaN", "float128", "O",
    "U999999999", "=cmd|' /C calc'!A0", "error", "pass", "2/99999999999",
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 10**6, 2**63, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
Place = Callable[..., tuple[int, str]]


def fuzz(count: int, *strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], None]:
    """Call a function with this many examples."""

    def run(check: Callable[..., None]) -> None:
        every = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
        steered = settings(
            max_examples=count, deadline=None, derandomize=True, suppress_health_check=every
        )
        steered(given(*strategies)(check))()

    return run


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, fake_engine: Any
) -> Iterator[Place]:
    """Run commands in a folder of their own, and see that nothing is written around it."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "beside").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(inside)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def command(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        status = cli.run(arguments)
        out, err = capfd.readouterr()
        assert status in (0, 1, 2, 5), (status, arguments, err)
        assert "Traceback" not in out + err
        told = err if "json" in arguments else out + err
        assert not CONTROL.findall(told)  # which a terminal would obey
        return status, out + err

    yield command
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beside", "inside"]
    assert (tmp_path / "beside").read_text(encoding="utf-8") == "mine"


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a tree."""
    named = tree.items() if isinstance(tree, dict) else ()
    counted = enumerate(tree) if isinstance(tree, list) else ()
    for key, part in (*named, *counted):
        yield (*path, key)
        yield from places(part, (*path, key))


def changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A tree with another value at a place; as it was where that is gone by now."""
    made = copy.deepcopy(tree)
    at = made
    with contextlib.suppress(KeyError, IndexError, TypeError):
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
    return made


def edits(tree: Any) -> st.SearchStrategy[str]:
    """Texts that are nearly what was expected: other values at one place of each kind, or a few."""
    kinds: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for path in places(tree):
        kinds.setdefault(tuple(key for key in path if isinstance(key, str)), []).append(path)
    place = st.sampled_from(sorted(kinds)).flatmap(lambda kind: st.sampled_from(kinds[kind]))

    def edited(made: list[tuple[Any, Any]]) -> str:
        found = tree
        for path, value in made:
            found = changed(found, path, value)
        return json.dumps(found)

    near = st.lists(st.tuples(place, LEAVES | TREES), min_size=1, max_size=2).map(edited)
    deep = st.sampled_from(["", "[", "{"]).map(lambda text: text * 9_999)
    far = TREES.map(json.dumps) | deep
    return st.integers(0, 9).flatmap(lambda turn: far if turn == 9 else near)


@pytest.mark.parametrize("count", COUNTS)
def test_reports(count: int, report: Report, place: Place) -> None:
    tree = json.loads(to_json(report))
    Path("old.json").write_text(json.dumps(tree), encoding="utf-8")

    @fuzz(count, edits(tree), st.sampled_from(TEXTS))
    def check(text: str, name: str) -> None:
        Path("new.json").write_text(text, encoding="utf-8")
        place("render", "new.json", "--format", name)
        place("merge", "old.json", "new.json", "--format", "concise")
        place("cache", "show")

    assert sorted(path.name for path in Path().iterdir()) == ["new.json", "old.json"]


@pytest.mark.parametrize("count", COUNTS)
def test_reports_beside_others(count: int, report: Report, place: Place) -> None:
    from losscheck.changes import changes
    from losscheck.report.json import from_json

    tree = json.loads(to_json(report))

    @fuzz(count, edits(tree))
    def check(text: str) -> None:
        try:
            found = from_json(text)
        except UsageError:
            return
        changes(report, found)
        changes(found, report)
        assert from_json(to_json(found)).summary == found.summary


@pytest.mark.parametrize("count", COUNTS)
def test_baselines(count: int, report: Report, place: Place) -> None:

    from losscheck.settings import baseline

    entries = baseline.entries_of(report.losses, (), datetime.date(2026, 11, 30))
    Path("known.json").write_text(baseline.written(entries), encoding="utf-8")
    tree = json.loads(Path("known.json").read_text(encoding="utf-8"))

    @fuzz(count, edits(tree))
    def check(text: str) -> None:
        Path("known.json").write_text(text, encoding="utf-8")
        baseline._read.cache_clear()
        status, _ = place("baseline", "show", "--baseline", "known.json")
        if status == 0:
            known = baseline.read(Path("known.json"))
            for loss in report.losses:
                baseline.matched(known, loss.target, loss.findings)
            baseline.mended(report.losses, known)
            Path("again.json").write_text(baseline.written(known), encoding="utf-8")


def _toml(value: Any) -> str:
    """A value as TOML writes it, or nearly."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


@pytest.mark.parametrize("count", COUNTS)
def test_configurations(count: int, place: Place) -> None:
    known = {
        "targets": ["losses"],
        "exclude": ["losses:x*"],
        "dtypes": ["float32"],
        "fail-on": "warning",
        "ignore": {"LC103": "meant"},
        "severity": {"LC104": "note"},
        "order": 1,
        "budget": 20,
        "baseline": "known.json",
        "losses": {"losses:one": {"ignore": {"LC103": "meant"}, "data": "batch.npz"}},
    }
    table = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), TREES, max_size=4)
    near = edits(known)

    @fuzz(count, st.one_of(near.map(_as_toml), table.map(_as_toml_of), st.text(max_size=60)))
    def check(text: str) -> None:
        Path("losscheck.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
        place("config", "--format", "text")
        place("config", "--format", "json")
        place("cache", "clear")

    assert [path.name for path in Path().iterdir()] == ["losscheck.toml"]


def _as_toml(text: str) -> str:
    try:
        return _as_toml_of(json.loads(text))
    except (ValueError, RecursionError):
        return f"targets = {'[' * 2_000}"


def _as_toml_of(tree: Any) -> str:
    if not isinstance(tree, dict):
        return f"targets = {_toml(tree)}"
    return "\n".join(f"{json.dumps(key)} = {_toml(value)}" for key, value in tree.items())


PARTS = st.sampled_from(
    [
        "own.py", "own", "nowhere", ":", "one", "factory", "(", ")", "[", "]", ".", ",", "=",
        "gamma=2.0", "0", "'x'", "*", "**", "\\", "/", "../", "~", " ", "\n", "\0", "é",
        "lambda: 0", "__import__('os')", "-", "{}", "9" * 50, "((((", "own.py:one", "own:one[0]",
    ]
)  # fmt: skip


@pytest.mark.parametrize("count", COUNTS)
def test_targets(count: int, place: Place) -> None:
    source = "def one(y_true, y_pred):\n    return y_pred\n\n\nfactory = one\n"
    Path("own.py").write_text(source, encoding="utf-8")
    written = st.lists(PARTS, min_size=1, max_size=5).map("".join) | st.text(max_size=20).map(
        lambda text: f"own.py:{text}"
    )

    @fuzz(count, written)
    def check(target: str) -> None:
        with contextlib.suppress(UsageError):
            parse(target)
        place("check", "--", target)
        place("config", "--", target)

    kept = {path.name for path in Path().iterdir()} - {"__pycache__"}
    assert kept == {"own.py"}


def archives() -> st.SearchStrategy[bytes]:
    """Files of data, whole and broken."""
    arrays = st.dictionaries(
        st.sampled_from(["y_true", "y_pred", "../y", "", "file"]),
        st.sampled_from(
            [
                np.zeros((3, 2), np.float32),
                np.full(3, np.nan),
                np.array([], np.int64),
                np.array(5),
                np.array(["a", "b"]),
                np.array([object()], object),
                np.zeros(2, [("a", "f4")]),
                np.zeros((0, 10**6)),
                np.zeros(3, "datetime64[s]"),
                np.zeros(2, complex),
            ]
        ),
        max_size=3,
    )

    def packed(given: dict[str, Any]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in given.items():
                inner = io.BytesIO()
                np.save(inner, array, allow_pickle=True)
                archive.writestr(f"{name}.npy", inner.getvalue())
        return out.getvalue()

    whole = arrays.map(packed)

    def broken(whole: bytes, at: float, flip: int, cut: bool) -> bytes:
        i = int(at * max(0, len(whole) - 1))
        return whole[:i] if cut else whole[:i] + bytes([flip]) + whole[i + 1 :]

    share, byte = st.floats(0, 1), st.integers(0, 255)
    return st.one_of(
        whole,
        st.builds(broken, whole, share, byte, st.booleans()),
        st.builds(broken, whole, share, byte, st.just(False)),
        st.binary(max_size=80),
    )


@pytest.mark.parametrize("count", COUNTS)
def test_data(count: int, place: Place) -> None:
    from losscheck.cases.user_data import read

    @fuzz(count, archives())
    def check(content: bytes) -> None:
        Path("batch.npz").write_bytes(content)
        with contextlib.suppress(UsageError):
            found = read("batch.npz", Path.cwd())
            assert all(array.dtype != object for array in found.batches[0].values())


def test_what_claims_to_be_huge_is_not_unpacked(place: Place) -> None:
    from losscheck.cases.user_data import read

    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile("lying.npz", "w") as archive:
        archive.writestr("y_pred.npy", member)
    with pytest.raises(UsageError, match=r"no \.npz file"):
        read("lying.npz", Path.cwd())
    with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("y_pred.npy", bytes(2**25))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("losscheck.cases.user_data.batches.MOST_BYTES", 10**7)
        with pytest.raises(UsageError, match=r"holds 34 MB, and at most 10 MB"):
            read("bomb.npz", Path.cwd())


def test_no_file_is_read_without_an_end(place: Place) -> None:
    for arguments in (
        ("config", "--config", "/dev/zero"),
        ("baseline", "show", "--baseline", "/dev/zero"),
        ("render", "/dev/zero"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("losscheck.cli.commands.LARGE", 2**20)
            status, told = place(*arguments)
        assert status == 2
        assert "is larger than" in told
