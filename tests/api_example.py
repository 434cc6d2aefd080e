"""The Python API as a user calls it: `make lint` runs mypy --strict on this, test_api runs it."""

from __future__ import annotations

import pickle
from pathlib import Path

import losscheck


@losscheck.spec(y_true="binary", y_pred=("probability", "(B, D)"))
def squared(y_true: float, y_pred: float) -> float:
    return (y_true - y_pred) ** 2


def main(folder: Path) -> None:
    result: losscheck.CheckResult = losscheck.check(
        squared,
        arguments={"y_true": "real", "y_pred": {"domain": "real", "shape": "(B, D)"}},
        dtypes="float32, float16",
        modes=["graph"],
        select="LC2",
        ignore={"LC103": "clipping is deliberate"},
        seed=1,
        budget=5,
    )
    print(repr(result), result, sep="\n")
    for diagnosis in result:
        where: losscheck.Location | None = diagnosis.location
        print(diagnosis.severity, diagnosis.cause, diagnosis.fix, where)
    findings: tuple[losscheck.Finding, ...] = result.findings
    arguments: tuple[losscheck.Argument, ...] = result.arguments
    print(len(findings), [argument.domain for argument in arguments])
    saved: Path = result.save(folder / "squared.json")
    result.save(str(folder / "squared.html"))
    result.save(folder / "squared", format="markdown")
    print(saved, pickle.loads(pickle.dumps(result)).verdict == losscheck.Verdict.PASS)
    try:
        result.raise_for_errors()
        losscheck.assert_stable(squared, select=["LC2"], ignore=["LC103=it is meant"])
    except losscheck.UnstableLossError as error:
        failed: losscheck.CheckResult = error.result
        print(failed.verdict)
    except losscheck.UsageError as error:
        print(error)
