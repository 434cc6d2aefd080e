"""Shapes, in the order in which they are tried."""

from losscheck.infer.layouts import PAIRS, extras, layouts, numbered
from losscheck.infer.spec import BATCH, last_letter, main_sizes
from losscheck.settings.shapes import parse


def test_a_pair_is_tried_with_equal_shapes_first():
    roles = {"y_pred": "y_pred", "y_true": "y_true"}
    tried = list(layouts(roles, {}))
    assert [(t["y_true"], t["y_pred"]) for t in tried] == list(PAIRS)
    assert tried[0] == {"y_pred": parse("(B, D)"), "y_true": parse("(B, D)")}
    assert list(tried[0]) == ["y_pred", "y_true"]  # the order of the signature


def test_every_extra_argument_is_tried_in_every_shape_of_its_own():
    roles = {"y_true": "y_true", "y_pred": "y_pred", "w": "weight", "z": "input"}
    tried = list(layouts(roles, {}, PAIRS[:1]))
    shapes = {"(B, D)", "(B,)", "(B, 1)", "()", "(B, D, D)"}
    assert len(tried) == len(shapes) ** 2
    assert {t["w"].text for t in tried} == {t["z"].text for t in tried} == shapes


def test_extra_arguments_have_leading_parts_of_the_predictions_shape():
    of_images = [shape.text for shape in extras(parse("(B, H, W, C)"))]
    assert of_images[:3] == ["(B, H, W, C)", "(B, H, W)", "(B, H, W, 1)"]
    assert of_images[3:] == ["(B,)", "(B, H)", "(B, 1)", "()", "(B, C, C)"]
    assert extras(parse("(B,)"))[0] == parse("(B,)")


def test_what_is_fixed_stays_and_nothing_is_tried_twice():
    roles = {"y_true": "y_true", "y_pred": "y_pred", "w": "weight"}
    texts = {"y_true": "(B, 7)", "y_pred": "(B, 7)", "w": "(7,)"}
    fixed = {name: parse(text) for name, text in texts.items()}
    assert list(layouts(roles, fixed)) == [fixed]
    tried = list(layouts(roles, {"w": parse("(B,)")}))
    assert len(tried) == len(PAIRS)
    assert {t["w"].text for t in tried} == {"(B,)"}


def test_a_width_replaces_its_letter_and_no_other():
    texts = {"p": "(B, D)", "w": "(D,)", "z": "(B, DD)"}
    found = numbered({name: parse(text) for name, text in texts.items()}, "D", 5)
    assert {name: shape.text for name, shape in found.items()} == {
        "p": "(B, 5)",
        "w": "(5,)",
        "z": "(B, DD)",
    }


def test_a_number_is_written_for_one_axis():
    assert parse("(B, T, D)").with_axis(-1, 4).text == "(B, T, 4)"
    assert parse("(B, T, D)").with_axis(1, 4).text == "(B, 4, D)"


def test_sizes_of_the_main_instance():
    pair = {"t": parse("(B, T)"), "p": parse("(B, T, D)")}
    sizes = main_sizes(pair)
    assert sizes["B"] == BATCH
    assert len({*sizes.values()}) == 3  # so that no axis is taken for another
    assert last_letter(pair) == "D"
    assert last_letter({"p": parse("(B, 3)")}) == ""
    assert last_letter({"p": parse("(B,)")}) == ""
