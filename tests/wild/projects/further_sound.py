"""Ten further sound losses, of kinds that the first forty had none of."""

from __future__ import annotations

from tests.wild.projects import geometry, representation, scores, sequences
from tests.wild.projects.truth import Truth, argument, both, codes

ANGLE = "[-3.1416, 3.1416]"
FURTHER_SOUND = (
    Truth(
        loss=scores.conditional_ranks,
        source="ck37/coral-ordinal, coral_ordinal/loss.py (CORN, issue 15 and pull request 16)",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("logits", "(B, 3)"),
        },
        beside=codes("LC107 LC206 LC602"),
        undeclared=False,
        why="a rank is not told from a number: that labels are ranks has to be declared",
        remark="Subsets of the batch: the first is all of it, so the count is never 0. A rank of 3 "
        "beside three levels is right, and outside of the classes of three logits (LC206).",
    ),
    Truth(
        loss=scores.zero_inflated_counts,
        source="ttgump/scDeepCluster, code/scDeepCluster.py with the ZINB loss of its loss.py",
        arguments={
            "y_true": argument("count", "(B, 1)"),
            "y_pred": argument(["positive", "positive", "probability"], "(B, 3)"),
        },
        beside=codes("LC103 LC107 LC503"),
        undeclared=False,
        why="logarithms of three columns with different domains",
        remark="Two cases by where, both finite throughout. In the working range differences of "
        "lgamma at 1e6 keep few digits (LC301, LC302, LC503: warnings).",
    ),
    Truth(
        loss=scores.heading_and_concentration,
        source="sergeyprokudin/deep_direct_stat, utils/losses.py",
        arguments={
            "y_true": argument(ANGLE, "(B, 1)"),
            "y_pred": argument([ANGLE, "positive"], "(B, 2)"),
        },
        beside=codes("LC107 LC108 LC401"),
        undeclared=False,
        why="a concentration of 0 or below does not exist",
        remark="The scaled Bessel function, and a squared sine in place of one less a cosine.",
    ),
    Truth(
        loss=scores.approximate_gain,
        source="tensorflow/ranking, tensorflow_ranking/python/losses_impl.py (ApproxNDCG)",
        arguments={
            "y_true": argument("[0, 4]", "(B, 5)"),
            "y_pred": argument("real", "(B, 5)"),
        },
        beside=codes("LC103 LC107 LC108"),
        undeclared=False,
        why="negative relevances make the best gain 0 or negative",
        remark="Without any relevant item the best gain is 0: divide_no_nan. Sigmoids saturate.",
    ),
    Truth(
        loss=sequences.transducer,
        source="iamjanvijay/rnnt, rnnt/rnnt.py",
        arguments={
            "y_true": argument("class_index", "(B, 2)"),
            "y_pred": argument("logits", "(B, 3, 3, 4)"),
        },
        beside=codes("LC107 LC206"),
        undeclared=False,
        why="three frames and two labels stand in the loops alone",
        remark="A dynamic programme in two dimensions over predictions of rank 4.",
    ),
    Truth(
        loss=geometry.warped_frame,
        source="philferriere/tfoptflow, tfoptflow/core_warp.py",
        arguments={
            "y_true": argument("[0, 1]", "(B, 6, 6, 2)"),
            "y_pred": argument("[-2, 2]", "(B, 6, 6, 2)"),
        },
        beside=codes("LC101 LC103 LC107"),
        undeclared=False,
        why="a grid of six pixels a side and two channels",
        remark="Gathers by the floor of the prediction: bilinear, so continuous, with kinks where "
        "a pixel is met; beyond the frame the clip holds.",
    ),
    Truth(
        loss=representation.variance_kept,
        source="tensorflow/similarity, tensorflow_similarity/losses/vicreg.py (pull request 243)",
        arguments=both("real", "real", "(B, D)"),
        beside=codes("LC107 LC108 LC602"),
        undeclared=True,
        why="real (B, D) is what is inferred",
        remark="A root with a floor, a hinge, and a covariance whose divisor is 1 of one sample.",
    ),
    Truth(
        loss=representation.neighbours_kept,
        source="kylemcdonald/Parametric-t-SNE, Parametric t-SNE (Keras).ipynb",
        arguments={
            "y_true": argument("real", "(B, 5)"),
            "y_pred": argument("real", "(B, 2)"),
        },
        beside=codes("LC103 LC107 LC108 LC602"),
        undeclared=True,
        why="real labels and predictions (B, D) of the same width do as well",
        remark="Pairs of a batch without the diagonal: of one sample there are none.",
    ),
    Truth(
        loss=representation.nearest_code,
        source="karpathy/deep-vector-quantization, model.py (issue 2)",
        arguments=both("real", "real", "(B, 2)"),
        beside=codes("LC101 LC103 LC105 LC107 LC108"),
        undeclared=True,
        why="the codes are of two columns, which only their table says",
        remark="Straight through: the gradient is not the derivative, on purpose (LC101, a "
        "warning), and what is made jumps where another code is nearer (LC105, a selection).",
    ),
    Truth(
        loss=representation.hard_frequencies,
        source="EndlessSora/focal-frequency-loss, focal_frequency_loss/focal_frequency_loss.py",
        arguments=both("[0, 1]", "[0, 1]", "(B, 8, 8)"),
        beside=codes("LC101 LC107 LC502"),
        undeclared=True,
        why="real images do as well; fft2d says the rank",
        remark="Complex numbers, and weights that are held (LC101, a warning). Of a perfect match "
        "every weight is 0 by divide_no_nan.",
    ),
)
