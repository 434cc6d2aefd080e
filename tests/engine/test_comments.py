"""Comments that set findings apart."""

from pathlib import Path

import pytest

from losscheck.engine.apart import comments, head
from losscheck.model import UsageError


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "losses.py"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_comment_names_rules_and_gives_the_reason(tmp_path: Path) -> None:
    file = written(tmp_path, "x = 1  # losscheck: ignore[LC103, gradient-nan] clipping is meant\n")
    (found,) = comments(file, "losses.py")
    assert found.codes == ("LC103", "LC203")
    assert found.reason == "clipping is meant"
    assert not found.alone
    assert found.speaks_of(1, "LC103")
    assert not found.speaks_of(2, "LC103")
    assert not found.speaks_of(1, "LC201")


def test_one_that_stands_alone_speaks_of_the_line_below(tmp_path: Path) -> None:
    (found,) = comments(
        written(tmp_path, "    # losscheck: ignore[LC1]: it is a mask\n    x = 1\n"), "losses.py"
    )
    assert found.speaks_of(2, "LC104")
    assert found.reason == "it is a mask"
    assert not found.speaks_of(3, "LC104")


def test_a_text_is_no_comment(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'def f():\n    """See # losscheck: ignore[LC103] this."""\n'
        "    return '# losscheck: ignore[LC103] that'\n",
    )
    assert comments(file, "losses.py") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# losscheck: ignore[LC103]", r"losses.py:1: give the reason: .*ignore\[LC103\]"),
        ("# losscheck: ignore it is meant", "losses.py:1: name the rules"),
        ("# losscheck: ignore[LC999] no", "losses.py:1.*LC999"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        comments(written(tmp_path, text + "\n"), "losses.py")


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    import os

    file = written(tmp_path, "# losscheck: ignore[LC103] once\n")
    assert comments(file, "losses.py")[0].reason == "once"
    file.write_text("# losscheck: ignore[LC103] twice\n", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    assert comments(file, "losses.py")[0].reason == "twice"


def test_a_definition_begins_at_its_decorators(tmp_path: Path) -> None:
    file = written(tmp_path, "@one\n@two(\n    3)\ndef loss(y, p):\n    return y\n")
    assert list(head(file, 1)) == [1, 2, 3, 4]
