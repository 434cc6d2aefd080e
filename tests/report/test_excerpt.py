import pytest

from losscheck.model import Location
from losscheck.report.excerpt import cut, whole

LINE = "    " + "a" * 80 + "BLAME" + "z" * 80


def at(source: str, column: int | None, end_column: int | None) -> Location:
    return Location(
        file="f.py", line=1, column=column, end_column=end_column, source=source, op="Log"
    )


def test_whole_line_loses_its_indentation() -> None:
    excerpt = whole(at("    x = log(y)\n", 9, 15))
    assert excerpt.parts == ("x = ", "log(y)", "")
    assert excerpt.underline == "    ^^^^^^"


@pytest.mark.parametrize("width", [30, 50, 100, 200])
def test_cut_keeps_what_is_blamed(width: int) -> None:
    excerpt = cut(at(LINE, 85, 90), width)
    assert excerpt.parts[1] == "BLAME"
    assert len(excerpt.text) <= width


def test_cut_of_a_range_wider_than_the_terminal_ends_with_it() -> None:
    excerpt = cut(at(LINE, 20, 160), 40)
    assert len(excerpt.text) <= 40
    assert excerpt.text[excerpt.end :] == " ..."


def test_range_that_goes_on_below_ends_with_the_line() -> None:
    assert whole(at("x = f(", 5, 40)).parts == ("x = ", "f(", "")


def test_line_without_columns_has_no_underline() -> None:
    assert whole(at("\tx = 1", None, None)).underline == ""


def test_range_beyond_the_line_is_empty() -> None:
    assert whole(at("x", 40, 50)).parts == ("x", "", "")


def test_wide_characters_take_two_columns() -> None:
    assert whole(at("名 = log(y)", 5, 11)).underline == " " * 5 + "^" * 6


WORDS = (
    "    total = first_part + second_part * tf.math.log(the_third_part) + fourth_part - fifth_part"
)


@pytest.mark.parametrize("width", range(49, 90, 4))
def test_no_word_is_broken(width: int) -> None:
    start = WORDS.index("tf.math") + 1
    excerpt = cut(at(WORDS, start, start + len("tf.math.log(the_third_part)")), width)
    assert len(excerpt.text) <= width
    shown = excerpt.text.removeprefix("... ").removesuffix(" ...")
    assert set(shown.split()) <= set(WORDS.split())
    assert excerpt.parts[1] == "tf.math.log(the_third_part)"
