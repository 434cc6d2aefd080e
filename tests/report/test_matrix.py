import json
from importlib import resources

import attrs
import jsonschema

from losscheck.model import Execution, LossReport, Report
from losscheck.report import render
from losscheck.report.json import from_json
from losscheck.report.matrix import tables
from tests.report.conftest import LAID_OUT, RAISED, RAN


def shown(report: Report) -> tuple[LossReport, Report]:
    loss = attrs.evolve(report.losses[0], executions=RAN, layouts=LAID_OUT)
    return loss, attrs.evolve(report, losses=(loss,))


def test_dtypes_by_modes(report: Report) -> None:
    table = tables(shown(report)[0])[0]
    assert table.head == ("", "eager", "graph", "xla")
    assert [name for name, _ in table.rows] == ["float32", "float64", "float16", "bfloat16"]
    texts = [[(cell.text, cell.tone, cell.counted) for cell in cells] for _, cells in table.rows]
    assert texts[0] == [
        ("agrees", "pass", "1,200 cases"),
        ("reference", "", "1,200 cases"),
        ("differs", "fail", "3 of 1,200 cases"),
    ]
    assert texts[2][1] == ("NaN or Inf", "warn", "1 of 160 cases")
    assert table.says == (
        "the graph in float32 gives NaN or Inf at 7 of 1,200 ordinary or working cases; eager "
        "agrees with the graph in float32 to two digits or as rounding explains; XLA differs from "
        "the graph in float32 at 3 of 1,200 cases; "
        "float16 gives NaN or Inf at 1 of 160 cases; float64 raises "
        f"{RAISED.removesuffix('.')}; bfloat16 gives no NaN or Inf of its own at 48 cases."
    )


def test_what_was_only_traced_is_said_to_run(report: Report) -> None:
    traced = tuple(
        Execution(dtype=dtype, mode="graph", outcome="runs") for dtype in ("float64", "float16")
    )
    (table,) = tables(attrs.evolve(report.losses[0], executions=traced, layouts=()))
    assert table.says == "float64 and float16 run."


def test_layouts(report: Report) -> None:
    table = tables(shown(report)[0])[1]
    rows = [(name, *((cell.text, cell.tone) for cell in cells)) for name, cells in table.rows]
    assert rows == [
        ("batch size", ("(1, 3); (7, 3)", ""), ("runs", "")),
        ("mismatched ranks", ("y (4,) with p (4, 1)", ""), ("broadcasts", "warn")),
        ("mismatched ranks", ("y (4, 1) with p (4,)", ""), ("raises", "pass")),
        ("unknown rank", ("any", ""), ("raises", "warn")),
    ]
    assert table.says == (
        "3 of 5 layouts run; y (4,) with p (4, 1) gives another loss by broadcasting; y (4, 1) "
        "with p (4,) raises ValueError: <b>no</b>; unknown rank raises E: no depth."
    )


def test_tables_survive_json_and_are_text_on_the_page(report: Report) -> None:
    loss, whole = shown(report)
    written = render(whole, "json")
    schema = json.loads(resources.files("losscheck.report").joinpath("schema.json").read_text())
    jsonschema.validate(json.loads(written), schema)
    (again,) = from_json(written).losses
    assert (again.executions, again.layouts) == (RAN, LAID_OUT)
    page = render(whole, "html")
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in page
    assert tables(attrs.evolve(loss, executions=(), layouts=())) == ()
