"""LC507: numbers on which the loss raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from losscheck.advice import wording
from losscheck.model import Severity
from losscheck.rules.base import Pin, Rule, Trail
from losscheck.rules.crowd import Crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from losscheck.advice.base import Change
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.search.refusals import Refusals
    from losscheck.model import Suspect
    from losscheck.rules.base import Arguments, Judgment, Words


class ValueRejected(Rule):
    """The loss raises on some numbers of its domain, and runs on others.

    What it does
    ------------
    Runs the loss on the same input as LC201 and calls it eagerly, by itself, wherever an operation
    raises. What raises there too is reported, with the operation and the line: the inverse of a
    singular matrix, an index that lies outside, more elements asked for than there are.

    On ordinary and working input it is an error; where it takes numbers larger than ordinary ones
    to get there, a warning; on extreme input, a note. What the user's own code refuses, by raise,
    assert or tf.debugging, is a note. Where nobody declared a domain, and it was narrowed to
    numbers that do not raise, or raises on one ordinary case in a hundred, it is a warning that
    asks for the domain.

    Why it matters
    --------------
    Such a batch ends training with an exception, as surely as a NaN does, and after as many hours.
    On a GPU and under XLA some of these operations do not check, and give NaN, or read the wrong
    numbers, in silence.

    Example
    -------
    The bin of 1 lies outside of the table, and a probability may be 1:

        def loss(y_true, y_pred):
            weights = tf.constant([1.0, 2.0, 3.0, 4.0])
            bins = tf.cast(tf.floor(y_true * 4.0), tf.int32)
            return tf.reduce_mean(tf.gather(weights, bins) * tf.square(y_true - y_pred), axis=-1)

    Use instead
    -----------
    Keep the index inside:

        def loss(y_true, y_pred):
            weights = tf.constant([1.0, 2.0, 3.0, 4.0])
            bins = tf.clip_by_value(tf.cast(tf.floor(y_true * 4.0), tf.int32), 0, 3)
            return tf.reduce_mean(tf.gather(weights, bins) * tf.square(y_true - y_pred), axis=-1)

    References
    ----------
    - TensorFlow API documentation: tf.linalg.inv, tf.gather, tf.math.top_k, tf.nn.ctc_loss.
    """

    code = "LC507"
    slug = "value-rejected"
    forms = {
        "raises": Severity.ERROR,
        "far": Severity.WARNING,  # on numbers beyond the ordinary size
        "narrowed": Severity.WARNING,  # outside the domain, which nobody declared
        "guessed": Severity.WARNING,  # so often that the domains, which nobody declared, are others
        "refused": Severity.NOTE,  # by the user's own code
    }
    trail = Trail.KNOWN
    one_by_one = True
    pinned = Pin.RUNS

    def judge(self, refusals: Sequence[Refusals]) -> Judgment:
        """Name the cases on which the loss raises, place by place."""
        for place in refusals:
            if len(place.members):
                yield Crowd(
                    code=self.code,
                    form=_form(place),
                    population=place,
                    members=place.members,
                    mode="eager",
                    facts={
                        "exception": place.first.exception,
                        "location": place.location,
                        "guessed": place.guessed,
                    },
                )

    def alike(self, form: str, other: str) -> bool:
        """A simpler case may hold no number beyond the ordinary size."""
        return form == other or {form, other} == {"raises", "far"}

    def facts(self, again: Callable[[], Any]) -> Mapping[str, Any]:
        """Give what is raised on one case."""
        return {"exception": again().first.exception}

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        from losscheck.advice import refusals  # its tables: `losscheck rules` does without

        raised = wording.sentence(suspect.facts.get("exception", "")) or "an exception"
        who = blame.expression or "The loss"
        cause, fix = refusals.cause_and_fix(suspect, blame)
        if suspect.form == "refused":
            cause = "The code refuses such input itself, which ends training there."
            fix = "# Keep such input away from it, or declare the domain that it takes."
        if suspect.form == "guessed":
            names = wording.listed(map(str, suspect.facts.get("guessed", ())), "and")
            cause += " So it does on many ordinary numbers of a domain that nobody declared: "
            cause += f"declare that of {names}."
        return (
            f"The loss raises{wording.at(suspect.inputs)}.",
            f"{who} raises {raised}. {cause}",
            fix,
        )

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give what keeps the operation from raising."""
        from losscheck.advice import refusals

        return () if suspect.form == "refused" else refusals.changes(suspect, blame)


def _form(place: Refusals) -> str:
    if place.first.meant:
        return "refused"
    if place.narrowed:
        return "narrowed"
    if place.guessed:
        return "guessed"
    return "far" if place.far else "raises"
