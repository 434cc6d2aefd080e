"""Message, cause and fix of a finding, in plain sentences and Python."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from losscheck.advice import nonfinite
from losscheck.advice.blamed import RUNNING, Blame
from losscheck.findings.words import flat as flat_words
from losscheck.findings.words import gradient as gradient_words
from losscheck.findings.words import label as label_words
from losscheck.findings.words import precision as precision_words
from losscheck.findings.words import process as process_words
from losscheck.findings.words import run as run_words
from losscheck.findings.words import second as second_words
from losscheck.findings.words import shape as shape_words
from losscheck.findings.words import size as size_words
from losscheck.findings.words import smooth as smooth_words
from losscheck.findings.words import training as training_words
from losscheck.model import Argument, Suspect

Arguments = tuple[Argument, ...]


@attrs.frozen(kw_only=True)
class Remedy:
    """What a finding says: what is wrong, why, and what to write instead."""

    message: str  # one sentence
    cause: str  # one or two sentences, with the numbers
    fix: str  # Python; advice that is no code stands in comments


def remedy(suspect: Suspect, blame: Blame, arguments: Arguments) -> Remedy:
    """Put a suspect into words.

    Parameters
    ----------
    suspect : Suspect
        The claim and its facts; missing facts make the sentences shorter.
    blame : Blame
        The op at fault, with the user's expression and the numbers that went into it.
    arguments : tuple of Argument
        The arguments of the loss, for their names.

    Returns
    -------
    Remedy
        Message, cause and fix; none of them is empty.

    Raises
    ------
    KeyError
        If there are no words for the suspect's code.
    """
    if blame.op in RUNNING:  # a condition or a function is nothing to be written otherwise
        blame = attrs.evolve(blame, operands=())
    message, cause, fix = _WORDS[suspect.code](suspect, blame, arguments)
    return Remedy(message=message, cause=cause, fix=fix)


Words = tuple[str, str, str]
Writer = Callable[[Suspect, Blame, Arguments], Words]


def _nonfinite(suspect: Suspect, blame: Blame, _: Arguments) -> Words:
    cause, fix = nonfinite.cause_and_fix(suspect, blame)
    return nonfinite.message(suspect), f"{blame.vanished} {cause}".strip(), fix


def _modes(suspect: Suspect, blame: Blame, _: Arguments) -> Words:
    message, cause = run_words.modes(suspect)
    if suspect.form != "nonfinite" or not blame.op:
        return message, cause, run_words.rounding_fix(blame)
    why, fix = nonfinite.cause_and_fix(suspect, blame)
    return message, f"{why} {cause}", fix


def _plain(words: Callable[[Suspect, Blame], Words]) -> Writer:
    return lambda suspect, blame, _: words(suspect, blame)


_WORDS: dict[str, Writer] = {
    "LC101": _plain(gradient_words.mismatch),
    "LC102": _plain(flat_words.missing),
    "LC103": flat_words.dead,
    "LC104": _plain(smooth_words.kink),
    "LC105": _plain(smooth_words.jump),
    "LC106": _plain(second_words.words),
    "LC107": size_words.size,
    "LC108": size_words.minimum,
    "LC109": size_words.untaken,
    "LC201": _nonfinite,
    "LC202": _nonfinite,
    "LC203": _nonfinite,
    "LC204": _nonfinite,
    "LC205": run_words.hidden,
    "LC206": label_words.outside,
    "LC303": _plain(label_words.wrapped),
    "LC301": precision_words.words,
    "LC302": precision_words.words,
    "LC401": shape_words.broadcast,
    "LC402": shape_words.rejected,
    "LC403": _plain(shape_words.coupled),
    "LC404": _plain(shape_words.output),
    "LC405": _plain(shape_words.empty),
    "LC501": _plain(run_words.untraceable),
    "LC502": run_words.dtype_rejected,
    "LC503": _modes,
    "LC504": _plain(run_words.random),
    "LC505": _nonfinite,
    "LC506": _plain(run_words.not_compiled),
    "LC601": _plain(training_words.not_serializable),
    "LC602": training_words.sample_weight,
    "LC603": _plain(training_words.training_fails),
    "LC901": _plain(run_words.fails),
    "LC902": _plain(process_words.late),
    "LC903": _plain(process_words.ended),
}
