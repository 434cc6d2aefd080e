import json
from typing import Any, NoReturn

import attrs
import jsonschema
import numpy as np
import pytest

from losscheck.model import Met, Report, UsageError
from losscheck.report import schema
from losscheck.report.json import from_json, to_json


def refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is not strict JSON")


@pytest.fixture
def tree(report: Report) -> Any:
    return json.loads(to_json(report), parse_constant=refuse)


def same(left: Any, right: Any) -> bool:
    """Compare by value: attrs classes field by field, numbers and arrays with NaN equal to NaN."""
    if attrs.has(type(left)):
        return type(left) is type(right) and all(
            same(getattr(left, field.name), getattr(right, field.name))
            for field in attrs.fields(type(left))
        )
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, (np.ndarray, np.floating, float)):
        # A result loses its dtype in JSON; it reads back as the same number of that dtype.
        dtype = np.asarray(left).dtype
        return np.array_equal(left, np.asarray(right).astype(dtype), equal_nan=True)
    return bool(left == right)


def test_the_numbers_met_in_data_are_kept(report: Report) -> None:
    loss = report.losses[0]
    met = Met(least=-1.0, low=0.0, high=2.0, greatest=3e38)
    arguments = (attrs.evolve(loss.arguments[0], met=met), *loss.arguments[1:])
    losses = (attrs.evolve(loss, arguments=arguments), *report.losses[1:])
    text = to_json(attrs.evolve(report, losses=losses))
    jsonschema.Draft202012Validator(schema()).validate(json.loads(text))
    assert from_json(text).losses[0].arguments == arguments


def test_schema_is_a_schema_and_the_report_keeps_it(tree: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(tree)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("summary", "pass"), None),
        (("losses", 0, "verdict"), "maybe"),
        (("losses", 0, "checks", 0, "outcome"), "passed"),
        (("losses", 0, "findings", 0, "severity"), "fatal"),
        (("losses", 0, "findings", 0, "kind"), "sad"),
        (("losses", 0, "findings", 0, "range"), "narrow"),
        (("losses", 0, "findings", 0, "mode"), "jit"),
        (("losses", 0, "findings", 0, "location", "pass"), "sideways"),
        (("losses", 0, "findings", 0, "observed", "gradient"), ["nan"]),
        (("losses", 0, "arguments", 0, "origin"), "guessed"),
    ],
)
def test_schema_refuses(tree: Any, path: tuple[Any, ...], value: Any) -> None:
    part = tree
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not jsonschema.Draft202012Validator(schema()).is_valid(tree)


@pytest.mark.parametrize("name", sorted(schema()["$defs"]))
def test_schema_requires_known_fields(name: str) -> None:
    definition = schema()["$defs"][name]
    assert set(definition.get("required", ())) <= set(definition.get("properties", ()))


def test_names_and_numbers_are_those_of_the_design(tree: Any) -> None:
    assert list(tree)[:2] == ["schema", "losscheck"]
    assert tree["summary"]["pass"] == 1
    finding = tree["losses"][0]["findings"][2]
    assert finding["inputs"]["y_pred"] == {
        "shape": [1, 2],
        "dtype": "float32",
        "values": [[0.0, 0.1]],  # the shortest digits of the float32 nearest to 0.1
    }
    assert finding["observed"] == {"value": 0.0, "gradient": [["NaN", 0.0]]}
    assert finding["expected"] == {"value": 0.0, "gradient": [[0.0, 0.0]], "text": ""}
    assert finding["location"]["pass"] == "backward"
    assert tree["losses"][0]["findings"][1]["observed"]["value"] == "Infinity"
    assert tree["losses"][0]["findings"][1]["observed"]["gradient"][0][0] == "-Infinity"
    assert tree["losses"][1]["gradient"]["max_error"] == "Infinity"
    assert tree["losses"][0]["curves"][1]["gradient"][0] == "NaN"


def test_round_trip(report: Report) -> None:
    text = to_json(report)
    back = from_json(text)
    assert same(report, back)
    assert to_json(back) == text


def test_inputs_keep_every_bit_dtype_and_shape(report: Report) -> None:
    inputs = {
        "tiny": np.array([1e-45, -0.0, np.nextafter(np.float32(1), 0)], np.float32),
        "half": np.array(6.1e-5, np.float16),
        "int": np.array([[2**53 + 1]], np.int64),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float64),
    }
    finding = attrs.evolve(report.losses[0].findings[0], inputs=inputs)
    loss = attrs.evolve(report.losses[0], findings=(finding,))
    back = from_json(to_json(attrs.evolve(report, losses=(loss,)))).losses[0].findings[0].inputs
    assert {name: (value.dtype, value.shape) for name, value in inputs.items()} == {
        name: (value.dtype, value.shape) for name, value in back.items()
    }
    assert all(value.tobytes() == back[name].tobytes() for name, value in inputs.items())


def test_bfloat16_reads_back(report: Report) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    value = np.array([0.1, np.inf], ml_dtypes.bfloat16)
    finding = attrs.evolve(report.losses[0].findings[0], inputs={"y_pred": value})
    loss = attrs.evolve(report.losses[0], findings=(finding,))
    back = from_json(to_json(attrs.evolve(report, losses=(loss,)))).losses[0].findings[0].inputs
    assert back["y_pred"].dtype == value.dtype
    assert back["y_pred"].tobytes() == value.tobytes()


def test_fields_of_later_versions_are_left_alone(report: Report, tree: Any) -> None:
    tree["losses"][0]["colour"] = "red"
    tree["later"] = 1
    jsonschema.Draft202012Validator(schema()).validate(tree)
    assert same(from_json(json.dumps(tree)), report)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>", "no JSON"),
        ('{"schema": 1, "seconds": NaN}', "NaN is not strict JSON"),
        ("[]", "schema: None"),
        ('{"schema": 7}', "schema: 7"),
        ('{"schema": 1}', "damaged"),
    ],
)
def test_what_is_no_report(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        from_json(text)
    assert "--format json" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("losses", 0, "findings", 0, "inputs", "y_pred", "shape"), [7]),
        (("losses", 0, "findings", 0, "inputs", "y_pred", "dtype"), "float99"),
        (("losses", 0, "findings", 0, "inputs"), 3),
        (("losses", 0, "curves", 0, "x"), ["one"]),
        (("losses",), 5),
        (("seconds",), "soon"),
        (("seed",), None),
    ],
)
def test_damaged_parts_are_named(tree: Any, path: tuple[Any, ...], value: Any) -> None:
    part = tree
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(UsageError, match="damaged") as caught:
        from_json(json.dumps(tree))
    assert str(path[-1] if path[-1] not in ("shape", "dtype") else "inputs") in str(caught.value)
