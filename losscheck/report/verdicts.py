"""What a report means to whoever waits for an answer, and how it is to be shown."""

from __future__ import annotations

import enum

import attrs

from losscheck.changes import Changes
from losscheck.model import Finding, LossReport, Report, Severity, Verdict
from losscheck.settings.settings import FAIL_ON


class Exit(enum.IntEnum):
    """The exit statuses of the command line."""

    CLEAN = 0
    FINDINGS = 1  # at or above --fail-on
    USAGE = 2  # of the command line, the configuration or a target
    FAULT = 3  # of losscheck itself
    NO_LOSS = 5  # the number with which pytest says that it collected nothing


INTERRUPTED = 130  # what shells give for a program ended by Ctrl-C: 128 + SIGINT


def counts(word: str, fail_on: str) -> bool:
    """Say whether a finding or verdict of this word is at or above `fail_on`.

    Parameters
    ----------
    word
        "error", "inconclusive" or "warning".
    fail_on
        One of `config.FAIL_ON`, each of which includes those before it.
    """
    return fail_on != "never" and FAIL_ON.index(word) <= FAIL_ON.index(fail_on)


def fails(loss: LossReport, fail_on: str) -> bool:
    """Say whether a loss has anything at or above `fail_on`."""
    inconclusive = loss.verdict == Verdict.INCONCLUSIVE and counts("inconclusive", fail_on)
    return inconclusive or any(finding_fails(finding, fail_on) for finding in loss.findings)


def finding_fails(finding: Finding, fail_on: str) -> bool:
    """Say whether a finding is at or above `fail_on`; a note never is."""
    return finding.severity != Severity.NOTE and counts(finding.severity, fail_on)


def status(report: Report, fail_on: str) -> Exit:
    """Choose the exit status; a fault comes before findings, since the answer is not whole."""
    if any(loss.verdict == Verdict.ERROR for loss in report.losses):
        return Exit.FAULT
    if any(fails(loss, fail_on) for loss in report.losses):
        return Exit.FINDINGS
    return Exit.CLEAN


@attrs.frozen(kw_only=True)
class View:
    """What the reader asked for."""

    verbosity: int = 0  # -1: errors, a line each, 0: diagnoses at a glance, 1: everything
    width: int = 100  # columns of the terminal
    color: bool = False  # escape codes in the text
    changes: Changes | None = None  # since an earlier report: on the page and in Markdown
