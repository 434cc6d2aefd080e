"""Severities: the table of DESIGN.md, row by row, and what lowers one."""

from __future__ import annotations

from typing import Any

import pytest

from losscheck.evidence.precision import lost_digits as precision
from losscheck.model import Kind, Range
from losscheck.rules import BUILT_IN, policy


def _severity(code: str, form: str, **changes: Any) -> str:
    usual: dict[str, Any] = {
        "reach": Range.WORKING,
        "kind": Kind.AVOIDABLE,
        "dtype": "float32",
        "scale": None,
        "certain": True,
        "required": ("float32",),
        "chosen": {},
    }
    return policy.severity(code, form, **{**usual, **changes}).value


def test_every_rule_has_a_severity() -> None:
    assert {code for code, _ in policy.table()} == {rule.code for rule in BUILT_IN}


@pytest.mark.parametrize(
    ("code", "form", "expected"),
    [
        ("LC101", "mismatch", "error"),
        ("LC101", "tie", "warning"),
        ("LC102", "none", "error"),
        ("LC103", "point", "warning"),
        ("LC103", "region", "error"),
        ("LC103", "most", "error"),
        ("LC104", "kink", "note"),
        ("LC105", "branches", "error"),
        ("LC105", "selection", "warning"),
        ("LC107", "huge", "warning"),
        ("LC108", "lower", "warning"),
        ("LC205", "overflow", "error"),
        ("LC206", "value", "warning"),
        ("LC303", "wrap", "error"),
        ("LC505", "inf", "note"),
        ("LC506", "compile", "warning"),
        ("LC205", "nonfinite-input", "warning"),
        ("LC401", "layout", "error"),
        ("LC401", "rank", "warning"),
        ("LC401", "aligned", "note"),
        ("LC402", "unknown-batch", "error"),
        ("LC402", "unknown-rank", "note"),
        ("LC403", "coupled", "note"),
        ("LC404", "none", "error"),
        ("LC501", "numpy", "error"),
        ("LC504", "random", "warning"),
        ("LC901", "raises", "error"),
    ],
)
def test_the_table_of_the_design(code: str, form: str, expected: str) -> None:
    assert _severity(code, form) == expected


@pytest.mark.parametrize("code", ["LC201", "LC202", "LC203", "LC204"])
def test_non_finite_results_are_errors_but_for_the_extreme_and_the_inherent(code: str) -> None:
    form = "nan" if code in ("LC201", "LC203") else "inf"
    assert _severity(code, form) == "error"
    assert _severity(code, form, kind=Kind.UNDEFINED) == "error"
    assert _severity(code, form, kind=Kind.INHERENT) == "note"
    assert _severity(code, form, reach=Range.EXTREME) == "note"
    # Undecided: no fact beyond what healthy models give, but nothing that may stay so either.
    assert _severity(code, form, kind=None) == "warning"
    assert _severity(code, form, kind=None, reach=Range.ORDINARY) == "error"
    assert policy.undecided(code, None)
    assert not policy.undecided(code, Kind.UNDEFINED)


def test_other_dtypes_are_warnings_unless_required() -> None:
    assert _severity("LC502", "dtype", dtype="float16") == "warning"
    assert _severity("LC502", "kernel", dtype="float16") == "note"
    required = ("float32", "float16")
    assert _severity("LC502", "dtype", dtype="float16", required=required) == "error"
    assert _severity("LC502", "kernel", dtype="float16", required=required) == "error"


def test_what_needs_one_of_several_plausible_domains_is_a_warning() -> None:
    assert _severity("LC203", "nan", certain=False) == "warning"


def test_modes_that_differ_are_weighed_by_the_ordinary_scale() -> None:
    assert _severity("LC503", "nonfinite") == "error"
    assert _severity("LC503", "value", scale=0.5, reach=Range.ORDINARY) == "error"
    assert _severity("LC503", "value", scale=0.5, reach=Range.WORKING) == "warning"
    assert _severity("LC503", "value", scale=0.001, reach=Range.ORDINARY) == "warning"
    assert _severity("LC503", "value", scale=1e-6, reach=Range.ORDINARY) == "note"
    for bound, reached in ((policy.NOTABLE, "error"), (policy.SLIGHT, "warning")):
        assert _severity("LC503", "value", scale=bound, reach=Range.ORDINARY) == reached


def test_float32_counts_even_where_another_dtype_alone_is_required() -> None:
    assert _severity("LC101", "mismatch", required=("float16",)) == "error"
    assert _severity("LC101", "mismatch", required=("float16",), dtype="bfloat16") == "warning"


def test_lost_digits_are_weighed_by_range_and_size() -> None:
    for code in ("LC301", "LC302"):
        assert _severity(code, "large", reach=Range.ORDINARY) == "error"
        assert _severity(code, "large", reach=Range.WORKING) == "warning"
        assert _severity(code, "small", reach=Range.ORDINARY) == "warning"
        assert _severity(code, "slight", reach=Range.ORDINARY) == "note"
    assert policy.NOTABLE == precision.NOTABLE  # what the evidence calls large


def test_the_users_choice_wins() -> None:
    assert _severity("LC504", "random", chosen={"LC504": "error"}) == "error"
