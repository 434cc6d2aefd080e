"""What a check gives in Python: a report of one loss that shows, saves and iterates itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path

import attrs

from losscheck import __version__
from losscheck.comparison import Comparison
from losscheck.model import (
    Diagnosis,
    Environment,
    LossReport,
    Report,
    Severity,
    Summary,
    UsageError,
    Verdict,
)


@attrs.frozen(kw_only=True)
class ShownDiagnosis(Diagnosis):
    """A diagnosis beside the loss that it is of, which a notebook shows as a card."""

    loss: LossReport = attrs.field(repr=False, eq=False)

    def _repr_html_(self) -> str:
        from losscheck.report.templating import of_diagnosis

        return of_diagnosis(self, self.loss)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CheckResult(LossReport):
    """All that is said of one loss, and of the run in which it was found.

    Iterating gives the diagnoses, the worst first. ``print`` shows what the terminal shows, a
    notebook the same as a card; it shows a diagnosis that iterating gave as one, too.

    Attributes
    ----------
    environment
        The versions that the numbers hold for.
    seed
        Of everything random.
    date
        When it was made, as "2026-11-30T06:50:00+00:00".

    Examples
    --------
    >>> result = losscheck.check("mse", select="LC102")
    >>> result
    <losscheck mse: pass, ... cases in ... s>
    >>> for diagnosis in result:
    ...     print(diagnosis.severity, diagnosis.cause)
    >>> file = result.save("mse.html")
    """

    environment: Environment
    seed: int = 0
    date: str = ""

    def __repr__(self) -> str:
        from losscheck.report.told import counts
        from losscheck.report.words import one_line, plural, seconds

        said = ", ".join(part for part in (self.verdict, counts(self)) if part)
        effort = f"{plural(self.cases, 'case')} in {seconds(self.seconds)}"
        return f"<losscheck {one_line(self.target)}: {said}, {effort}>"

    def __str__(self) -> str:
        from losscheck.report.blocks import of_loss

        return of_loss(self)

    def _repr_html_(self) -> str:
        from losscheck.report.templating import fragment

        return fragment(self)

    def __iter__(self) -> Iterator[Diagnosis]:
        for each in self.diagnoses:
            told = {field.name: getattr(each, field.name) for field in attrs.fields(Diagnosis)}
            yield ShownDiagnosis(**told, loss=self)

    @property
    def report(self) -> Report:
        """The report of a run of this loss alone, as all formats take it."""
        names = (field.name for field in attrs.fields(LossReport))
        loss = LossReport(**{name: getattr(self, name) for name in names})
        return Report(
            losscheck=__version__,
            environment=self.environment,
            seed=self.seed,
            seconds=self.seconds,
            summary=Summary(
                losses=1,
                passed=int(self.verdict == Verdict.PASS),
                fail=int(self.verdict == Verdict.FAIL),
                inconclusive=int(self.verdict == Verdict.INCONCLUSIVE),
                error=int(self.verdict == Verdict.ERROR),
                cases=self.cases,
            ),
            losses=(loss,),
            date=self.date,
        )

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> Path:  # noqa: A002
        """Write the report into a file, whole or not at all.

        Parameters
        ----------
        path
            The file. Its ending tells the format: .json, .html, .md, .txt, .sarif (.sarif.json) or
            .xml (JUnit).
        format
            The format, as of ``--format``, where the ending does not tell it.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        UsageError
            If the ending tells no format, or the file cannot be written.
        """
        from losscheck.report import of_file, render
        from losscheck.report.saving import save

        file = Path(path)
        if not file.name or file.is_dir():
            raise UsageError(f"{os.fspath(path)!r} names no file; write a path such as report.html")
        save(render(self.report, format or of_file(file)), file)
        return file

    def to_json(self) -> str:
        """Give the report as strict JSON (schema 1)."""
        from losscheck.report.json import to_json

        return to_json(self.report)

    def raise_for_errors(self) -> None:
        """Raise where the loss has an error, or could not be examined by a fault of losscheck.

        Raises
        ------
        UnstableLossError
            The message is what the terminal shows. Warnings and what is inconclusive raise nothing;
            `losscheck.assert_stable` is stricter.
        """
        __tracebackhide__ = True  # of pytest: where this was called is what matters
        found = any(finding.severity == Severity.ERROR for finding in self.findings)
        if found or self.verdict == Verdict.ERROR:
            raise UnstableLossError(self)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ComparisonResult(Comparison):
    """A comparison that shows itself: ``print`` as the terminal does, a notebook as a card."""

    def __str__(self) -> str:
        from losscheck.report.answers import render_comparison
        from losscheck.report.verdicts import View

        return render_comparison(self, View()).rstrip()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


class UnstableLossError(AssertionError):
    """A loss does not pass; the message is the report as the terminal shows it.

    Attributes
    ----------
    result
        What was found.
    """

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return f"{self.result.target}: {self.result.verdict}\n\n{self.result}"


UnstableLossError.__module__ = "losscheck"  # the name under which users know and import it
