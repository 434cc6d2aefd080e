"""What is sent to workers: whole, by its content, and refused with a reason."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from losscheck.engine.cluster import named_by_content, unpacked
from losscheck.model import UsageError


def archive(file: Path, text: str) -> Path:
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("pkg/losses.py", text)
        made.writestr("../outside.py", "escaped = True\n")
    return file


def test_it_is_unpacked_once_and_inside(tmp_path: Path) -> None:
    there = tmp_path / "worker"
    there.mkdir()
    with named_by_content(str(archive(tmp_path / "project.zip", "x = 1\n"))) as named:
        sent = Path(named.rename(there / named.name))
        folder = unpacked(sent)
    assert (folder / "pkg" / "losses.py").read_text() == "x = 1\n"
    (folder / "pkg" / "losses.py").write_text("kept\n")
    assert (unpacked(sent) / "pkg" / "losses.py").read_text() == "kept\n"
    assert {path.name for path in there.iterdir()} == {sent.name, folder.name}


def test_other_contents_have_other_names(tmp_path: Path) -> None:
    one, other = archive(tmp_path / "a.zip", "x = 1\n"), archive(tmp_path / "b.zip", "x = 2\n")
    with named_by_content(str(one)) as first, named_by_content(str(other)) as second:
        assert first.name != second.name


def test_what_cannot_be_sent_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    for name, why in (("text.zip", "it is neither"), ("missing.zip", "there is no such file")):
        with (
            pytest.raises(UsageError, match=f"a wheel or a zip of the project, but {why}"),
            named_by_content(str(tmp_path / name)),
        ):
            pass


def test_what_fails_while_it_is_sent_is_not_put_down_to_the_archive(tmp_path: Path) -> None:
    named = named_by_content(str(archive(tmp_path / "project.zip", "x = 1\n")))
    with pytest.raises(ConnectionResetError), named:
        raise ConnectionResetError("the scheduler is gone")
