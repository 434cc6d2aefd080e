"""What a rule is: a pure judgment over evidence that was gathered once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.model import Argument, Severity, Suspect
    from losscheck.rules.crowd import Crowd
    from losscheck.settings.settings import Settings

    Judgment = Iterable[Suspect | Crowd]
    Arguments = tuple[Argument, ...]
    Words = tuple[str, str, str]  # message, cause, fix


class Rule:
    """A rule: its code, what it may suspect, the evidence that it needs, and `judge`.

    A subclass names its evidence as a pytest test names its fixtures: `needs` lists the names, and
    `judge` is called with each of them as a keyword; it yields suspects: facts, no severity, no
    blame. `forms` lists what it may suspect, with the severity from which `policy` starts. Its
    docstring has the sections *What it does*, *Why it matters*, *Example*, *Use instead* and
    *References*; `losscheck explain` prints it.
    """

    code: ClassVar[str]
    slug: ClassVar[str]
    forms: ClassVar[Mapping[str, Severity]]  # in float32 and any required dtype
    needs: ClassVar[tuple[str, ...]]
    masked_by: ClassVar[
        tuple[str, ...]
    ] = ()  # rules whose finding leaves this one nothing to judge
    partial: ClassVar[frozenset[str]] = frozenset()  # forms that leave something to judge
    judge: Callable[..., Judgment]

    def left_out(self, settings: Settings) -> str:
        """Say what the user must ask for before this rule is judged; "" for nothing."""
        return ""

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
