"""The page about published truths: what is counted, and that every loss can be declared."""

from __future__ import annotations

import inspect

import attrs
import pytest

from benchmarks.peers import Published, grist, pairs
from benchmarks.peers.seen import Seen, seen
from benchmarks.proof import of_hamming
from benchmarks.proof_text import page
from losscheck.domains import parse
from losscheck.model import Finding, LossReport
from losscheck.rules import rules

PROBLEMS = (*grist.PROBLEMS, *pairs.PROBLEMS, *of_hamming())


def _seen(problem: Published, *said: tuple[str, str]) -> Seen:
    """A loss of which these codes are said, each at its severity."""
    empty = dict.fromkeys(attrs.fields_dict(Finding))
    findings = tuple(
        Finding(**{**empty, "code": code, "severity": severity, "message": f"{code} is told."})
        for code, severity in said
    )
    report = LossReport(
        target="f", verdict="fail", seconds=0.0, cases=1, source=None, findings=findings
    )
    return seen(problem, report, 2.0)


def test_the_bugs_are_those_that_were_published() -> None:
    bugs = [bug for problem in grist.PROBLEMS for bug in problem.bugs]
    assert len(bugs) == len(set(bugs)) == 75
    assert sum(bool(problem.codes) for problem in grist.PROBLEMS) == 21
    assert sum(bool(problem.codes) for problem in pairs.PROBLEMS) == 14
    assert sum(bool(problem.codes) for problem in of_hamming()) == 28


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.loss.__name__)
def test_a_problem_is_declared_in_words_that_losscheck_knows(problem: Published) -> None:
    assert list(problem.arguments) == list(inspect.signature(problem.loss).parameters)
    for domain, _ in problem.arguments.values():
        parse(domain)
    assert set(problem.codes.split()) <= {rule.code for rule in rules()}


def test_a_fault_counts_by_the_gravest_severity_of_its_codes() -> None:
    problem = grist.PROBLEMS[0]
    assert _seen(problem, ("LC202", "note"), ("LC201", "error")).severity == "error"
    assert _seen(problem, ("LC202", "note"), ("LC101", "error")).severity == "note"
    assert _seen(problem, ("LC101", "error")).severity == ""


def test_misses_and_alarms_stand_on_the_page_by_name() -> None:
    first, second, third, *_ = grist.PROBLEMS
    sound = grist.PROBLEMS[-1]
    text = page(
        [
            _seen(first, ("LC201", "error")),
            _seen(second, ("LC202", "note")),
            _seen(third, ("LC101", "warning")),
            _seen(sound, ("LC203", "error")),
        ],
        [_seen(pairs.PROBLEMS[0], ("LC401", "error"))],
        [_seen(next(of_hamming()), ("LC301", "warning"))],
    )
    for title, problem in (
        ("Told as a note alone", second),
        ("Missed", third),
        ("Sound losses with an error", sound),
    ):
        listed = text.partition(f"{title}:\n\n")[2].partition("\n\n")[0]
        assert listed.startswith(f"- `{problem.loss.__name__}`")
        assert listed.count("- `") == 1
    row = next(line for line in text.splitlines() if line.startswith("| losscheck, loss alone"))
    assert f"{len(first.bugs)} of 75" in row
