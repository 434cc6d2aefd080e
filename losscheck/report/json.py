"""The JSON report (schema 1): strict JSON, with non-finite numbers as strings.

A float32 is written with the digits that tell it from other float32 (0.1, not
0.10000000149011612), so that a reader sees what the loss saw and its dtype reads it back exactly.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

import cattrs
import numpy as np
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from losscheck.comparison import Comparison, Difference
from losscheck.model import (
    Argument,
    Array,
    Check,
    Diagnosis,
    Expected,
    Finding,
    Inputs,
    Location,
    LossReport,
    Observed,
    Outcome,
    Report,
    Severity,
    Summary,
    UsageError,
    Verdict,
)
from losscheck.replayed import Replay, Replayed
from losscheck.report.verdicts import View
from losscheck.settings.reading import tree_of

SCHEMA = 1
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
RENAMED: dict[type, dict[str, str]] = {  # "pass" is a keyword in Python
    Location: {"direction": "pass"},
    Summary: {"passed": "pass"},
}
WORDS: dict[type, dict[str, frozenset[str]]] = {  # fields of a few words; the inner ones first
    Argument: {"origin": frozenset({"declared", "known", "inferred"})},
    Check: {"outcome": frozenset(Outcome)},
    Diagnosis: {"severity": frozenset(Severity)},
    LossReport: {"verdict": frozenset(Verdict)},
}
BFLOAT16 = "bfloat16"
NUMBERS = "biufc"  # kinds of dtypes; bfloat16 alone is another one
_NUMBER = r'(?:-?\d[\d.e+-]*|"NaN"|"-?Infinity")'
_ROW = re.compile(rf"\[\n *({_NUMBER}(?:,\n *{_NUMBER})*)\n *\]")  # no text holds a line break
FAULTS_SHOWN = 3  # of a file that is no report; the first few say enough


def render(report: Report, view: View) -> str:
    """Write the report; `view` changes nothing in JSON."""
    return to_json(report)


def to_json(report: Report) -> str:
    """Write a report as strict JSON, ending in a newline."""
    return _written(_converter().unstructure(report))


def loss_tree(report: LossReport) -> dict[str, Any]:
    """Give what a JSON report says of one loss, as plain data."""
    tree: dict[str, Any] = _converter().unstructure(report)
    return tree


def _written(tree: dict[str, Any]) -> str:
    """Write a tree as text, its schema first, and each row of numbers on a line."""
    tree = {"schema": tree.pop("schema"), **tree}
    text = json.dumps(tree, allow_nan=False, ensure_ascii=False, indent=1)
    return _ROW.sub(lambda row: re.sub(r"\n *", " ", row[1]).join("[]"), text) + "\n"


def comparison_to_json(comparison: Comparison) -> str:
    """Write what two losses have in common as strict JSON, ending in a newline."""
    return _written(_converter().unstructure(comparison))


def comparison_from_json(text: str) -> Comparison:
    """Read back what `comparison_to_json` wrote."""
    return _converter().structure(json.loads(text, parse_constant=_refuse), Comparison)


def replay_to_json(replay: Replay) -> str:
    """Write what became of findings as strict JSON, ending in a newline."""
    return _written(_converter().unstructure(replay))


def replay_from_json(text: str) -> Replay:
    """Read back what `replay_to_json` wrote."""
    return _converter().structure(json.loads(text, parse_constant=_refuse), Replay)


def from_json(text: str) -> Report:
    """Read a report back.

    Parameters
    ----------
    text
        What `to_json` wrote, with or without fields that later versions add.

    Returns
    -------
    Report
        Inputs are arrays of their dtype; other numbers are floats and float64 arrays.

    Raises
    ------
    UsageError
        If the text is no JSON report, or one of another schema.
    """
    try:
        tree = tree_of(text, parse_constant=_refuse)
    except ValueError as error:
        raise UsageError(f"this is no JSON ({error}); give a file from --format json") from error
    version = tree.get("schema") if isinstance(tree, dict) else None
    if version != SCHEMA:
        raise UsageError(
            f"this is no losscheck report of schema {SCHEMA} (its schema: {version!r}); "
            "give a file from --format json of this version"
        )
    try:
        return _converter().structure(tree, Report)
    except (
        cattrs.BaseValidationError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        faults = "; ".join(cattrs.transform_error(error)[:FAULTS_SHOWN])
        raise UsageError(
            f"this losscheck report is damaged ({faults}); write it again with --format json"
        ) from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not strict JSON")


def plain(value: Any) -> Any:
    """Turn numbers and arrays into what strict JSON can hold."""
    if isinstance(value, np.ndarray):
        return [plain(part) for part in value] if value.ndim else plain(value[()])
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (np.bool_, np.integer, np.str_)):
        return value.item()
    if isinstance(value, (float, np.generic)):
        number = float(str(value))  # the shortest digits of its own dtype
        return number if math.isfinite(number) else _name(number)
    return value


def _name(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _number(value: Any, _: Any = None) -> Any:
    """Read back what `plain` wrote: numbers as they are, lists as arrays."""
    if isinstance(value, list):
        found = np.asarray([_number(part) for part in value])
        if found.dtype.kind not in NUMBERS:
            raise ValueError("these are no numbers")
        return found
    if isinstance(value, dict):
        raise ValueError("this is no number")
    return NON_FINITE.get(value, value) if isinstance(value, str) else value


def _one_of(choices: Collection[str]) -> Callable[[Any, Any], str]:
    def checked(value: Any, _: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"expected one of {', '.join(sorted(choices))}")
        return value

    return checked


def _float(value: Any, _: Any) -> float:
    return float(_number(value))


def _is_array(kind: Any) -> bool:
    return bool(kind == Array)


def _vector(value: Any, _: Any) -> Array:
    return np.asarray(_number(value), dtype=np.float64)


def _inputs_out(inputs: Inputs) -> dict[str, Any]:
    return {
        name: {"shape": list(value.shape), "dtype": str(value.dtype), "values": plain(value)}
        for name, value in ((name, np.asarray(value)) for name, value in inputs.items())
    }


def _inputs_in(tree: Mapping[str, Any], _: Any) -> Inputs:
    with np.errstate(over="ignore", invalid="ignore"):
        return {
            name: np.asarray(_number(entry["values"]), _dtype(entry["dtype"])).reshape(
                entry["shape"]
            )
            for name, entry in tree.items()
        }


def _dtype(name: Any) -> np.dtype[Any]:
    """Give a dtype of numbers by its name.

    NumPy knows bfloat16 only through ml_dtypes; float32 holds the same values without it.
    """
    if name == BFLOAT16:
        try:
            import ml_dtypes
        except ImportError:
            return np.dtype(np.float32)
        known: np.dtype[Any] = np.dtype(vars(ml_dtypes)[name])
        return known
    found = np.dtype(str(name))
    if found.kind not in NUMBERS:
        raise ValueError(f"{found} is no dtype of numbers")
    return found


@functools.cache
def _converter() -> cattrs.Converter:
    """Make the one converter: hooks for numbers, arrays and renamed fields."""
    converter = cattrs.Converter()
    converter.register_unstructure_hook(float, plain)
    converter.register_structure_hook(float, _float)
    for number in (np.ndarray, np.generic):
        converter.register_unstructure_hook(number, plain)
    converter.register_unstructure_hook_func(_is_array, plain)
    converter.register_structure_hook_func(_is_array, _vector)
    for kind, names in RENAMED.items():
        renames = {field: override(rename=name) for field, name in names.items()}
        _register(converter, kind, renames, renames)
    numbers = {
        name: override(unstruct_hook=plain, struct_hook=_number) for name in ("value", "gradient")
    }
    for kind in (Observed, Expected):
        _register(converter, kind, numbers, numbers)
    inputs = {"inputs": override(unstruct_hook=_inputs_out, struct_hook=_inputs_in)}
    severity = {"severity": override(struct_hook=_one_of(frozenset(Severity)))}
    _register(converter, Finding, inputs, {**inputs, **severity})
    results = dict.fromkeys(("old", "new", "truth"), numbers["value"])
    _register(converter, Difference, {**inputs, **results}, {**inputs, **results})
    again = {**inputs, **numbers}
    _register(converter, Replayed, again, again)
    for kind, words in WORDS.items():
        known = {name: override(struct_hook=_one_of(choices)) for name, choices in words.items()}
        _register(converter, kind, {}, known)
    return converter


def _register(converter: cattrs.Converter, kind: type, out: Any, back: Any) -> None:
    converter.register_unstructure_hook(kind, make_dict_unstructure_fn(kind, converter, **out))
    converter.register_structure_hook(kind, make_dict_structure_fn(kind, converter, **back))
