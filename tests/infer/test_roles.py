"""Which argument is the prediction: by declaration, then by name, then by place."""

import pytest

pytest.importorskip("tensorflow")

from losscheck.infer.spec import by_gradient, roles
from losscheck.model import UsageError
from losscheck.settings.settings import ArgumentSettings
from losscheck.targets import from_callable


def of(signature, **declared):
    """The roles of a loss with this signature."""
    space = {}
    exec(f"def loss({signature}): return 0", space)
    return roles(from_callable(space["loss"]), declared)


@pytest.mark.parametrize(
    ("signature", "label", "prediction"),
    [
        ("y_true, y_pred", "y_true", "y_pred"),
        ("y_pred, y_true", "y_true", "y_pred"),
        ("yTrue, yPred", "yTrue", "yPred"),
        ("yPred, yTrue", "yTrue", "yPred"),
        ("input, target", "target", "input"),  # PyTorch's order and names
        ("target, input", "target", "input"),
        ("labels, logits", "labels", "logits"),
        ("logits, labels", "labels", "logits"),
        ("y, y_hat", "y", "y_hat"),
        ("x, y", "y", "x"),
        ("outputs, labels", "labels", "outputs"),
        ("expected_output, output", "expected_output", "output"),
        ("output, expected_output", "expected_output", "output"),
        ("predicted, actual", "actual", "predicted"),
        ("prediction, reference", "reference", "prediction"),
        ("reconstructed, original", "original", "reconstructed"),
        ("embeddings, labels", "labels", "embeddings"),
        ("t, p", "t", "p"),
        ("a, b", "a", "b"),  # no word says anything: Keras' order
    ],
)
def test_the_pair_is_found_by_name_and_else_by_place(signature, label, prediction):
    assert of(signature) == {label: "y_true", prediction: "y_pred"}


def test_the_order_of_the_signature_is_kept():
    assert list(of("y_pred, sample_weight, y_true")) == ["y_pred", "sample_weight", "y_true"]


@pytest.mark.parametrize(
    ("signature", "weight"),
    [
        ("y_true, y_pred, sample_weights", "sample_weights"),
        ("weights, y_true, y_pred", "weights"),
        ("y_true, y_pred, w", "w"),
        ("y_true, y_pred, mask", "mask"),
        ("y_true, y_pred, pred_mask", "pred_mask"),
        ("y_true, class_weight, y_pred", "class_weight"),
    ],
)
def test_weights_are_known_by_name_wherever_they_stand(signature, weight):
    assert of(signature) == {"y_true": "y_true", "y_pred": "y_pred", weight: "weight"} | {
        name: role for name, role in of(signature).items() if name not in ("y_true", "y_pred")
    }
    assert of(signature)[weight] == "weight"


def test_a_third_tensor_is_an_input():
    assert of("anchor, positive, negative") == {
        "anchor": "y_true",
        "positive": "y_pred",
        "negative": "input",
    }


def test_what_has_a_default_is_a_constant_unless_declared():
    signature = "y_true, y_pred, sample_weight=None, *, delta=1.0"
    assert list(of(signature)) == ["y_true", "y_pred"]
    declared = of(signature, sample_weight=ArgumentSettings(domain="weight"))
    assert declared["sample_weight"] == "weight"


def test_a_required_keyword_is_a_tensor():
    assert of("y_true, *, y_pred") == {"y_true": "y_true", "y_pred": "y_pred"}


def test_one_of_the_first_two_is_a_tensor_with_a_default_too():
    assert of("y_true, y_pred=None") == {"y_true": "y_true", "y_pred": "y_pred"}


def test_a_declared_constant_is_no_tensor():
    assert "tau" not in of("y_true, y_pred, tau", tau=ArgumentSettings(value=0.3, constant=True))


def test_a_declared_role_goes_before_the_name():
    found = of("y_true, y_pred", y_true=ArgumentSettings(role="y_pred"))
    assert found == {"y_true": "y_pred", "y_pred": "y_true"}
    found = of("y_true, y_pred, prior", prior=ArgumentSettings(role="weight"))
    assert found["prior"] == "weight"


def test_an_unknown_argument_is_refused_with_what_comes_close():
    with pytest.raises(UsageError, match=r"has no argument 'y_prd'.*Did you mean 'y_pred'"):
        of("y_true, y_pred", y_prd=ArgumentSettings(domain="real"))


def test_a_loss_of_constants_alone_is_refused():
    with pytest.raises(UsageError, match="no argument that could be a prediction"):
        of("alpha=1.0, gamma=2.0")


@pytest.mark.parametrize(
    ("signature", "prediction", "label"),
    [
        ("q_values, actions, targets", "q_values", "targets"),  # a value of each action
        ("targets, q_values, actions", "q_values", "targets"),
        ("old_log_probs, new_log_probs, advantages", "new_log_probs", None),
        ("log_probs, old_log_probs", "log_probs", "old_log_probs"),  # of two, one is the label
        ("y_true, student_logits, teacher_logits", "student_logits", "y_true"),
        ("teacher_logits, student_logits", "student_logits", "teacher_logits"),
        ("returns, values", "values", "returns"),
        ("inputs, targets, class_weights", "inputs", "targets"),
    ],
)
def test_names_of_other_fields_say_which_is_learnt(signature, prediction, label):
    found = of(signature)
    assert [name for name, role in found.items() if role == "y_pred"] == [prediction]
    assert next((name for name, role in found.items() if role == "y_true"), None) == label


def test_what_no_gradient_reaches_is_no_prediction_unless_its_name_says_so():
    found = of("a, b")
    assert by_gradient(found, {}, {"a"}) == {"a": "y_pred", "b": "y_true"}
    assert by_gradient(found, {}, {"a", "b"}) == found
    assert by_gradient(found, {}, ()) == found  # nothing can be learnt: that is told of b
    declared = {"b": ArgumentSettings(role="y_pred")}
    assert by_gradient(of("a, b", **declared), declared, {"a"}) == found
    named = of("y_true, y_pred")
    assert by_gradient(named, {}, {"y_true"}) == named
