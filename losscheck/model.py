"""The words of losscheck as frozen data: what is checked, what was found, what is reported.

Nothing here knows TensorFlow, printing or files. Everything in a `Report` survives pickling, and
JSON through `losscheck.report.json`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import attrs

from losscheck.charted import Array as Array
from losscheck.charted import Break as Break
from losscheck.charted import Curve as Curve
from losscheck.charted import DigitCurve as DigitCurve
from losscheck.charted import DigitsAt as DigitsAt
from losscheck.charted import Execution as Execution
from losscheck.charted import Landscape as Landscape
from losscheck.charted import Layout as Layout
from losscheck.charted import Slopes as Slopes

Inputs = Mapping[str, Array]


class Range(enum.IntEnum):
    """The widest part of its domain that a case touches; ordered from narrow to wide."""

    ORDINARY = 0
    WORKING = 1
    EXTREME = 2

    @property
    def label(self) -> str:
        """The word that reports use."""
        return self.name.lower()


class Severity(enum.StrEnum):
    """How much a finding matters; only `policy` hands it out."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Kind(enum.StrEnum):
    """What the truth is where the loss gave NaN, Inf or garbage."""

    AVOIDABLE = "avoidable"  # finite, and it fits the dtype
    INHERENT = "inherent"  # finite, but too large for the dtype
    UNDEFINED = "undefined"  # infinite, or there is none


class Verdict(enum.StrEnum):
    """What is said of one loss."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"  # a fault of losscheck itself, never of the loss


class Outcome(enum.StrEnum):
    """What is said of one rule on one loss."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    NOTE = "note"
    SKIP = "skip"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Direction(enum.StrEnum):
    """The pass in which a value went wrong."""

    FORWARD = "forward"
    BACKWARD = "backward"


@attrs.frozen(kw_only=True)
class Met:
    """The numbers of an argument that the user's data hold, where its domain was learnt from them.

    A model gave them: those between the ends are ordinary, and those between the quantiles are what
    ordinary cases are drawn from besides the domain's own.
    """

    least: float
    low: float  # 1 in 100 is below
    high: float  # 1 in 100 is above
    greatest: float


@attrs.frozen(kw_only=True)
class Argument:
    """One argument of a loss: what it means, what values and shapes it takes, and who says so."""

    name: str
    role: str  # y_true, y_pred, weight or input
    domain: str  # as `domains.parse` reads it
    shape: str  # as "(B, D)"
    dtype: str
    origin: str  # declared, known or inferred
    why: str = ""
    plausible: tuple[str, ...] = ()  # other domains that stay plausible where `domain` was inferred
    met: Met | None = None  # in the data that `domain` was learnt from


@attrs.frozen(kw_only=True)
class Source:
    """Where a loss is written."""

    file: str
    line: int


@attrs.frozen(kw_only=True)
class Location:
    """The user's source that a finding blames."""

    file: str
    line: int
    column: int | None  # 1-based; None where only the line is known
    end_column: int | None  # 1-based, exclusive; past the end of the line for longer expressions
    source: str  # the text of the line, without its newline
    op: str  # the TensorFlow op type, "" where no op is to blame
    direction: str = Direction.FORWARD.value  # "pass" in JSON


@attrs.frozen(kw_only=True, eq=False)
class Suspect:
    """A rule's claim about one case or one run: facts only, no severity and no blame.

    `form` names which of the rule's findings it is (policy maps it to a severity), `facts` holds
    the numbers that the explanation puts into words.
    """

    code: str
    form: str
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    inputs: Inputs = attrs.field(factory=dict)
    range: Range | None = None
    kind: Kind | None = None
    dtype: str = "float32"
    mode: str = "graph"
    direction: Direction = Direction.FORWARD
    scale: float | None = None  # error over the ordinary scale
    count: int = 1
    value: Any = None  # observed
    gradient: Any = None  # observed
    expected_value: Any = None
    expected_gradient: Any = None
    expected_text: str = ""
    location: Location | None = None  # where the rule's own evidence knows the line
    certain: bool = True  # False: holds in some plausible domains only


@attrs.frozen(kw_only=True, eq=False)
class Observed:
    """What the loss gave."""

    value: Any = None
    gradient: Any = None


@attrs.frozen(kw_only=True, eq=False)
class Expected:
    """What it should have given."""

    value: Any = None
    gradient: Any = None
    text: str = ""


@attrs.frozen(kw_only=True, eq=False)
class Finding:
    """One fault: its minimal case, the line to blame, why, and what to write there."""

    id: str
    code: str
    slug: str
    severity: str
    kind: str | None
    range: str | None
    message: str
    dtype: str
    mode: str
    count: int
    inputs: Inputs
    observed: Observed
    expected: Expected
    location: Location | None
    cause: str
    fix: str
    reproduce: str


@attrs.frozen(kw_only=True)
class Diagnosis:
    """One fault: the findings that have it for their cause, and one thing to write."""

    id: str
    severity: str  # of its worst finding
    location: Location | None  # where it begins
    cause: str  # one sentence, with its numbers
    fix: str  # what to write there; "" where no advice is known
    verified: bool = (
        False  # the fix was applied and run: what `clears` names is gone, no error came
    )
    diff: str = ""  # of the user's source, unified, where the fix was tried
    clears: tuple[str, ...] = ()  # ids of findings that the tried fix clears
    adds: tuple[str, ...] = ()  # codes of warnings that the fixed loss has, and had not
    departs: int = 0  # ordinary and working cases, of those tried, where a right number changes
    objection: str = ""  # why a fix that was tried is not verified
    findings: tuple[str, ...] = ()  # ids, the worst first, of these the one where it begins


@attrs.frozen(kw_only=True)
class Check:
    """What one rule did on one loss."""

    code: str
    slug: str
    outcome: str
    cases: int = 0
    dtypes: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    applies: bool = True  # False: the loss has nothing of the kind, or it runs only when asked for


@attrs.frozen(kw_only=True)
class Coverage:
    """How much one stage of the search covered, at one size of the loss."""

    stage: (
        str  # ordinary, data, corners, relations, exhaustive, mixtures, spread, lattice or guided
    )
    shape: tuple[int, ...]  # of the prediction
    cases: int  # that no earlier stage had
    what: str = ""  # what is counted by the next two
    covered: int | None = None
    of: int | None = None  # all there are; None where they cannot be counted
    reason: str = ""  # why it did not run, or what it left out


@attrs.frozen(kw_only=True)
class Ignored:
    """A finding that the user's settings ignore, and the reason they gave."""

    id: str
    code: str
    reason: str
    count: int = 1  # cases in which it was found
    location: Location | None = None


@attrs.frozen(kw_only=True)
class SelfTest:
    """A known error that was put into verified gradients of this very loss, to see it caught."""

    fault: str  # what was done to the gradient
    tried: int
    caught: int


@attrs.frozen(kw_only=True)
class GradientSummary:
    """How well the gradient was verified over the points that could be decided."""

    digits: float | None  # median number of decimal digits that agree
    max_error: (
        float | None
    )  # largest difference from the numeric derivative, over max(|g|, ordinary gradient)
    compute_gradient_max_error: (
        float | None
    )  # what tf.test.compute_gradient's numbers differ by, at most
    points: int  # coordinates verified
    float32_digits: float | None = None  # of the float32 gradient, against the verified float64 one
    forward_mode_max_error: float | None = None  # from tf.autodiff.ForwardAccumulator, at most
    largest: int | None = None  # elements of the largest prediction that was checked
    self_test: tuple[SelfTest, ...] = ()


@attrs.frozen(kw_only=True)
class Fault:
    """Something that failed, by no fault of the loss; what does not need it was checked still."""

    what: str  # that failed, such as "the guided search"
    error: str  # type and message of what was raised
    traceback: tuple[str, ...] = ()  # its lines
    package: str = ""  # whose rule failed; "" where losscheck itself did


@attrs.frozen(kw_only=True, eq=False)
class LossReport:
    """All that is said of one loss."""

    target: str
    verdict: str
    seconds: float
    cases: int
    source: Source | None
    arguments: tuple[Argument, ...] = ()
    gradient: GradientSummary | None = None
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()  # the worst first
    ignored: tuple[Ignored, ...] = ()
    curves: tuple[Curve, ...] = ()
    digits: DigitCurve | None = None
    landscape: Landscape | None = None
    slopes: Slopes | None = None
    executions: tuple[Execution, ...] = ()
    layouts: tuple[Layout, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    reason: str = ""  # why the verdict is inconclusive or error
    notes: tuple[str, ...] = ()  # what the reader should know of how it was examined
    reminders: tuple[str, ...] = ()  # what in comments and baseline has no use, or has expired
    faults: tuple[Fault, ...] = ()  # of losscheck or of a rule, which left part of it unexamined
    own_seed: int | None = None  # derived from the seed of the run and the target
    kept: str = ""  # when it was examined, where that was an earlier run and nothing has changed


@attrs.frozen(kw_only=True)
class Environment:
    """The versions that the numbers hold for."""

    python: str
    tensorflow: str
    keras: str
    numpy: str
    hypothesis: str
    platform: str
    devices: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Summary:
    """Counts over the losses of a report, by verdict."""

    losses: int
    passed: int  # "pass" in JSON
    fail: int
    inconclusive: int
    error: int
    cases: int


@attrs.frozen(kw_only=True)
class LeftOut:
    """Something in a module that is no loss, and why it was taken for none."""

    target: str
    reason: str


@attrs.frozen(kw_only=True, eq=False)
class Report:
    """A whole run."""

    losscheck: str
    environment: Environment
    seed: int
    seconds: float
    summary: Summary
    losses: tuple[LossReport, ...]
    left_out: tuple[LeftOut, ...] = ()
    date: str = ""  # when it began, as "2026-11-30T06:50:00+00:00"; "" in reports without it
    unexamined: tuple[str, ...] = ()  # targets that an interrupted run did not come to
    shard: str = ""  # "2/3": of the losses of a run, every third one from the second on
    schema: int = 1


class UsageError(Exception):
    """The user gave something that cannot be used; the message says what, and what to do next."""
