from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from losscheck.fixes.patch import Edit, PatchError, patched, unified

SOURCE = """\
import tensorflow as tf


class Loss:
    def call(self, a, b):
        # a quotient
        share = (
            a
            / b  # of all
        )
        share /= b
        if tf.size(a) > 0: return share
        return [x / b for x in a], share  # both
"""


def edit(old: str, new: str, *before: str, source: str = SOURCE) -> Edit:
    """Change the first place that holds a text."""
    start = source.index(old)
    head, tail = source[:start], source[: start + len(old)]
    return Edit(
        file="f.py",
        line=head.count("\n") + 1,
        column=len(head.rpartition("\n")[2]),
        end_line=tail.count("\n") + 1,
        end_column=len(tail.rpartition("\n")[2]),
        new=new,
        before=before,
    )


def changed(*edits: Edit) -> list[str]:
    """The lines that are new, without their indentation."""
    old = SOURCE.splitlines()
    return [line.strip() for line in patched(SOURCE, edits).splitlines() if line not in old]


def test_an_expression_over_several_lines_keeps_its_parentheses_and_what_is_around_it():
    assert changed(edit("a\n            / b", "tf.math.divide_no_nan(a, b)")) == [
        "tf.math.divide_no_nan(a, b)  # of all"
    ]


def test_a_division_in_place_becomes_an_assignment():
    assert changed(edit("share /= b", "share / tf.maximum(b, 1e-7)")) == [
        "share = share / tf.maximum(b, 1e-7)"
    ]


def test_statements_go_before_with_the_indentation_of_the_line():
    lines = patched(SOURCE, [edit("share /= b", "share / safe", "safe = b + 1.0")]).splitlines()
    assert lines[10:12] == ["        safe = b + 1.0", "        share = share / safe"]


def test_a_sum_in_a_product_gets_parentheses():
    source = "def f(x, y):\n    return x * y\n"
    found = patched(
        source,
        [Edit(file="f.py", line=2, column=11, end_line=2, end_column=12, new="x + 1.0")],
    )
    assert found == "def f(x, y):\n    return (x + 1.0) * y\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = -log(1 - p) + y\n", "x = softplus(z) + y\n"),
        ("x = y - log(1 - p) * 1\n", "x = y - (-softplus(z)) * 1\n"),
        ("x = y - log(1 - p)\n", "x = y + softplus(z)\n"),
        ("x = (-log(1 - p)) ** 2\n", "x = (softplus(z)) ** 2\n"),
    ],
)
def test_the_minus_of_a_minus_is_written_as_people_do(line: str, expected: str):
    assert patched(line, [edit("log(1 - p)", "-softplus(z)", source=line)]) == expected


def test_several_edits_are_made_together():
    pair = [edit("a\n            / b", "a * b"), edit("share /= b", "share - b")]
    assert changed(*pair) == ["a * b  # of all", "share = share - b"]


def test_edits_that_overlap_are_refused():
    with pytest.raises(PatchError, match="overlap"):
        patched(SOURCE, [edit("x / b for", "x"), edit("b for x in a", "b")])


@pytest.mark.parametrize("old", ["x / b", "tf.size(a) > 0"])
def test_no_statement_goes_before_what_is_run_again_or_not_at_all(old: str):
    changing = edit(old, "safe", "safe = b")
    if old == "x / b":
        with pytest.raises(PatchError):
            patched(SOURCE, [changing])
    else:
        assert "        safe = b\n        if safe: return share" in patched(SOURCE, [changing])


def test_what_is_not_there_is_refused():
    with pytest.raises(PatchError, match="no expression"):
        patched(SOURCE, [Edit(file="f", line=6, column=0, end_line=6, end_column=3, new="a")])


def test_what_does_not_parse_is_refused():
    with pytest.raises(PatchError):
        patched(SOURCE, [edit("share /= b", "share /")])


def test_the_difference_can_be_applied(tmp_path: Path):
    file = tmp_path / "pkg" / "losses.py"
    file.parent.mkdir()
    file.write_text(SOURCE)
    new = patched(SOURCE, [edit("share /= b", "share / tf.maximum(b, 1e-7)")])
    difference = unified(str(file), SOURCE, new, str(tmp_path))
    assert difference.startswith("--- a/pkg/losses.py\n+++ b/pkg/losses.py\n")
    subprocess.run(["git", "apply"], input=difference, text=True, cwd=tmp_path, check=True)
    assert file.read_text() == new
