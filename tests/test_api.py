"""Checking from Python."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import losscheck
from losscheck.model import UsageError
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
