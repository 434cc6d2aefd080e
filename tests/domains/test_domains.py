"""Expected ranges are those of the table in DESIGN.md, section Domains."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losscheck.domains import NAMED, OUTSIDE, parse
from losscheck.domains.base import Wanted
from losscheck.domains.floats import FORMATS, cast, landmarks, next_number, step_magnitude
from losscheck.domains.layout import SOBOL_DIMENSIONS, uniform
from losscheck.model import Range, UsageError

INTERVALS = ("[-1, 1]", "(0, inf)", "[0, 1)", "(-inf, 5]", "[10, inf)", "(0.1, 0.3)")
COLUMNS = ("[real, positive]", "[box, probability]", "[binary, probability, [0, 1], count]")
DOMAINS = (*NAMED, *INTERVALS, *COLUMNS, "box of x2, x1, y2, y1")
SHAPES = ((1, 1), (3, 3), (4,), (2, 3, 2))
BOXES = ((1, 4), (3, 4), (4,), (2, 3, 4))
ORDINARY, WORKING, EXTREME = (int(part) for part in Range)


def code(text, value, dtype="float32", classes=3):
    """The range code of a single value of shape () or row."""
    return int(parse(text).classify(np.array([value]), dtype, classes)[0])


def shapes(text):
    if text == "[box, probability]":
        return tuple((*shape[:-1], 5) for shape in BOXES)
    return BOXES if text.startswith("box") else SHAPES


class TestParse:
    @pytest.mark.parametrize("name", NAMED)
    def test_names(self, name):
        assert parse(f" {name.upper()} ").name == name

    @pytest.mark.parametrize("text", ["[-1, 1]", "(0, inf)", "[0, 1)", "(-inf, 5]", "[0.5, 2]"])
    def test_intervals_have_a_canonical_name(self, text):
        assert parse(text).name == text
        assert parse(parse(text).name) == parse(text)

    def test_numbers_are_written_shortly(self):
        assert parse("[-1.0,1e0]").name == "[-1, 1]"

    @pytest.mark.parametrize(
        ("text", "name", "width"),
        [
            ("[real, positive]", "[real, positive]", 2),
            ("[ Real,[0.0,1] , (0, inf)]", "[real, [0, 1], (0, inf)]", 3),
            ("[logits]", "[logits]", 1),
            ("[box, probability]", "[box, probability]", 5),
        ],
    )
    def test_a_list_gives_a_domain_a_column(self, text, name, width):
        domain = parse(text)
        assert (domain.name, domain.width) == (name, width)
        assert parse(name) == domain

    @pytest.mark.parametrize(
        "text", ["[real, simplex]", "[real, [real, real]]", "[real, class_index]"]
    )
    def test_columns_hold_single_numbers(self, text):
        with pytest.raises(UsageError, match="for a column"):
            parse(text)

    def test_a_box_may_have_its_columns_otherwise(self):
        assert parse("box of x1, y1, x2, y2") == parse("box")
        other = parse("Box of x2,x1, y2, y1")
        assert other.name == "box of x2, x1, y2, y1"
        assert other.classify(np.array([[0.9, 0.1, 0.8, 0.2], [0.1, 0.9, 0.8, 0.2]])).tolist() == [
            ORDINARY,
            OUTSIDE,
        ]
        for text in ("box of x1, y1", "box of y1, y2", "box of x1, x1, x2, x2"):
            with pytest.raises(UsageError, match="is not a domain"):
                parse(text)

    def test_an_infinite_end_is_open(self):
        assert parse("[0, inf]") == parse("[0, inf)")

    def test_unknown_names_get_close_matches(self):
        with pytest.raises(UsageError, match=r"'probabilty'.*Did you mean probability\?"):
            parse("probabilty")

    @pytest.mark.parametrize("text", ["", "[1, -1]", "(0, 0)", "[a, 1]", "[nan, 1]", "[0, 1, 2]"])
    def test_refuses(self, text):
        with pytest.raises(UsageError, match=r"Expected|expected"):
            parse(text)


@pytest.mark.parametrize(
    ("text", "bounds", "open_ends"),
    [
        ("real", (-math.inf, math.inf), (True, True)),
        ("logits", (-math.inf, math.inf), (True, True)),
        ("positive", (0, math.inf), (True, True)),
        ("nonnegative", (0, math.inf), (False, True)),
        ("probability", (0, 1), (False, False)),
        ("simplex", (0, 1), (False, False)),
        ("unit_vector", (-math.inf, math.inf), (True, True)),
        ("binary", (0, 1), (False, False)),
        ("sign", (-1, 1), (False, False)),
        ("one_hot", (0, 1), (False, False)),
        ("mask", (0, 1), (False, False)),
        ("weight", (0, math.inf), (False, True)),
        ("count", (0, math.inf), (False, True)),
        ("[0, 1)", (0, 1), (False, True)),
        ("(-inf, 5]", (-math.inf, 5), (True, False)),
    ],
)
def test_the_box_of_finite_differences(text, bounds, open_ends):
    assert parse(text).bounds == bounds
    assert parse(text).open_ends == open_ends


def test_constrained_rows_and_whole_numbers_are_told_apart():
    rows = {name for name, domain in NAMED.items() if not domain.elementwise}
    assert rows == {"simplex", "one_hot", "unit_vector", "box"}
    whole = {name for name, domain in NAMED.items() if domain.integral}
    assert whole == {
        "binary",
        "sign",
        "one_hot",
        "mask",
        "class_index",
        "padded_class_index",
        "count",
    }


TABLE = [
    # text, value, its range in float32
    ("real", 0.0, ORDINARY),
    ("real", 3.0, ORDINARY),
    ("real", 3.1, WORKING),
    ("real", -1e9, WORKING),
    ("real", 1.1e9, EXTREME),
    ("real", 1e-40, EXTREME),
    ("real", math.inf, OUTSIDE),
    ("real", math.nan, OUTSIDE),
    ("real", 1e39, OUTSIDE),
    ("logits", 10.0, ORDINARY),
    ("logits", -1e4, WORKING),
    ("logits", 1.1e4, EXTREME),
    ("positive", 0.05, ORDINARY),
    ("positive", 20.0, ORDINARY),
    ("positive", 0.04, WORKING),
    ("positive", 1e-8, WORKING),
    ("positive", 1e-9, EXTREME),
    ("positive", 1e9, WORKING),
    ("positive", 0.0, OUTSIDE),
    ("nonnegative", 0.0, WORKING),
    ("nonnegative", 1e-9, EXTREME),
    ("nonnegative", -1e-9, OUTSIDE),
    ("probability", 1e-3, ORDINARY),
    ("probability", 1 - 1e-3, ORDINARY),
    ("probability", 0.9995, WORKING),
    ("probability", 0.0, WORKING),
    ("probability", 1.0, WORKING),
    ("probability", 1e-40, EXTREME),
    ("probability", 1.0000001, OUTSIDE),
    ("weight", 0.1, ORDINARY),
    ("weight", 10.0, ORDINARY),
    ("weight", 0.0, WORKING),
    ("weight", 1e6, WORKING),
    ("weight", 2e6, EXTREME),
    ("count", 0.0, ORDINARY),
    ("count", 20.0, ORDINARY),
    ("count", 21.0, WORKING),
    ("count", 1e6, WORKING),
    ("count", 2e6, EXTREME),
    ("count", 0.5, OUTSIDE),
    ("binary", 1.0, ORDINARY),
    ("binary", 0.5, OUTSIDE),
    ("sign", -1.0, ORDINARY),
    ("sign", 0.0, OUTSIDE),
    ("mask", 1.0, ORDINARY),
    ("mask", 0.0, WORKING),
    ("class_index", 2.0, ORDINARY),
    ("class_index", 3.0, EXTREME),
    ("class_index", -1.0, EXTREME),
    ("class_index", 4.0, OUTSIDE),
    ("class_index", 0.5, OUTSIDE),
    ("padded_class_index", 1.0, ORDINARY),
    ("padded_class_index", 0.0, WORKING),
    ("padded_class_index", -1.0, EXTREME),
    ("[-1, 1]", 0.0, ORDINARY),
    ("[-1, 1]", 1.0, WORKING),
    ("[0, 1)", 1.0, OUTSIDE),
    ("(0, inf)", 2.9, ORDINARY),
    ("(0, inf)", 1e9, WORKING),
    ("(0, inf)", 1e10, EXTREME),
    ("[-1e12, 1e12]", 1e12, WORKING),
    ("one_hot", [0.0, 1.0], ORDINARY),
    ("one_hot", [1.0, 1.0], OUTSIDE),
    ("simplex", [0.3, 0.7], ORDINARY),
    ("simplex", [0.0005, 0.9995], WORKING),
    ("simplex", [0.0, 1.0], WORKING),
    ("simplex", [1e-40, 1.0], EXTREME),
    ("simplex", [0.3, 0.6], OUTSIDE),
    ("simplex", [-0.1, 1.1], OUTSIDE),
    ("unit_vector", [0.6, 0.8], ORDINARY),
    ("unit_vector", [0.0, -1.0], WORKING),
    ("unit_vector", [0.5**0.5, 0.5**0.5], WORKING),
    ("unit_vector", [0.6, 0.7], OUTSIDE),
    ("box", [0.1, 0.2, 0.5, 0.9], ORDINARY),
    ("box", [0.1, 0.2, 0.1, 0.9], WORKING),
    ("box", [-5.0, 0.0, 500.0, 900.0], WORKING),
    ("box", [0.0, 0.0, 1e5, 1.0], EXTREME),
    ("box", [0.0, 0.0, 1e-6, 1.0], EXTREME),
    ("box", [0.5, 0.2, 0.1, 0.9], OUTSIDE),
    ("box", [0.1, 0.9, 0.5, 0.2], OUTSIDE),
    ("[real, positive]", [-1.0, 1.0], ORDINARY),
    ("[real, positive]", [-1e6, 1.0], WORKING),
    ("[real, positive]", [1.0, -1.0], OUTSIDE),
    ("[real, [0, 1]]", [5.0, 0.5], WORKING),
    ("[real, [0, 1]]", [0.5, 5.0], OUTSIDE),
    ("[binary, positive]", [1.0, 0.5], ORDINARY),
    ("[binary, positive]", [0.5, 0.5], OUTSIDE),
]


@pytest.mark.parametrize(("text", "value", "expected"), TABLE)
def test_ranges_of_the_table(text, value, expected):
    assert code(text, value) == expected


@pytest.mark.parametrize("text", ["real", "positive", "logits", "weight", "count", "[0, inf)"])
def test_in_float16_working_ends_at_a_thousand(text):
    assert code(text, 1e3, "float16") == WORKING
    assert code(text, 1001.0, "float16") == EXTREME
    assert code(text, 65504.0, "float16") == EXTREME
    assert code(text, 65536.0, "float16") == OUTSIDE


def test_a_declared_interval_works_to_its_end_in_float16():
    assert code("[0, 5000]", 5000.0, "float16") == WORKING


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("binary", [[0], [1], [1]], ORDINARY),
        ("binary", [[1], [1], [1]], WORKING),
        ("sign", [[-1], [1], [1]], ORDINARY),
        ("sign", [[-1], [-1], [-1]], WORKING),
        ("mask", [[1, 0], [1, 1], [0, 1]], ORDINARY),
        ("mask", [[1, 0], [0, 0], [0, 1]], WORKING),
        ("mask", [[0, 0], [0, 0], [0, 0]], WORKING),
        ("class_index", [0, 2, 1], ORDINARY),
        ("class_index", [0, 2, 2], WORKING),
        ("class_index", [0, 2, -1], EXTREME),
        ("class_index", [0, 1], ORDINARY),
        ("class_index", [1, 1], WORKING),
        ("padded_class_index", [[1, 2, 0], [2, 0, 0]], ORDINARY),
        ("padded_class_index", [[1, 2, 0], [0, 0, 0]], WORKING),
        ("padded_class_index", [[1, -1, 0], [3, 0, 0]], EXTREME),
        ("padded_class_index", [[1, 2, 0], [0, 2, 0]], OUTSIDE),
        ("one_hot", [[1, 0], [0, 1]], ORDINARY),
        ("one_hot", [[1, 0], [1, 0]], WORKING),
    ],
)
def test_labels_are_ordinary_where_they_are_mixed(text, labels, expected):
    assert code(text, np.array(labels, float)) == expected


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("text", ["simplex", "unit_vector"])
@pytest.mark.parametrize("width", [2, 10, 1000])
def test_rows_as_a_float_type_computes_them_are_inside(text, dtype, width):
    """Softmax and l2_normalize, every step of them rounded to the dtype."""
    logits = cast(np.random.default_rng(0).normal(size=(200, width)) * 3, dtype)
    if text == "simplex":
        powers = cast(np.exp(logits - logits.max(axis=-1, keepdims=True)), dtype)
        rows = cast(powers / cast(powers.sum(axis=-1, keepdims=True), dtype), dtype)
    else:
        square = cast(np.square(logits).sum(axis=-1, keepdims=True), dtype)
        rows = cast(logits / cast(np.sqrt(square), dtype), dtype)
    assert parse(text).classify(rows, dtype).max() < OUTSIDE


def test_rows_that_are_off_by_more_than_rounding_are_outside():
    rows = np.array([[0.5, 0.5 + 1e-5]])
    assert parse("simplex").classify(rows, "float32")[0] == OUTSIDE
    assert parse("simplex").classify(rows, "float16")[0] < OUTSIDE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("text", DOMAINS)
def test_ordinary_cases_are_ordinary(text, dtype):
    domain = parse(text)
    for shape in shapes(text):
        cases = domain.ordinary(512, shape, seed=7, classes=3)
        assert cases.shape == (512, *shape)
        assert cases.dtype == np.float64
        for values in (cases, cast(cases, dtype)):
            assert domain.classify(values, dtype, 3).max() == ORDINARY


@pytest.mark.parametrize("text", DOMAINS)
def test_ordinary_cases_are_ordinary_in_float16_but_for_its_gaps(text):
    """Rounding makes parts of a direction equal; below 6e-5 numbers are subnormal."""
    domain = parse(text)
    for shape in shapes(text):
        cases = cast(domain.ordinary(512, shape, seed=7, classes=3), "float16")
        ranges = domain.classify(cases, "float16", 3)
        assert (ranges == ORDINARY).mean() > 0.99
        assert ranges.max() < OUTSIDE


@pytest.mark.parametrize(
    ("text", "low", "median", "high"),
    [
        ("real", -3, 0, 3),
        ("logits", -10, 0, 10),
        ("positive", 0.05, 1, 20),  # logarithmic: the geometric mean of the ends
        ("nonnegative", 0.05, 1, 20),
        ("probability", 1e-3, 0.5, 0.999),
        ("weight", 0.1, 1, 10),
        ("count", 0, 10, 20),
        ("[-1, 1]", -0.9, 0, 0.9),
        ("(0, inf)", 0.15, 1.575, 3),
    ],
)
def test_ordinary_cases_fill_the_ordinary_range(text, low, median, high):
    cases = parse(text).ordinary(4096, (2,), seed=3)
    reach = high - low
    assert low <= cases.min() <= low + 0.01 * reach
    assert high - 0.01 * reach <= cases.max() <= high
    # Sobol's points are even to about 1/n.
    assert np.median(cases, axis=0) == pytest.approx([median] * 2, abs=0.01 * reach)


def test_ordinary_simplex_rows_reach_from_even_to_their_floor():
    parts = parse("simplex").ordinary(4096, (1, 3), seed=0)
    assert 1e-3 <= parts.min() < 2e-3
    assert parts.max() > 0.97
    assert parts.mean(axis=(0, 1)) == pytest.approx([1 / 3] * 3, abs=0.005)


def test_ordinary_directions_point_everywhere():
    rows = parse("unit_vector").ordinary(4096, (3,), seed=0)
    assert np.square(rows).sum(axis=1) == pytest.approx(np.ones(4096))
    assert rows.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.01)
    # Each part of a direction in three dimensions is uniform in [-1, 1] (Archimedes).
    assert np.abs(rows).mean(axis=0) == pytest.approx([0.5] * 3, abs=0.01)


@pytest.mark.parametrize(("text", "shape"), [("class_index", (5, 1)), ("one_hot", (5, 4))])
def test_every_class_occurs_in_an_ordinary_case(text, shape):
    cases = parse(text).ordinary(300, shape, seed=0, classes=4)
    labels = cases[..., 0] if text == "class_index" else cases.argmax(axis=2)
    assert all(set(case) == {0, 1, 2, 3} for case in labels)


def test_padding_stands_at_the_end_of_rows_that_name_a_class():
    rows = parse("padded_class_index").ordinary(300, (2, 4), seed=0, classes=3).reshape(-1, 4)
    assert set(rows.ravel()) == {0, 1, 2}
    assert (rows[:, 0] > 0).all()
    assert (np.diff(rows == 0, axis=1) >= 0).all()


def test_single_labels_take_every_class():
    labels = parse("class_index").ordinary(300, (1,), seed=0, classes=5)
    assert set(labels.ravel()) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("text", DOMAINS)
def test_the_seed_settles_ordinary_cases_and_corners(text):
    domain = parse(text)
    shape = shapes(text)[1]
    first, second, other = (domain.ordinary(64, shape, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    one, two = (domain.corners(shape, "float32", 3, seed=4)[0] for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_two_arguments_with_two_seeds_are_independent():
    """One-dimensional Sobol points in their order are functions of each other."""
    first, second = (parse("real").ordinary(4096, (), seed=seed) for seed in (0, 1))
    boxes, _, _ = np.histogram2d(first, second, bins=16)
    assert boxes.min() > 0


def test_beyond_sobols_dimensions_points_are_random():
    points = uniform(300, SOBOL_DIMENSIONS + 1, np.random.default_rng(0))
    assert points.shape == (300, SOBOL_DIMENSIONS + 1)
    assert points.mean() == pytest.approx(0.5, abs=0.01)


class TestLandmarks:
    def test_real_holds_the_numbers_that_break_formulas(self):
        values, ranges = parse("real").scalars("float32")
        at = dict(zip(values.tolist(), ranges.tolist(), strict=True))
        expected = {
            2.0**-149: EXTREME,
            2.0**-126: EXTREME,  # nearer to 0 than 1e-8: as of positive numbers
            1e-18: EXTREME,
            0.0: ORDINARY,
            1e-8: ORDINARY,
            1.0 + 2.0**-23: ORDINARY,
            1.0 - 2.0**-24: ORDINARY,
            0.5: ORDINARY,
            88.0: WORKING,
            89.0: WORKING,
            104.0: WORKING,
            700.0: WORKING,
            1e3: WORKING,
            1e4: WORKING,
            1e9: WORKING,
            1e18: EXTREME,
            1e20: EXTREME,
            1e30: EXTREME,
            float(np.finfo(np.float32).max): EXTREME,
        }
        for number, part in expected.items():
            assert at[float(np.float32(number))] == part
            assert at[float(np.float32(-number))] == part

    def test_both_zeros_are_there(self):
        values, _ = parse("real").scalars("float32")
        assert set(np.signbit(values[values == 0])) == {True, False}

    def test_probability_holds_both_ends_and_their_neighbours(self):
        values, _ = parse("probability").scalars("float32")
        for number in (0.0, 1.0, 1e-8, 1e-7, 1 - 1e-7, 1 - 2.0**-24, 2.0**-149, 0.5):
            assert np.float32(number) in values

    def test_the_ends_of_an_interval_are_there_with_their_neighbours(self):
        values, _ = parse("[-2, 7)").scalars("float32")
        assert values.min() == -2
        assert values.max() == np.nextafter(np.float32(7), np.float32(0))
        assert np.nextafter(np.float32(-2), np.float32(0)) in values

    def test_wrong_classes_are_extreme(self):
        values, ranges = parse("class_index").scalars("float32", 4)
        assert values.tolist() == [-1, 0, 1, 2, 3, 4]
        assert ranges.tolist() == [EXTREME, 0, 0, 0, 0, EXTREME]

    def test_simplex_rows(self):
        rows, ranges = parse("simplex").rows(3, "float32")
        found = {tuple(row): part for row, part in zip(rows.tolist(), ranges, strict=True)}
        third = float(np.float32(1 / 3))
        assert found[1.0, 0.0, 0.0] == WORKING
        assert found[third, third, third] == ORDINARY
        assert found[float(np.float32(1 - 2.0**-24)), 2.0**-24, 0.0] == WORKING

    def test_unit_vectors_along_axes_with_equal_parts_and_their_opposites(self):
        rows, _ = parse("unit_vector").rows(2, "float32")
        root = np.float32(0.5**0.5)
        for row in ([1, 0], [0, -1], [root, root], [-root, -root], [-root, root]):
            assert (rows == np.array(row, np.float32)).all(axis=1).any()

    def test_one_hot_rows_are_the_classes(self):
        rows, ranges = parse("one_hot").rows(3, "float32")
        np.testing.assert_array_equal(rows, np.eye(3))
        assert ranges.tolist() == [ORDINARY] * 3

    def test_landmarks_are_distinct_and_fit_the_dtype(self):
        for name, fmt in FORMATS.items():
            numbers = landmarks(name)
            assert np.abs(numbers).max() == fmt.largest
            assert len(np.unique(numbers)) == len(numbers) - 1  # both zeros are equal


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("text", DOMAINS)
def test_corners_are_inside_with_the_range_that_classify_gives(text, dtype):
    domain = parse(text)
    for shape in shapes(text):
        values, ranges = domain.corners(shape, dtype, 3, seed=0)
        assert values.shape == (len(ranges), *shape)
        assert values.dtype == FORMATS[dtype].storage
        assert ranges.max() < OUTSIDE
        np.testing.assert_array_equal(ranges, domain.classify(values, dtype, 3))


def test_corners_fill_and_plant():
    values, _ = parse("real").corners((3, 2), "float32", seed=0)
    flat = values.reshape(len(values), -1)
    constant = flat[(flat == flat[:, :1]).all(axis=1), 0]
    assert {1e9, -0.5, 1.0} <= set(constant.tolist())
    alone = (np.abs(flat) > 1e8).sum(axis=1) == 1
    ordinary_besides = (np.abs(flat) <= 3).sum(axis=1) == 5
    assert (alone & ordinary_besides).any()


@pytest.mark.parametrize("text", DOMAINS)
@pytest.mark.parametrize("reach", list(Range))
def test_draws_stay_inside_and_reach_out(text, reach):
    domain = parse(text)
    shape = shapes(text)[1]
    rng = np.random.default_rng(0)
    points = uniform(512, domain.dimensions(shape), rng)
    cases = domain.draw(points, Wanted(shape=shape, reach=reach, rng=rng, classes=3))
    ranges = domain.classify(cast(cases, "float32"), "float32", 3)
    assert ranges.max() < OUTSIDE
    if reach is not Range.ORDINARY:
        assert (ranges >= WORKING).mean() > 0.05


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("text", DOMAINS)
def test_strategies_stay_inside(text, dtype):
    domain = parse(text)

    @settings(max_examples=40, database=None, deadline=None, derandomize=True)
    @given(st.data())
    def check(data):
        shape = data.draw(st.sampled_from(shapes(text)))
        case = data.draw(domain.strategy(shape, dtype, 3))
        assert case.shape == shape
        assert case.dtype == FORMATS[dtype].storage
        assert domain.classify(case[np.newaxis], dtype, 3)[0] < OUTSIDE

    check()


def test_columns_have_ends_of_their_own():
    low, high = parse("[real, positive, [0, 1]]").limits((5, 3))
    assert low.tolist() == [-math.inf, 0.0, 0.0]
    assert high.tolist() == [math.inf, math.inf, 1.0]
    clipped = parse("[real, binary]").clip(np.array([[-5.0, 0.7], [2.0, -3.0]]))
    assert clipped.tolist() == [[-5.0, 1.0], [2.0, 0.0]]


def test_boxes_overlap_in_more_than_half_of_ordinary_cases():
    first, second = (parse("box").ordinary(4096, (4,), seed=seed) for seed in (0, 1))
    low, high = np.maximum(first, second)[:, :2], np.minimum(first, second)[:, 2:]
    assert 0.6 < (low < high).all(axis=1).mean() < 0.9


def test_boxes_are_put_in_order_and_beside_each_other():
    box = parse("box")
    assert box.project(np.array([[3.0, 1.0, 2.0, 5.0]])).tolist() == [[2.0, 1.0, 3.0, 5.0]]
    boxes = box.ordinary(64, (4,), seed=0)
    rng = np.random.default_rng(0)
    related = [move(boxes, rng) for move in box.relatives()]
    assert all((box.classify(other) < OUTSIDE).all() for other in related)
    assert any((other[:, 0] == boxes[:, 2]).all() for other in related)  # touch at a side
    assert any(
        (other[:, :2] > boxes[:, :2]).all() and (other[:, 2:] < boxes[:, 2:]).all()
        for other in related
    )


def test_a_box_takes_four_columns():
    with pytest.raises(UsageError, match=r"A box has 4 columns"):
        parse("box").tokens((3,), "float32")


def test_contains_is_working_unless_said_otherwise():
    numbers = np.array([1.0, 1e6, 1e12, np.nan])
    real = parse("real")
    assert real.contains(numbers).tolist() == [True, True, False, False]
    assert real.contains(numbers, Range.ORDINARY).tolist() == [True, False, False, False]
    assert real.contains(numbers, Range.EXTREME).tolist() == [True, True, True, False]


def test_no_cases_have_no_ranges():
    for text in DOMAINS:
        nothing = parse(text).ordinary(0, shapes(text)[0], seed=0)
        assert nothing.shape == (0, *shapes(text)[0])
        assert parse(text).classify(nothing, "float32", 3).shape == (0,)


def test_rows_need_an_axis():
    with pytest.raises(UsageError, match=r"simplex has its parts along the last axis"):
        parse("simplex").tokens((), "float32")


class TestFloats:
    def test_bfloat16_rounds_to_nearest_and_ties_to_even(self):
        # bfloat16 has 8 bits: its neighbours of 1 are 2^-7 above and 2^-8 below.
        numbers = np.array([1 + 2.0**-8, 1 + 3 * 2.0**-8, 1 + 2.0**-8 + 2.0**-20, -1 - 2.0**-9])
        expected = [1, 1 + 2.0**-6, 1 + 2.0**-7, -1]
        assert cast(numbers, "bfloat16").tolist() == expected

    def test_too_large_numbers_become_infinite(self):
        for name, fmt in FORMATS.items():
            assert cast(np.array([fmt.largest]), name)[0] == fmt.largest
            if name != "float64":
                assert np.isinf(cast(np.array([fmt.largest * 1.01]), name)[0])

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_formats_agree_with_numpy(self, dtype):
        info, fmt = np.finfo(dtype), FORMATS[dtype]
        numbers = (info.eps, info.tiny, info.smallest_subnormal, info.max)
        assert (fmt.eps, fmt.tiny, fmt.subnormal, fmt.largest) == tuple(map(float, numbers))

    @pytest.mark.parametrize("dtype", FORMATS)
    def test_an_ulp_beside_one_is_eps(self, dtype):
        eps = FORMATS[dtype].eps
        one = np.array([1.0, -1.0])
        assert step_magnitude(one, 1, dtype).tolist() == [1 + eps, -1 - eps]
        assert step_magnitude(one, -1, dtype).tolist() == [1 - eps / 2, -1 + eps / 2]

    @pytest.mark.parametrize("dtype", FORMATS)
    def test_beside_zero_lies_the_smallest_subnormal(self, dtype):
        smallest = FORMATS[dtype].subnormal
        assert step_magnitude(np.array([0.0, -0.0]), 1, dtype).tolist() == [smallest, -smallest]
        assert step_magnitude(np.array([smallest]), -5, dtype).tolist() == [0.0]
        assert next_number(0.0, -1.0, dtype) == -smallest
        assert next_number(1.0, 0.0, dtype) == 1 - FORMATS[dtype].eps / 2

    def test_unknown_dtypes_are_refused(self):
        with pytest.raises(UsageError, match=r"'int32' is not a float type.*float32"):
            cast(np.zeros(1), "int32")
