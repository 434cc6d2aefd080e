"""What a rule is: a pure judgment over evidence that was gathered once."""

from __future__ import annotations

import enum
import inspect
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.model import Argument, Finding, Severity, Suspect
    from losscheck.rules.crowd import Crowd
    from losscheck.settings.settings import Settings

    Judgment = Iterable[Suspect | Crowd]
    Arguments = tuple[Argument, ...]
    Words = tuple[str, str, str]  # message, cause, fix


UNDECIDED = "no point could be decided"


class Trail(enum.StrEnum):
    """How the operation to blame for a case is found."""

    BAD = "bad"  # what is not finite is followed back to where it began
    ZERO = "zero"  # so is a gradient of 0
    GAIN = "gain"  # the operation that makes the most of it on the way back
    DIGITS = "digits"  # the graph in float32 beside the same in float64
    KNOWN = "known"  # the evidence knows the line, or the loss is blamed as a whole


class Shown(enum.StrEnum):
    """What a program runs that shows a finding."""

    VALUE_AND_GRADIENT = "value and gradient"
    DIGITS = "the same in float32 and in float64"
    SECOND_DERIVATIVE = "the second derivative"
    SAVING = "the loss through its config and a saved model"
    WEIGHTS = "the loss with weights"
    TRAINING = "a small model trained with it"


class Pin(enum.StrEnum):
    """What a test asserts that pins a finding: it fails as long as the fault is there."""

    FINITE = "value and gradient are finite"
    NUMBER = "the number is the right one"
    REFUSED = "the number is the right one, or the call is refused"
    SLOPE = "a gradient that is not 0 reaches the prediction"
    SHAPE = "what is returned has the shape of the samples, or none"
    AGREES = "the mode gives what a graph gives"
    SAME = "a second call gives the same"
    OWN = "what the rule itself asserts of the case"
    RUNS = "the program that shows it ends without an error, and its numbers agree"
    NOTHING = "no single call shows it"


class Doubt(enum.StrEnum):
    """What a finding says of the numbers of a loss, so that no change is held against them."""

    NOTHING = "nothing: what is not finite aside, they are right"
    GRADIENT = "the gradient is not that of the value"
    CASES = "in the cases that were found the value is wrong in any dtype"
    FLAT = "where the gradient has a 0, the value does not say what it should"
    SUM = "other axes are left than those of the samples, so that the mean alone counts"
    ALL = "every number is wrong in the layout that was found"


class Rule:
    """A rule: its code, what it may suspect, and `judge`.

    A subclass names its evidence as a pytest test names its fixtures, by the parameters of `judge`,
    which yields suspects: facts, no severity, no blame. `forms` lists what it may suspect, with the
    severity from which `policy` starts. Its docstring has the sections *What it does*, *Why it
    matters*, *Example*, *Use instead* and *References*; `losscheck explain` prints it.
    """

    package: str = ""  # that registers it; "" for the rules of losscheck
    code: ClassVar[str]
    slug: ClassVar[str]
    forms: ClassVar[Mapping[str, Severity]]  # in float32 and any required dtype
    needs: ClassVar[tuple[str, ...]]  # names of evidence: the parameters of `judge`
    masked_by: ClassVar[
        tuple[str, ...]
    ] = ()  # rules whose finding leaves this one nothing to judge
    partial: ClassVar[frozenset[str]] = frozenset()  # forms that leave something to judge
    judge: Callable[..., Judgment]

    # What it means for a loss.
    essential: ClassVar[bool] = False  # without it nothing is known of value and gradient
    decisive: ClassVar[bool] = True  # where it is undecided no verdict is a pass
    numeric: ClassVar[bool] = True  # it says something of the numbers, not of the call alone
    masks_undecided: ClassVar[bool] = True  # undecided, it leaves undecided what it would mask
    absent: ClassVar[tuple[str, str]] = ("", "")  # evidence that may be empty, and why it is

    # How its cases are looked at one by one.
    trail: ClassVar[Trail] = Trail.BAD
    nonfinite: ClassVar[frozenset[str]] = frozenset()  # forms whose cases give NaN or Inf
    by_derivative: ClassVar[bool] = False  # it compares the gradient with differences
    by_mode: ClassVar[bool] = False  # it compares modes, each of which may have a finding
    doubt: ClassVar[Doubt] = Doubt.NOTHING  # what of the numbers is wrong where it finds something
    few: ClassVar[bool] = False  # its cases are alike: some of them are enough to find the line
    one_by_one: ClassVar[bool] = False  # each case takes a call of its own
    shown_by: ClassVar[Shown] = Shown.VALUE_AND_GRADIENT
    pinned: ClassVar[Pin] = Pin.NOTHING
    inherent_where_small: ClassVar[bool] = False  # a true gradient too small for the dtype is none

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "judge" in vars(cls):
            cls.needs = tuple(inspect.signature(cls.judge).parameters)[1:]  # behind self

    def left_out(self, settings: Settings) -> str:
        """Say what the user must ask for before this rule is judged; "" for nothing."""
        return ""

    def alike(self, form: str, other: str) -> bool:
        """Say whether a simpler case of another form shows the same."""
        return form == other

    def undecided(self, evidence: Mapping[str, Any]) -> str:
        """Say why the evidence, by name, decides nothing; "" where it decides something."""
        return ""

    def facts(self, again: Callable[[], Any]) -> Mapping[str, Any]:
        """Give the facts that the words tell of one case; `again` gathers its evidence anew."""
        return {}

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say of a suspect what is wrong, why, and what to write instead.

        Parameters
        ----------
        suspect
            The claim and its facts; missing facts make the sentences shorter.
        blame
            The op at fault, with the user's expression and the numbers that went into it.
        arguments
            The arguments of the loss, for their names.

        Returns
        -------
        tuple of str
            Message, cause and fix; none of them is empty.
        """
        raise NotImplementedError

    def asserts(self, finding: Finding, prediction: str) -> tuple[str, ...]:
        """Give the lines of a test that fails as long as a finding is there, for `Pin.OWN`.

        They may use the inputs by their names and `run(mode, *inputs)`, which gives value and
        gradient as numbers. No lines where no such test tells a mended loss from a faulty one.

        Parameters
        ----------
        prediction
            The name of the argument that the gradient is taken of.
        """
        return ()

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give the changes of the user's source that might cure it, the least one first."""
        return ()
