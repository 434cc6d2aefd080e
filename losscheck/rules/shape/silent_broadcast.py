"""LC401: shapes that broadcast into another loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.model import Range, Severity, Suspect
from losscheck.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from losscheck.evidence.shape.broadcasts import Outer
    from losscheck.evidence.shape.layouts import LayoutRun
    from losscheck.model import Location
    from losscheck.rules.base import Judgment


class SilentBroadcast(Rule):
    """Shapes that do not belong together are broadcast into a different loss.

    What it does
    ------------
    Calls the loss with the layouts of labels, predictions and weights that it is declared,
    documented or inferred to take, such as (B,) beside (B, 1), and compares the result with the
    aligned layout. It is an error if a layout that the loss is meant to take gives another
    number, if a constant inside is broadcast against another width, if labels that lost
    their column inside the loss meet every prediction of the batch, or if the labels of a batch
    meet one number for all its predictions. It is a warning if the
    loss accepts mismatched ranks that nobody asked it to take; Keras aligns the ranks for
    functions but not for Loss subclasses, and the text says which it is.

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
    }
    needs = ("layouts",)

    def judge(self, layouts: Sequence[LayoutRun]) -> Judgment:
        """Name the layouts that give another loss without complaint."""
        for run in layouts:
            if run.constant is not None and run.form == "as-is" and run.declared:
                yield self._suspect("constant", run, run.constant)
            elif run.outer is not None:
                yield self._outer(run, run.outer)
            elif run.differs:
                form = "layout" if run.declared else "rank"
                yield self._suspect(form, run, run.broadcast)

    def _outer(self, run: LayoutRun, outer: Outer) -> Suspect:
        value = None if run.value is None else float(run.value[run.worst])
        return Suspect(
            code=self.code,
            form=outer.form,
            facts={
                "argument": outer.argument,
                "shape": outer.flat,
                "other_shape": outer.column,
                "result_shape": outer.result,
                "shapes": dict(run.shapes),
            },
            inputs=run.inputs,
            range=Range.ORDINARY,
            value=value,
            expected_text="each sample beside itself alone",
            location=run.outer_at,
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
        )
