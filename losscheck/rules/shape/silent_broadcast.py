"""LC401: shapes that broadcast into another loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.advice.base import Change
from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Doubt, Pin, Rule
from losscheck.rules.shape import against, called, column, of_shape, rank, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.broadcasts import Outer
    from losscheck.evidence.shape.layouts import LayoutRun
    from losscheck.model import Location
    from losscheck.rules.base import Arguments, Judgment, Words

# What Keras does about ranks, by form.
_ALIGNS = {
    "aligned": "only a direct call with other ranks comes to that",
    "rank": "Keras aligns the ranks for functions, but not for Loss subclasses",
}


class SilentBroadcast(Rule):
    """Shapes that do not belong together are broadcast into a different loss.

    What it does
    ------------
    Calls the loss with the layouts of labels, predictions and weights that it is declared,
    documented or inferred to take, such as (B,) beside (B, 1), and compares the result with the
    aligned layout. It is an error if a layout that the loss is meant to take gives another
    number, if a constant inside is broadcast against another width, if labels that lost
    their column inside the loss meet every prediction of the batch, or if the labels of a batch
    meet one number for all its predictions. It is a warning if the loss accepts mismatched
    ranks that nobody asked it to take, and a note if Keras keeps them from it: it aligns the
    ranks for functions, but not for Loss subclasses. It is a note, too, for a function that
    Keras cannot call if the shape is declared.

    Why it matters
    --------------
    (B,) minus (B, 1) is a (B, B) matrix of every label against every prediction. Its mean is a
    finite, plausible number with a gradient, and the model learns to predict the mean of the
    labels.

    Example
    -------
    Labels of shape (B,) against predictions of shape (B, 1) score 1.33 for perfect predictions
    0, 1, 2:

        class SquaredError(tf.keras.losses.Loss):
            def call(self, y_true, y_pred):
                return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    Use instead
    -----------
    Bring both to one shape first, and let a wrong one fail:

        class SquaredError(tf.keras.losses.Loss):
            def call(self, y_true, y_pred):
                y_true = tf.reshape(y_true, tf.shape(y_pred))
                return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

    References
    ----------
    - NumPy documentation: Broadcasting.
    - TensorFlow API documentation: tf.expand_dims, tf.squeeze, tf.debugging.assert_shapes.
    - keras-team/keras issue 19662; pytorch/pytorch issue 16045; tensorflow/tensorflow issue
      30040; mahmoodlab/PathomicFusion issue 9.
    """

    code = "LC401"
    slug = "silent-broadcast"
    forms = {
        "layout": Severity.ERROR,
        "batch": Severity.ERROR,
        "constant": Severity.ERROR,
        "rank": Severity.WARNING,
        "aligned": Severity.NOTE,  # through Keras, or as declared, it is given one rank
    }
    pinned = Pin.REFUSED
    doubt = Doubt.ALL

    def judge(self, layouts: Sequence[LayoutRun]) -> Judgment:
        """Name the layouts that give another loss without complaint.

        Where a layout that is asked for does, those of the same argument that nobody asked for
        give what it should, or the other way round: they say nothing more. Where samples meet
        samples, axes that are written out for an argument may only move that to another operation:
        they say what is right where they make each row count by itself.
        """
        disputed = {run.changed for run in layouts if run.differs and run.declared}
        met = any(run.outer is not None and run.outer.form == "layout" for run in layouts)
        for run in layouts:
            if run.constant is not None and run.form == "as-is" and run.declared:
                yield self._suspect("constant", run, run.constant)
            elif run.outer is not None:
                yield self._outer(run, run.outer)
            elif met and run.differs and run.declared and not run.of_rows:
                continue
            elif run.differs and (run.declared or run.changed not in disputed):
                unasked = "aligned" if run.kept_away else "rank"
                form = "layout" if run.declared else unasked
                yield self._suspect(form, run, run.broadcast)

    def _outer(self, run: LayoutRun, outer: Outer) -> Suspect:
        value, right = (
            None if each is None else float(each[0]) for each in (run.value, run.aligned)
        )
        return Suspect(
            code=self.code,
            form=outer.form,
            facts={
                "argument": outer.argument,
                "shape": outer.flat,
                "other_shape": outer.column,
                "result_shape": outer.result,
                "shapes": dict(run.shapes),
                "column": outer.place,
                "value": value,
                "aligned_value": right,
            },
            inputs=run.inputs,
            range=Range.ORDINARY,
            value=value,
            expected_value=right,
            expected_text="each sample beside itself alone" if right is not None else "",
            location=run.outer_at,
            certain=run.certain,
        )

    def _suspect(self, form: str, run: LayoutRun, where: Location | None) -> Suspect:
        worst = run.worst
        value = None if run.value is None else float(run.value[worst])
        aligned = None if run.aligned is None else float(run.aligned[worst])
        return Suspect(
            code=self.code,
            form=form,
            facts={
                "argument": run.changed,
                "shape": run.shapes.get(run.changed),
                "shapes": dict(run.shapes),
                "value": value,
                "aligned_value": aligned,
            },
            inputs=run.inputs,
            range=Range.ORDINARY,
            value=value,
            expected_value=aligned,
            expected_text="the loss of the same numbers with every axis written out",
            location=where,
            certain=run.certain,
        )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        facts = suspect.facts
        name = str(facts.get("argument", "") or called(arguments, "y_true"))
        mine, other = written(facts, "shape"), written(facts, "other_shape")
        result = written(facts, "result_shape")
        if suspect.form == "batch":
            return _one_number(name, other, blame, arguments)
        if suspect.form == "constant":
            message = f"A constant{of_shape(mine)} is broadcast{against(other)}: another width."
        elif suspect.form in _ALIGNS:
            message = f"Mismatched ranks are accepted: {name}{of_shape(mine)}{against(other)}."
        else:
            message = f"{name}{of_shape(mine)} is broadcast{against(other)} into a different loss."
        parts = [
            f"Broadcasting makes {result} of {mine or name} and {other or 'the other operand'}"
        ]
        parts = parts if result else ["Broadcasting pairs what does not belong together"]
        if facts.get("value") is not None and facts.get("aligned_value") is not None:
            value = wording.array(facts["value"])
            parts.append(
                f"the loss is {value} where {wording.array(facts['aligned_value'])} is right"
            )
        elif "other_shape" in facts:
            parts.append("each sample meets all others, and none says alone what is right")
        if suspect.form in _ALIGNS:
            parts.append(_ALIGNS[suspect.form])
        elif not suspect.certain:
            parts.append(f"nobody declared the shape of {name}; declare it")
        return message, "; ".join(parts) + ".", _aligned(suspect, name, blame, arguments)

    def changes(self, suspect: Suspect, blame: Blame) -> tuple[Change, ...]:
        """Give the lines that bring an operand or an argument into the shape of another."""
        if not blame.expression or suspect.form in ("constant", "batch"):
            return ()
        flattened = _flattened(suspect, blame)
        operand = (Change(blame.expression, flattened),) if flattened else ()
        name = str(suspect.facts.get("argument", ""))
        shapes = {str(key): len(shape) for key, shape in suspect.facts.get("shapes", {}).items()}
        mine = shapes.get(name)
        others = dict.fromkeys(rank for key, rank in shapes.items() if key != name)
        lines = [
            *(f"{name} = tf.reshape({name}, tf.shape({o}))" for o in shapes if o != name),
            *(f"{name} = tf.reshape({name}, {column(other)})" for other in (1, *others)),
            f"{name} = tf.squeeze({name}, axis=-1)",
            *(f"{o} = tf.reshape({o}, tf.shape({name}))" for o in shapes if o != name),
        ]
        if mine is None or len(shapes) < 2:
            return operand
        early = (Change(blame.expression, "", (line,), early=True) for line in lines)
        return (*operand, *early)


def _one_number(name: str, other: str, blame: Blame, arguments: Arguments) -> Words:
    label = called(arguments, "y_true")
    where = f" at {blame.expression}" if blame.expression else ""
    given = next((a.shape for a in arguments if a.name == name), "")
    flat = rank(given) == 1
    return (
        f"Every label{of_shape(other)} is compared with one number for all of {name}.",
        f"{name} has lost its batch axis on the way{where}: each sample is given the same "
        "prediction, which depends on all samples.",
        f"tf.square({label} - {name})  # {name} is one number a sample already"
        if flat
        else f"tf.reduce_sum({name}, axis=-1)  # one number a sample: name the axes",
    )


def _flattened(suspect: Suspect, blame: Blame) -> str:
    """Write the expression without the axis of 1 that its column has; "" where none is known."""
    place = suspect.facts.get("column")
    if place is None or len(blame.operands) != 2 or not blame.operands[place]:
        return ""
    column = blame.operands[place]
    if blame.expression.count(column) != 1:
        return ""
    return blame.expression.replace(column, f"tf.squeeze({column}, axis=-1)")


def _aligned(suspect: Suspect, name: str, blame: Blame, arguments: Arguments) -> str:
    """Write the line that brings the argument into the right shape."""
    pred = called(arguments, "y_pred")
    if suspect.form == "constant":
        text = blame.operands[-1] if blame.operands else "constant"
        return f"tf.debugging.assert_equal(tf.shape({pred})[-1], tf.size({text}))"
    if blame.op == "OneHot":
        return f"{name} = tf.squeeze({name}, axis=-1)  # before tf.one_hot"
    if flattened := _flattened(suspect, blame):
        return flattened
    mine, other = (rank(suspect.facts.get(key)) for key in ("shape", "other_shape"))
    role = next((a.role for a in arguments if a.name == name), "")
    if role == "weight" or "weight" in name:
        beside = other or 3 - (mine or 1)  # a vector of weights has met a column, or the reverse
        return f"{name} = tf.reshape({name}, {column(beside)})"
    from losscheck import domains  # `losscheck rules` does without

    if any(a.name == name and domains.names_classes(a.domain) for a in arguments):
        return f"{name} = tf.reshape({name}, tf.shape({pred})[:-1])"
    if name == pred:
        label = called(arguments, "y_true")
        return f"{pred} = tf.reshape({pred}, tf.shape({label}))"
    return f"{name} = tf.reshape({name}, tf.shape({pred}))"
