"""Inverse trigonometric functions, softmax over masks, matrix decompositions and the rest."""

from __future__ import annotations

from losscheck.advice import conditions, source
from losscheck.advice.base import Advice, Key, nowhere
from losscheck.advice.scene import Scene

_BOTH = ("forward", "backward")


def _outside(s: Scene) -> bool:
    return not s.backward and s.vx is not None and abs(s.vx) > 1


def _clipped(s: Scene) -> str:
    """Find what is clipped to a range that still holds the point of infinite slope."""
    return source.first_argument_of(s.x, "clip_by_value", "clip")


WITHIN_ONE = "{f}(tf.clip_by_value({x}, {margin} - 1.0, 1.0 - {margin}))"

UNIT_INTERVAL = (
    Advice(
        when=_outside,
        cause="The function ends at -1 and 1, and rounding took its operand to {at}.",
        write=WITHIN_ONE,
    ),
    Advice(
        when=_clipped,
        true=conditions.beyond_one,
        cause="The slope is infinite at -1 and 1, and a clip to [-1, 1] keeps these points: "
        "the operand is {vx}; {back}.",
        write="{f}(tf.clip_by_value({z}, {margin} - 1.0, 1.0 - {margin}))",
        remark="For the angle between two vectors, tf.math.atan2 of sine and cosine keeps all "
        "digits.",
    ),
    Advice(
        true=conditions.beyond_one,
        cause="The slope is infinite at -1 and 1, and the operand reaches {at}; {back}.",
        write=WITHIN_ONE,
        remark="A clip to [-1, 1] keeps the point. For the angle between two vectors, "
        "tf.math.atan2 of sine and cosine keeps all digits.",
    ),
)

ORIGIN = (
    Advice(
        true=conditions.both_zero,
        cause="The angle of the origin has no slope: 0 / 0 at {at} and {aty}.",
        first="origin = ({sx} == 0.0) & ({sy} == 0.0)",
        write="{f}({x}, tf.where(origin, 1.0, {y}))",
    ),
)

NO_ANGLE = (
    Advice(
        true=conditions.zero,
        cause="A complex number of size 0 has no angle, and the slope of it divides by the number.",
        write="{f}(tf.where({gx} == 0.0, tf.ones_like({x}), {x}))",
    ),
)

NO_PATH = (
    Advice(
        true=conditions.infinite_of_finite,
        cause="A label that no path of these steps spells has the probability 0: it takes a step "
        "for each entry, and one more between two that are equal.",
        around=nowhere,
        write="tf.nn.ctc_loss(labels, logits, label_length, logit_length, blank_index=0)",
        remark="It gives a large finite number there; leave such samples out before.",
    ),
)

ABOVE_ONE = (
    Advice(
        true=conditions.at_most_one,
        cause="acosh begins at 1, with an infinite slope, and the operand reaches {at}.",
        write="{f}(tf.maximum({x}, 1.0 + {margin}))",
    ),
)

POSITIVE = (
    Advice(
        true=conditions.pole_of_gamma,
        cause="The function has a pole at 0 and at the negative integers, and the operand reaches "
        "{at}.",
        write="{f}(tf.maximum({x}, {eps}))",
    ),
)

SOFTMAX = (
    Advice(
        true=conditions.row_without_number,
        cause="A softmax over a row that is -Inf throughout, or holds Inf or NaN, is NaN.",
        write="{f}(tf.maximum({x}, {x}.dtype.min))",
        remark="Mask with the lowest finite number and not with -Inf, and leave out rows without "
        "any valid entry.",
    ),
)

SPARSE = (
    Advice(
        cause="A class index lies outside 0 to C - 1, as -1 for an ignored class does.",
        first="valid = labels >= 0",
        around=nowhere,
        write="tf.where(valid, tf.nn.sparse_softmax_cross_entropy_with_logits("
        "labels=tf.where(valid, labels, 0), logits=logits), 0.0)",
    ),
)

REPEATED = (
    Advice(
        true=conditions.repeated_values,
        cause="The slope of a decomposition divides by the differences of its eigenvalues or "
        "singular values, and two of them are equal.",
        first="n = tf.shape({x})[-1]\n"
        "jitter = {eps} * tf.linalg.diag(tf.range(1, n + 1, dtype={x}.dtype))",
        write="{f}({sx} + jitter)",
        remark="For square matrices. Or use a quantity without single eigenvectors: a trace, a "
        "determinant, a norm.",
    ),
)

SINGULAR = (
    Advice(
        true=conditions.singular,
        cause="The matrix is singular, or so nearly so that {dtype} cannot tell.",
        write="{f}({sx} + {eps} * tf.eye(tf.shape({x})[-1], dtype={x}.dtype))",
    ),
)

OWN_GRADIENT = (
    Advice(
        cause="The gradient comes from a tf.custom_gradient, and that function returns it {bad}.",
        around=nowhere,
        write="tf.where(tf.math.is_finite(slope), slope, 0.0)",
        remark="Stops the symptom only: better to repair the formula of the slope inside the "
        "custom gradient.",
    ),
)

CHOICE = (
    Advice(
        cause="The value that tf.where chose is {bad} itself, or the branch not taken sends {bad} "
        "back.",
        first="safe = tf.where(condition, operand, 1.0)",
        around=nowhere,
        write="tf.where(condition, function(safe), 0.0)",
        remark="Make the operand safe before the function, then choose the result.",
    ),
)

ADVICE: dict[Key, tuple[Advice, ...]] = {
    **{(op, d): UNIT_INTERVAL for op in ("Acos", "Asin", "Atanh", "Erfinv") for d in _BOTH},
    **{("Atan2", d): ORIGIN for d in _BOTH},
    ("Angle", "backward"): NO_ANGLE,
    ("CTCLoss", "forward"): NO_PATH,
    **{("Acosh", d): ABOVE_ONE for d in _BOTH},
    **{(op, d): POSITIVE for op in ("Lgamma", "Digamma") for d in _BOTH},
    **{(op, d): SOFTMAX for op in ("Softmax", "LogSoftmax") for d in _BOTH},
    **{("SoftmaxCrossEntropyWithLogits", d): SOFTMAX for d in _BOTH},
    **{("SparseSoftmaxCrossEntropyWithLogits", d): SPARSE for d in _BOTH},
    **{(op, d): REPEATED for op in ("Svd", "SelfAdjointEigV2", "Eig") for d in _BOTH},
    **{(op, d): SINGULAR for op in ("Cholesky", "MatrixInverse", "MatrixSolve") for d in _BOTH},
    **{(op, "backward"): OWN_GRADIENT for op in ("IdentityN", "PyFunc", "EagerPyFunc")},
    **{(op, d): CHOICE for op in ("SelectV2", "Select") for d in _BOTH},
}
