"""Generated losses through losscheck, and what is wrong with what it says of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

import losscheck
from losscheck.model import Finding, LossReport
from tests.generated.compose import Generated, generate, module

OWN = "losscheck"  # stands in the reason of whatever failed by a fault of its own
RECHECK = Path(__file__).with_name("recheck.py")


@attrs.frozen(kw_only=True)
class Checked:
    """A generated loss, its report and the processor time that it took."""

    loss: Generated
    report: LossReport
    seconds: float
    file: str

    @property
    def faults(self) -> list[str]:
        """What losscheck could not do: faults of its own, told as such."""
        own = [f"{c.code}: {c.reason}" for c in self.report.checks if OWN in c.reason]
        reason = [self.report.reason] if self.report.verdict == "error" else []
        return [f"{self.loss.name} {each}" for each in (*own, *reason)]

    @property
    def undecided(self) -> list[str]:
        """What could not be decided, such as the gradient of Python that knows float32 alone."""
        inconclusive = self.report.verdict == "inconclusive"
        return [f"{self.loss.name} {self.report.reason}"] if inconclusive else []

    @property
    def false_errors(self) -> list[str]:
        """Errors on what is sound by construction."""
        return [
            f"{self.loss.name} {f.code} {f.message} at {f.location and f.location.source}"
            for f in self.report.findings
            if f.severity == "error"
        ]


def check(seed: int, count: int, folder: Path) -> Iterator[Checked]:
    """Generate losses into a module of their own, and check one after the other."""
    losses = generate(seed, count)
    file = folder / f"generated_{seed}.py"
    file.write_text(module(losses), encoding="utf-8")
    for loss in losses:
        begin = time.process_time()
        report = losscheck.check(
            f"{file}:{loss.target}", arguments={"y_true": loss.y_true, "y_pred": loss.y_pred}
        )
        yield Checked(loss=loss, report=report, seconds=time.process_time() - begin, file=str(file))


def not_shown(checked: Sequence[Checked], folder: Path) -> list[str]:
    """Name the findings that plain TensorFlow does not show again."""
    given = [
        {
            "module": each.file,
            "target": each.loss.target,
            "findings": [_plain(finding) for finding in each.report.findings],
        }
        for each in checked
    ]
    path = folder / "findings.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(RECHECK), str(path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    missing: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return missing


def _plain(finding: Finding) -> dict[str, object]:
    """What is run again of a finding, as JSON takes it."""
    return {
        "code": finding.code,
        "message": finding.message,
        "dtype": finding.dtype,
        "mode": finding.mode,
        "inputs": {name: array.astype(float).tolist() for name, array in finding.inputs.items()},
    }
