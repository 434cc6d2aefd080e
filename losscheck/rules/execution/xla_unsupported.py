"""LC506: XLA does not compile the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscheck.advice import wording
from losscheck.model import Severity, Suspect
from losscheck.rules.base import Pin, Rule

if TYPE_CHECKING:
    from losscheck.advice.blamed import Blame
    from losscheck.evidence.shape.calls import XlaCall
    from losscheck.rules.base import Arguments, Judgment, Words

APART = "model.compile(..., jit_compile=False)  # for the whole model"
_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


class XlaUnsupported(Rule):
    """The loss runs as a graph, but XLA does not compile it.

    What it does
    ------------
    Compiles loss and gradient of an ordinary batch with tf.function(jit_compile=True), and names
    the operation that XLA has no kernel for.

    Why it matters
    --------------
    Keras 3 compiles with XLA by default (jit_compile="auto") where there is a GPU or a TPU. A
    model that trains on a laptop stops there at its first step, or falls back to the slower
    graph for good.

    Example
    -------
    tf.numpy_function leaves TensorFlow, where no compiler can follow:

        def loss(y_true, y_pred):
            weight = tf.numpy_function(np.abs, [y_true], tf.float32)
            return tf.reduce_mean(weight * tf.square(y_true - y_pred), axis=-1)

    Use instead
    -----------
    Use TensorFlow's or keras.ops' own function:

        def loss(y_true, y_pred):
            return tf.reduce_mean(tf.abs(y_true) * tf.square(y_true - y_pred), axis=-1)

    References
    ----------
    - OpenXLA documentation: XLA; TensorFlow guide: XLA, known issues.
    - Keras documentation: Model.compile, argument jit_compile.
    """

    code = "LC506"
    slug = "xla-unsupported"
    forms = {"compile": Severity.WARNING}
    masked_by = ("LC102",)  # what leaves TensorFlow has no gradient either, which is worse
    absent = ("xla", "XLA is not asked for, or the loss has no graph")
    pinned = Pin.RUNS

    def judge(self, xla: XlaCall | None) -> Judgment:
        """Name the operation that is not compiled."""
        if xla is not None and xla.error is not None:
            yield Suspect(
                code=self.code,
                form="compile",
                facts={"exception": xla.error, "op": xla.op},
                inputs=xla.inputs,
                mode="xla",
                location=xla.location,
            )

    def words(self, suspect: Suspect, blame: Blame, arguments: Arguments) -> Words:
        """Say what is wrong, why, and what to write instead."""
        op = str(suspect.facts.get("op", ""))
        raised = wording.sentence(suspect.facts.get("exception", ""))
        message = "XLA does not compile the loss."
        if op in _PYTHON:
            return (
                message,
                f"{blame.expression or op} calls Python while the loss runs; no compiler follows.",
                f"{APART}\n# Or write {blame.expression or 'that'} with TensorFlow's or keras.ops' "
                "own operations.",
            )
        cause = f"XLA has no kernel for {op}." if op else f"It raises: {raised}."
        return (
            message,
            f"{cause} Keras compiles with XLA by default where there is a GPU or a TPU.",
            f"{APART}\n"
            "# Or write the loss with operations that XLA knows: no shapes that depend on numbers.",
        )
