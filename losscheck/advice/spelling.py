"""Which functions and operators of the source make which TensorFlow op."""

from __future__ import annotations

# Op types whose function is not simply the op's name in lower case; NumPy's and Keras' spellings
# of tf.* functions included.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "AddV2": ("+", "add"),
    "Acos": ("acos", "arccos"),
    "Asin": ("asin", "arcsin"),
    "Atan2": ("atan2", "arctan2"),
    "Atanh": ("atanh", "arctanh"),
    "Acosh": ("acosh", "arccosh"),
    "BatchMatMulV2": ("@", "matmul"),
    "DivNoNan": ("divide_no_nan",),
    "EuclideanNorm": ("reduce_euclidean_norm",),
    "Inv": ("reciprocal",),
    "GatherV2": ("gather",),
    "MatMul": ("@", "matmul"),
    "LogMatrixDeterminant": ("slogdet", "logdet"),
    "MatrixDeterminant": ("det", "matrix_determinant"),
    "MatrixInverse": ("inv", "matrix_inverse"),
    "MatrixSolve": ("solve", "matrix_solve"),
    "MatrixTriangularSolve": ("triangular_solve",),
    "Maximum": ("maximum", "clip_by_value", "clip"),
    "Mean": ("reduce_mean", "mean"),
    "Minimum": ("minimum", "clip_by_value", "clip"),
    "Mul": ("*", "multiply"),
    "Pow": ("**", "pow", "power"),
    "Prod": ("reduce_prod", "prod"),
    "RealDiv": ("/", "divide", "truediv"),
    "Select": ("where",),
    "SelectV2": ("where",),
    "SelfAdjointEigV2": ("eigh", "eigvalsh"),
    "Sub": ("-", "subtract"),
    "Sum": ("reduce_sum", "sum"),
    "SquaredDifference": ("squared_difference",),
    "TopKV2": ("top_k",),
}

_CALLS = {
    "Inv": "tf.math.reciprocal",
    "Prod": "tf.reduce_prod",
    "Sum": "tf.reduce_sum",
    "Mean": "tf.reduce_mean",
    "Sqrt": "tf.sqrt",
    "Exp": "tf.exp",
    "Square": "tf.square",
    "Softmax": "tf.nn.softmax",
    "LogSoftmax": "tf.nn.log_softmax",
    "SelectV2": "tf.where",
    "Select": "tf.where",
    "MatMul": "tf.matmul",
    "BatchMatMulV2": "tf.matmul",
    "Cholesky": "tf.linalg.cholesky",
    "MatrixInverse": "tf.linalg.inv",
    "MatrixSolve": "tf.linalg.solve",
    "Svd": "tf.linalg.svd",
    "Eig": "tf.linalg.eig",
    "SelfAdjointEigV2": "tf.linalg.eigh",
    "SoftmaxCrossEntropyWithLogits": "tf.nn.softmax_cross_entropy_with_logits",
    "SparseSoftmaxCrossEntropyWithLogits": "tf.nn.sparse_softmax_cross_entropy_with_logits",
}


def spells(head: str, op: str) -> bool:
    """Say whether a function's name or an operator of the source makes an op of this type."""
    return bool(op) and head in _SPELLINGS.get(op, (op.lower(),))


def default_call(op: str) -> str:
    """Give the usual spelling of an op's function, for where the source does not show it."""
    return _CALLS.get(op, f"tf.math.{op.lower()}")
