"""The fixture `losscheck`: a check within a test, and what the test's mark says of it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from losscheck.api import CheckOptions, checked, losses_of
from losscheck.model import Finding, UsageError, Verdict
from losscheck.report import verdicts
from losscheck.report.blocks import of_loss, summary
from losscheck.result import CheckResult
from losscheck.rules import EXAMPLE, prefixes
from losscheck.settings.file import read
from losscheck.settings.given import laid_over, texts
from losscheck.settings.settings import Settings, known_key
from losscheck.targets.importing import put_on_path

OPTIONS = (*CheckOptions.__annotations__, "fail_on")
EXPECTING = ("xfail", "reason", "strict")
NAME = "losscheck"


@attrs.frozen(kw_only=True, eq=False)
class Expected:
    """What a test is expected to fail by.

    Attributes
    ----------
    codes
        Codes of rules or their beginnings; empty for nothing.
    reason
        Why.
    strict
        Whether the test fails where one of them finds nothing; None for what pytest is set to.
    """

    codes: tuple[str, ...] = ()
    reason: str = ""
    strict: bool | None = None

    @property
    def told(self) -> str:
        """The codes, with the reason."""
        return ": ".join(text for text in (", ".join(self.codes), self.reason) if text)

    def unfound(self, findings: Sequence[Finding]) -> list[str]:
        """Give the codes that found nothing."""
        return [c for c in self.codes if not any(f.code.startswith(c) for f in findings)]


class ExpectedError(pytest.fail.Exception):  # type: ignore[name-defined, misc]  # typed as any
    """A loss fails as its test expects."""


class LossCheck:
    """Checks losses, each time that it is called.

    Parameters
    ----------
    settings
        Of the configuration.
    options
        Laid over these in every check.
    expected
        What is expected to be found.
    """

    def __init__(self, settings: Settings, options: Mapping[str, Any], expected: Expected) -> None:
        self._settings = settings
        self._options = options
        self._expected = expected

    def __call__(self, loss: Any, **options: Any) -> CheckResult:
        """Check a loss, and fail the test where the loss fails.

        Parameters
        ----------
        loss
            As in `losscheck.check`: a function, a keras.losses.Loss, a target, a compiled model.
        **options
            As in `losscheck.check`, and `fail_on`; laid over [tool.losscheck] and the mark.

        Returns
        -------
        CheckResult
            What was found, where that fails nothing.
        """
        __tracebackhide__ = True
        try:
            report, settings = self._examined(loss, {**self._options, **options})
        except UsageError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        if report.verdict != Verdict.ERROR and not verdicts.fails(report, settings.fail_on):
            return report
        raise self._failure(report, settings.fail_on)

    def _examined(self, loss: Any, options: Mapping[str, Any]) -> tuple[CheckResult, Settings]:
        for name in options:
            known_key(name, OPTIONS, f"the fixture {NAME}")
        asked = {name: value for name, value in options.items() if name != "data"}
        settings = laid_over(self._settings, asked)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the loss warns of is no finding
            report = checked(losses_of(loss), settings, options.get("data"))
        return report, settings

    def _failure(self, report: CheckResult, fail_on: str) -> BaseException:
        """What the test fails with: its own kind where all of it is expected."""
        failing = [f for f in report.findings if verdicts.finding_fails(f, fail_on)]
        others = [f for f in failing if not f.code.startswith(self._expected.codes)]
        unfound = self._expected.unfound(failing)
        decided = report.verdict not in (Verdict.INCONCLUSIVE, Verdict.ERROR)
        title = summary((others or failing)[0]) if failing else f"{report.verdict}: {report.reason}"
        if others or not decided or not failing:
            pass
        elif self._expected.strict and unfound:
            title = f"nothing was found by {', '.join(unfound)}, which is expected to: {title}"
        else:
            return ExpectedError(f"{title}\n{of_loss(report)}", pytrace=False)
        return pytest.fail.Exception(f"{title}\n{of_loss(report)}", pytrace=False)


def of_test(request: pytest.FixtureRequest) -> LossCheck:
    """Make the fixture of one test, with what its marks say."""
    __tracebackhide__ = True
    try:
        found = read(request.config.invocation_params.dir)
        settings = attrs.evolve(found, isolation=False)  # pytest's own process
        if settings.home:
            put_on_path(Path(settings.home))
        options, expected = _marked(request.node)
    except UsageError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    if expected.codes:
        strict = {} if expected.strict is None else {"strict": expected.strict}
        # Nothing else that the test may fail by is expected.
        marker = pytest.mark.xfail(reason=expected.told, raises=ExpectedError, **strict)
        request.node.add_marker(marker)
    return LossCheck(settings, options, expected)


def _marked(node: pytest.Item) -> tuple[dict[str, Any], Expected]:
    """Give the options of the marks of a test, the nearest last, and what they expect."""
    options: dict[str, Any] = {}
    where = f"@pytest.mark.{NAME}"
    for mark in reversed(list(node.iter_markers(NAME))):
        if mark.args:
            raise UsageError(f"{where} takes keywords alone, such as xfail=..., reason=...")
        options |= mark.kwargs
    for name in options:
        known_key(name, (*EXPECTING, *OPTIONS), where)
    xfail, reason, strict = (options.pop(name, None) for name in EXPECTING)
    codes = texts(xfail or (), f"{where}: xfail", EXAMPLE)
    expected = Expected(
        codes=prefixes(codes, f"{where}: xfail"), reason=reason or "", strict=strict
    )
    return options, expected
