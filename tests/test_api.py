"""Checking from Python."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import losscheck
from losscheck.model import Diagnosis, UsageError
from losscheck.report.json import from_json
from losscheck.settings.settings import ArgumentSettings


def squared(y_true, y_pred):
    return (y_true - y_pred) ** 2


def test_options_reach_the_engine(fake_engine: Any) -> None:
    report = losscheck.check(
        squared,
        arguments={"y_pred": ("probability", "(B, D)")},
        dtypes=["float16"],
        select=["LC2"],
        ignore={"gradient-dead": "deliberate"},
        seed=3,
        order=2,
    )
    assert (report.target, report.verdict) == (f"{__name__}:squared", "pass")
    (task,) = fake_engine.examined
    settings = task.settings
    assert settings.arguments == {"y_pred": ArgumentSettings(domain="probability", shape="(B, D)")}
    assert (settings.dtypes, settings.select, settings.seed) == (("float16",), ("LC2",), 3)
    assert settings.order == 2
    assert settings.ignore == {"LC103": "deliberate"}


def test_options_are_taken_as_on_the_command_line(fake_engine: Any) -> None:
    losscheck.check(
        squared,
        arguments={"y_true": "real", "y_pred": "probability:(B, D)"},
        dtypes="float32, float16",
        modes="graph",
        select="LC2,LC301",
        ignore=["gradient-dead=deliberate = meant"],
    )
    settings = fake_engine.examined[0].settings
    assert settings.arguments == {
        "y_true": ArgumentSettings(domain="real"),
        "y_pred": ArgumentSettings(domain="probability", shape="(B, D)"),
    }
    assert (settings.dtypes, settings.modes) == (("float32", "float16"), ("graph",))
    assert settings.select == ("LC2", "LC301")
    assert settings.ignore == {"LC103": "deliberate = meant"}
    losscheck.check(squared, ignore="LC103=why")
    assert fake_engine.examined[1].settings.ignore == {"LC103": "why"}


@pytest.mark.parametrize("loss", [3, None, [squared]])
def test_what_is_no_loss(fake_engine: Any, loss: Any) -> None:
    with pytest.raises(UsageError, match=r"loss: .* cannot be called; expected a function"):
        losscheck.check(loss)


def test_a_target_is_resolved(fake_engine: Any) -> None:
    assert losscheck.check("mse").target == "mse"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtypes": ["float23"]}, "float32"),
        ({"select": ["LC999"]}, "LC999"),
        ({"order": 3}, "order: expected 1"),
        ({"ignore": {"LC999": "why"}}, "LC999"),
        ({"arguments": {"y_pred": "probabilty"}}, "probability"),
        ({"arguments": {"y_pred": 3}}, r"arguments\['y_pred'\]"),
        ({"arguments": ["y_pred"]}, "by its name, as in {'y_pred': 'probability'}"),
        ({"dtypes": 3}, r"dtypes: expected names such as 'float32' or \['float32'\], got 3"),
        ({"dtypes": ()}, "dtypes: nothing is given"),
        ({"select": [3]}, "select: expected names"),
        ({"modes": "graf"}, "modes: .*graph"),
        ({"ignore": ["LC103"]}, "ignore: expected a reason for each rule, as in {'LC103': "),
        ({"ignore": {"LC103": " "}}, "a reason"),
        ({"ignore": 3}, "a reason"),
        ({"ignore": [3]}, "a reason"),
        ({"seed": "1"}, "seed: expected a whole number"),
        ({"seed": -1}, "seed: expected a whole number"),
    ],
)
def test_wrong_options(fake_engine: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        losscheck.check(squared, **options)
    assert fake_engine.examined == []


def test_a_target_is_one_loss(
    fake_engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("two.py").write_text("def a(y_true, y_pred): ...\ndef b(y_true, y_pred): ...")
    Path("none.py").write_text("def a(x, eps): ...")
    with pytest.raises(UsageError, match=r"holds 2 losses.*two\.py:a, two\.py:b"):
        losscheck.check("two.py")
    with pytest.raises(UsageError, match=r"no loss in 'none\.py'"):
        losscheck.check("none.py")


def test_assert_stable_shows_the_report(fake_engine: Any, finding: Any) -> None:
    losscheck.assert_stable(squared)
    target = f"{__name__}:squared"
    fake_engine.reports[target] = {"findings": (finding(severity="warning"),)}
    losscheck.assert_stable(squared)
    fake_engine.reports[target] = {"verdict": "fail", "findings": (finding(),)}
    with pytest.raises(AssertionError) as caught:
        losscheck.assert_stable(squared)
    assert str(caught.value).startswith(f"{target}: fail\n")
    assert "error  LC203 gradient-nan" in str(caught.value)
    assert "the slope of log at 0 is infinite" in str(caught.value)
    fake_engine.reports[target] = {"verdict": "inconclusive", "reason": "too noisy"}
    with pytest.raises(AssertionError, match="inconclusive"):
        losscheck.assert_stable(squared)


def test_a_failing_test_shows_no_frame_of_ours(fake_engine: Any, finding: Any) -> None:
    fake_engine.reports[f"{__name__}:squared"] = {"verdict": "fail", "findings": (finding(),)}
    with pytest.raises(losscheck.UnstableLossError) as caught:
        losscheck.assert_stable(squared)
    assert [entry.path for entry in caught.traceback.filter(caught)] == [Path(__file__)]
    with pytest.raises(losscheck.UnstableLossError) as caught:
        losscheck.check(squared).raise_for_errors()
    assert [entry.path for entry in caught.traceback.filter(caught)] == [Path(__file__)]


def test_a_result_shows_itself(fake_engine: Any, finding: Any) -> None:
    target = f"{__name__}:squared"
    found = finding(message="</style><script>alert(1)</script>\x00\u202eabc")
    cause = Diagnosis(
        id="D", severity="error", location=None, cause="why", fix="", findings=(found.id,)
    )
    changes = {"verdict": "fail", "findings": (found,), "diagnoses": (cause,)}
    fake_engine.reports[target] = changes
    result = losscheck.check(squared)
    assert repr(result) == f"<losscheck {target}: fail, 1 error, 100 cases in 0.5 s>"
    assert str(result).startswith(f"{target}   FAIL   1 error")
    assert [diagnosis.cause for diagnosis in result] == ["why"]
    card = result._repr_html_()
    assert "<script" not in card
    assert "&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\x00\\u202eabc" in card
    assert " id=" not in card  # the same card may stand in a notebook twice
    (diagnosis,) = result
    assert diagnosis.cause == "why"
    alone = diagnosis._repr_html_()
    assert alone.count("&lt;script&gt;") == card.count("&lt;script&gt;") == 1
    assert target in card
    assert target not in alone


def test_a_result_is_frozen_pickled_and_saved(
    fake_engine: Any, tmp_path: Path, finding: Any
) -> None:
    fake_engine.reports["mse"] = {"verdict": "fail", "findings": (finding(),)}
    result = losscheck.check("mse", seed=3)
    with pytest.raises(AttributeError):
        result.verdict = "pass"  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(result))
    assert (type(again), again.seed, str(again)) == (losscheck.CheckResult, 3, str(result))
    with pytest.raises(losscheck.UnstableLossError) as caught:
        result.raise_for_errors()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    for name, begins in {
        "r.json": "{",
        "r.HTML": "<!DOCTYPE html>",
        "r.md": "# losscheck",
        "r.txt": "mse   FAIL",
        "r.sarif.json": '{\n "$schema": "https://docs.oasis-open.org/sarif/',
        "r.xml": "<?xml",
    }.items():
        assert result.save(tmp_path / name).read_text().lstrip().startswith(begins)
    assert from_json((tmp_path / "r.json").read_text()).losses[0].target == "mse"
    assert result.save(tmp_path / "r", format="json").read_text() == result.to_json()
    with pytest.raises(UsageError, match=r"its ending tells no format; end it with one of \.sarif"):
        result.save(tmp_path / "r.docx")
    with pytest.raises(UsageError, match="names no file"):
        result.save(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["r", "r.json", "r.HTML", "r.md", "r.txt", "r.sarif.json", "r.xml"]
    )


def test_the_example_runs(fake_engine: Any, tmp_path: Path, finding: Any) -> None:
    from tests import api_example

    api_example.main(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"squared", "squared.json", "squared.html"}


def steep(y_true, y_pred):
    return tf.reduce_mean(tf.sqrt(tf.abs(y_true - y_pred)), axis=-1)


def test_a_callable_is_examined_for_real() -> None:
    with pytest.raises(AssertionError) as caught:
        losscheck.assert_stable(steep, select=["LC2"])
    text = str(caught.value)
    assert text.startswith(f"{__name__}:steep: fail\n")
    line = steep.__code__.co_firstlineno + 1
    assert f"test_api.py:{line}" in text
    assert "tf.sqrt(tf.abs(y_true - y_pred))" in text
    losscheck.assert_stable(squared, select=["LC2"])
