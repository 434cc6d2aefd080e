"""Arguments that the tests of cases generate for."""

from losscheck.model import Argument

PAIRS = [
    ("real", "real"),
    ("binary", "logits"),
    ("binary", "probability"),
    ("one_hot", "simplex"),
    ("one_hot", "logits"),
    ("sign", "[-1, 1]"),
    ("unit_vector", "unit_vector"),
    ("count", "positive"),
    ("mask", "nonnegative"),
    ("probability", "[0, 1)"),
    ("binary", "binary"),
]


def argument(name, domain, shape="(B, D)", role=None):
    return Argument(
        name=name,
        role=role or name,
        domain=domain,
        shape=shape,
        dtype="float32",
        origin="declared",
    )


def pair(true, pred, shape="(B, D)"):
    return [argument("y_true", true, shape), argument("y_pred", pred, shape)]


SPARSE = [
    argument("y_true", "class_index", "(B,)"),
    argument("y_pred", "simplex", "(B, C)"),
    argument("sample_weight", "weight", "(B,)", role="weight"),
]
