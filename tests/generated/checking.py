"""Generated losses through losscheck, and what is wrong with what it says of them.

Run as a program it checks those of one seed and prints a line of JSON a loss, so that a process
that ends takes no other seed's losses along.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

import losscheck
from losscheck.model import Finding, LossReport
from losscheck.rules import BUILT_IN
from losscheck.settings.budget import DEFAULT
from tests.generated.compose import Generated, generate, module

OWN = "losscheck"  # stands in the reason of whatever failed by a fault of its own
CUT = "cut by the budget"  # stands in the reason of what there was no time for
RECHECK = Path(__file__).with_name("recheck.py")

# What is begun within the budget is ended: a trace and one stage of a graph, in seconds, and what
# an operation adds to it.
SLACK, SLACK_EACH = 8.0, 0.4
# Process rules need processes of their own.
ASKED = tuple(rule.code for rule in BUILT_IN if rule.code not in ("LC902", "LC903"))


@attrs.frozen(kw_only=True)
class Effort:
    """How much is asked of each loss.

    Attributes
    ----------
    rules
        How many are drawn for it, anew for every loss; 0 for all. What an examination gathers for
        a few is what it gathers for all.
    budget
        Seconds of processor time.
    skew
        Of the numbers of operations, as `generate` takes it.
    """

    rules: int = 0
    budget: float = DEFAULT
    skew: float = 1.0


FULL = Effort()
SHORT = Effort(rules=3, budget=2.0)
SHORTEST = Effort(rules=2, budget=1.0, skew=3.0)
EFFORTS = {"full": FULL, "short": SHORT, "shortest": SHORTEST}


@attrs.frozen(kw_only=True)
class Checked:
    """What became of a generated loss; plain data.

    Attributes
    ----------
    faults
        What losscheck could not do: faults of its own, told as such, and budgets overrun.
    undecided
        What could not be decided, such as the gradient of Python that knows float32 alone.
    false_errors
        Errors on what is sound by construction.
    cut
        Whether there was no time for some of the rules.
    findings
        What is run again of each.
    """

    name: str
    target: str
    file: str
    operations: int
    rules: list[str]  # that were asked; empty for all
    verdict: str
    cases: int
    seconds: float  # of processor time
    faults: list[str]
    undecided: list[str]
    false_errors: list[str]
    cut: bool
    findings: list[dict[str, Any]]

    @property
    def wrong(self) -> list[str]:
        """All that is not as it should be."""
        return [*self.faults, *self.false_errors]


def check(seed: int, count: int, folder: Path, effort: Effort) -> Iterator[Checked]:
    """Generate losses into a module of their own, and check one after the other."""
    losses = generate(seed, count, effort.skew)
    file = folder / f"generated_{seed}.py"
    file.write_text(module(losses), encoding="utf-8")
    for loss in losses:
        rules = sorted(random.Random(loss.name).sample(ASKED, effort.rules))
        begin = time.process_time()
        report = losscheck.check(
            f"{file}:{loss.target}",
            arguments={"y_true": loss.y_true, "y_pred": loss.y_pred},
            select=rules,
            order=2 if "LC106" in rules else 1,
            budget=effort.budget,
        )
        seconds = time.process_time() - begin
        yield _checked(loss, report, seconds, effort.budget, str(file), rules)


def _checked(
    loss: Generated,
    report: LossReport,
    seconds: float,
    budget: float,
    file: str,
    rules: list[str],
) -> Checked:
    faults = [f"{c.code}: {c.reason}" for c in report.checks if OWN in c.reason]
    faults += [f"{fault.what}: {fault.error}" for fault in report.faults]
    if report.verdict == "error":
        faults.append(report.reason)
    if seconds > budget + SLACK + SLACK_EACH * loss.operations:
        faults.append(f"took {seconds:.1f} s of a budget of {budget:g} s")
    open_ = [c for c in report.checks if c.outcome == "inconclusive"]
    errors = [f for f in report.findings if f.severity == "error"]
    return Checked(
        name=loss.name,
        target=loss.target,
        file=file,
        operations=loss.operations,
        rules=rules,
        verdict=report.verdict,
        cases=report.cases,
        seconds=seconds,
        faults=[f"{loss.name} {fault}" for fault in dict.fromkeys(faults)],
        undecided=[f"{loss.name} {c.code} {c.reason}" for c in open_ if CUT not in c.reason],
        false_errors=[
            f"{loss.name} {f.code} {f.message} at {f.location and f.location.source}"
            for f in errors
        ],
        cut=any(CUT in text for text in (*report.notes, *(c.reason for c in report.checks))),
        findings=[_plain(finding) for finding in report.findings],
    )


def not_shown(checked: Sequence[Checked], folder: Path) -> list[str]:
    """Name the findings that plain TensorFlow does not show again."""
    given = [
        {"module": each.file, "target": each.target, "findings": each.findings}
        for each in checked
        if each.findings
    ]
    if not given:
        return []
    path = folder / "findings.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(RECHECK), str(path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    missing: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return missing


def _plain(finding: Finding) -> dict[str, Any]:
    """What is run again of a finding, as JSON takes it."""
    return {
        "code": finding.code,
        "message": finding.message,
        "dtype": finding.dtype,
        "mode": finding.mode,
        "inputs": {name: array.astype(float).tolist() for name, array in finding.inputs.items()},
    }


def main() -> None:
    """Check the losses of a seed; the last line lists what does not show again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--effort", choices=list(EFFORTS), default="short")
    given = parser.parse_args()
    os.chdir(given.folder)
    checked = []
    for one in check(given.seed, given.count, given.folder, EFFORTS[given.effort]):
        checked.append(one)
        print(json.dumps(attrs.asdict(one)), flush=True)
    print(json.dumps(not_shown(checked, given.folder)), flush=True)


if __name__ == "__main__":
    main()
