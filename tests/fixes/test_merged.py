from __future__ import annotations

import pytest

from losscheck.fixes.patch import ConflictError, applied, files_of, merged, unified

OLD = "def f(p):\n    a = log(p)\n    return a * log(1 - p)\n"


def test_changes_of_one_line_are_made_together_where_they_touch_other_words():
    line = "x = log(p) + log(q)\n"
    one, two = line.replace("log(p)", "log(max(p, e))"), line.replace("log(q)", "log(max(q, e))")
    assert merged(line, [one, two]) == "x = log(max(p, e)) + log(max(q, e))\n"


def test_the_same_change_twice_is_one():
    new = OLD.replace("log(p)", "safe(p)")
    assert merged(OLD, [new, new]) == new


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (OLD.replace("log(p)", "safe(p)"), OLD.replace("log(p)", "sure(p)")),
        (OLD.replace("    a", "    b = 1\n    a"), OLD.replace("    a", "    c = 2\n    a", 1)),
    ],
)
def test_two_changes_at_one_place_are_refused(one: str, two: str):
    with pytest.raises(ConflictError):
        merged(OLD, [one, two])


def test_a_difference_is_applied_to_what_it_was_made_of():
    new = OLD.replace("a = log(p)", "b = 1\n    a = log(p + b)")
    difference = unified("/src/f.py", OLD, new, "/src")
    assert list(files_of(difference + difference.replace("f.py", "g.py"))) == ["f.py", "g.py"]
    assert applied(difference, OLD) == new
    with pytest.raises(ConflictError):
        applied(difference, OLD.replace("return", "yield"))
