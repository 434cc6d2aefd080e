import pytest

from losscheck.model import UsageError
from losscheck.settings.shapes import Shape, parse


@pytest.mark.parametrize(
    ("text", "dims", "canonical"),
    [
        ("(B, D)", ("B", "D"), "(B, D)"),
        ("(B,)", ("B",), "(B,)"),
        ("(B)", ("B",), "(B,)"),
        ("(B, 1)", ("B", 1), "(B, 1)"),
        (" ( B ,T, 3 ) ", ("B", "T", 3), "(B, T, 3)"),
        ("()", (), "()"),
        ("(8, 8,)", (8, 8), "(8, 8)"),
    ],
)
def test_reads_what_users_write(text, dims, canonical):
    shape = parse(text)
    assert shape == Shape(dims)
    assert shape.text == canonical
    assert parse(shape.text) == shape
    assert shape.rank == len(dims)


def test_letters_are_named_once_in_order():
    assert parse("(B, T, T, 3, D)").letters == ("B", "T", "D")


def test_sizes_take_the_place_of_letters():
    assert parse("(B, D, 3)").at({"B": 5, "D": 2, "unused": 9}) == (5, 2, 3)
    assert parse("()").at({}) == ()


def test_a_letter_without_a_size_is_named():
    with pytest.raises(UsageError, match=r"\(B, D\) has no size for D"):
        parse("(B, D)").at({"B": 5})


@pytest.mark.parametrize(
    "text", ["", "B, D", "(B", "(B, )x", "(,)", "(B, , D)", "(B, 0)", "(B, -1)", "(B, D+1)", "[B]"]
)
def test_refuses_what_is_no_shape(text):
    with pytest.raises(UsageError) as refusal:
        parse(text)
    message = str(refusal.value)
    assert repr(text) in message
    assert '"(B, D)"' in message
    assert "Write" in message


def test_shapes_are_frozen():
    with pytest.raises(AttributeError):
        parse("(B,)").dims = ()
