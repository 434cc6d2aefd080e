"""Sixteen losses of a sixth set, half of them faulty, whose truths were settled beforehand."""

from __future__ import annotations

import math

from tests.wild.projects import grids, ranked
from tests.wild.projects import sixth_proofs as proofs
from tests.wild.projects.truth import Fault, Truth, argument, both, codes

NONFINITE = codes("LC201 LC202 LC203 LC204 LC503")
DIGITS = codes("LC301 LC302")
FLAT = codes("LC101 LC103 LC107 LC108")
SIXTH_FAULTY = (
    Truth(
        loss=ranked.preferred_item,
        source="xiangwang1223/neural_graph_collaborative_filtering, issue 17 (NGCF.py)",
        arguments={"y_true": argument("real", "(B,)"), "y_pred": argument("logits", "(B, 2)")},
        fault=Fault(
            codes=codes("LC202 LC204"),
            severity="error",
            line="return -tf.math.log(tf.sigmoid(chosen - other))",
            trigger={"y_true": [1.0], "y_pred": [[0.0, 110.0]]},
            what="the loss of a pair in the wrong order by 110: a sigmoid that is 0 in float32",
            observed=math.inf,
            expected=110.0,
            fixed=proofs.preferred_item,
        ),
        beside=NONFINITE | DIGITS | FLAT | codes("LC206"),
        undeclared=True,
        why="an unstack says that there are two, and any number overflows",
        remark="The label is taken and never looked at.",
    ),
    Truth(
        loss=ranked.next_items,
        source="kang205/SASRec, model.py",
        arguments={
            "y_true": argument("class_index", "(B, 4)"),
            "y_pred": argument("logits", "(B, 4, 2)"),
        },
        fault=Fault(
            codes=codes("LC103 LC108 LC301 LC302") | NONFINITE,
            severity="error",
            line="surprise += tf.math.log(1.0 - did_not + TINY)",
            trigger={"y_true": [[3.0]], "y_pred": [[[0.0, 20.0]]]},
            what="the loss where what did not come has a logit of 20: a sigmoid that is 1 in "
            "float32, less which nothing is left, without a slope",
            observed=55.955189,
            expected=20.693147,
            fixed=proofs.next_items,
        ),
        beside=NONFINITE | DIGITS | FLAT | codes("LC206"),
        undeclared=True,
        why="whatever has a sigmoid is a logit",
        remark="A constant of 1e-24, which says 55 in place of infinity; in a graph it is added to "
        "1 first, and infinity times 0 is NaN.",
    ),
    Truth(
        loss=ranked.lifetimes_in_a_batch,
        source="mahmoodlab/PathomicFusion, pull request 9",
        arguments={
            "y_true": argument(["positive", "binary"], "(B, 2)"),
            "y_pred": argument("logits", "(B, 1)"),
        },
        fault=Fault(
            codes=codes("LC401"),
            severity="error",
            line="return -tf.reduce_mean((risk - among) * event)",
            trigger={"y_true": [[1.0, 1.0], [2.0, 0.0]], "y_pred": [[1.0], [0.0]]},
            what="the loss of two, one of whom dies, against log(1 + 1/e) / 2: a "
            "row times a column",
            observed=0.078315,
            expected=0.156631,
            fixed=proofs.lifetimes_in_a_batch,
        ),
        beside=DIGITS | FLAT | codes("LC403 LC602"),
        undeclared=False,
        why="two columns of a label, which might be any number",
        remark="Samples are coupled on purpose, and once more by a shape.",
    ),
    Truth(
        loss=ranked.half_hard,
        source="alfonmedela/triplet-loss-pytorch, issue 3",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("unit_vector", "(B, 3)"),
        },
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="return tf.reduce_sum(late) / tf.reduce_sum(friends)",
            trigger={"y_true": [0.0, 1.0], "y_pred": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]},
            what="the loss of a batch in which no two samples are of one class: 0/0",
            observed=math.nan,
            expected="finite",
            fixed=proofs.half_hard,
        ),
        beside=NONFINITE | FLAT | codes("LC105 LC206 LC602"),
        undeclared=True,
        why="labels that all differ are among those of any domain, and so is a batch of one",
        remark="What is picked jumps with what is nearest, as is meant (LC105, a warning).",
    ),
    Truth(
        loss=ranked.naive_scale,
        source="mrdbourke/tensorflow-deep-learning, issue 584 (notebook 10)",
        arguments=both("real", "real", "(B, 3)"),
        fault=Fault(
            codes=codes("LC201 LC202"),
            severity="error",
            line="return error / naive",
            trigger={"y_true": [[1.0], [1.0]], "y_pred": [[2.0], [2.0]]},
            what="the loss of a series that does not change: 1/0; of a batch of one it is NaN",
            observed=math.inf,
            expected="finite",
            fixed=proofs.naive_scale,
        ),
        beside=NONFINITE | DIGITS | FLAT | codes("LC602"),
        undeclared=True,
        why="equal labels are among the numbers of any domain",
        remark="A metric taken as a loss, whose first axis is then the batch and not time.",
    ),
    Truth(
        loss=ranked.circular,
        source="Sachin19/seq2seq-con, issue 1 (onmt/ive.py)",
        arguments=both("unit_vector", "[-10, 10]", "(B, 2)"),
        fault=Fault(
            codes=codes("LC101"),
            severity="error",
            line="return upstream * tf.math.bessel_i1e(kappa) / tf.math.bessel_i0e(kappa)",
            trigger={"y_true": [[1.0, 0.0]], "y_pred": [[2.0, 0.0]]},
            what="the first entry of the gradient, against differences of the loss: the factor "
            "of a scaled Bessel function is taken away where it is to be put back",
            observed=-0.302225,
            expected=-2.302225,
            fixed=proofs.circular,
        ),
        beside=DIGITS | FLAT,
        undeclared=True,
        why="a wrong gradient is wrong for any numbers",
        remark="A custom gradient that is right, of a value that is not.",
    ),
    Truth(
        loss=grids.focal_overlap,
        source="nabsabraham/focal-tversky-unet, losses.py",
        arguments=both("binary", "probability", "(B, 4, 4, 1)"),
        fault=Fault(
            codes=codes("LC203 LC204"),
            severity="error",
            line="return tf.pow(1.0 - overlap, FOCUS)",
            trigger={"y_true": [[1.0, 0.0]], "y_pred": [[1.0, 0.0]]},
            what="the first entry of the gradient where all pixels are right, or a picture is "
            "empty: a power below 1 of 0, in float64 as well",
            observed=math.nan,
            expected="finite",
            fixed=proofs.focal_overlap,
        ),
        beside=NONFINITE | DIGITS | FLAT | codes("LC602"),
        undeclared=True,
        why="a prediction that is right is among the numbers of any domain",
        remark="One number for a batch. A sum of rounding errors may bring the overlap above 1.",
    ),
    Truth(
        loss=grids.overlap_of_classes,
        source="Golbstein/Keras-segmentation-deeplab-v3.1, issue 6 (utils.py)",
        arguments=both("one_hot", "simplex", "(B, 2, 2, 3)"),
        fault=Fault(
            codes=codes("LC102"),
            severity="error",
            line="given = keras.ops.one_hot(keras.ops.argmax(y_pred, axis=-1), classes",
            trigger={"y_true": [[[[1.0, 0.0, 0.0]]]], "y_pred": [[[[0.2, 0.5, 0.3]]]]},
            what="the gradient of tf.GradientTape: an argmax has none",
            observed="None",
            expected="a number for each pixel",
            fixed=proofs.overlap_of_classes,
        ),
        beside=codes("LC103 LC105 LC603"),
        undeclared=True,
        why="no domain gives it a gradient",
        remark="By keras.ops; a metric taken as a loss.",
    ),
)
SIXTH_SOUND = (
    Truth(
        loss=ranked.two_views,
        source="google-research/simclr, objective.py",
        arguments={"y_true": argument("weight", "(B,)"), "y_pred": argument("real", "(B, 2, 3)")},
        beside=codes("LC101 LC103 LC107 LC108 LC206 LC602"),
        undeclared=False,
        why="what weighs samples and is below 0 is no weight",
        remark="Views that are no vectors get a slope of 1e6. What is hidden is 1e9 below.",
    ),
    Truth(
        loss=ranked.competing_risks,
        source="chl8856/DeepHit, class_DeepHit.py",
        arguments={
            "y_true": argument(["[0, 3]", "binary"], "(B, 2)"),
            "y_pred": argument("simplex", "(B, 4)"),
        },
        beside=codes("LC101 LC103 LC107 LC108 LC206"),
        undeclared=False,
        why="reals have no logarithm, and e^(10 x) overflows of them",
        remark="Pairs of samples, of those that a mask keeps.",
    ),
    Truth(
        loss=grids.distance_to_border,
        source="LIVIAETS/boundary-loss, issue 14 (keras_loss.py)",
        arguments={
            "y_true": argument("real", "(B, 4, 4, 1)"),
            "y_pred": argument("probability", "(B, 4, 4, 1)"),
        },
        beside=codes("LC103 LC107"),
        undeclared=True,
        why="a product of any numbers is finite",
        remark="Below 0 where it is right; labels are distances with a sign.",
    ),
    Truth(
        loss=grids.points_of_a_body,
        source="ultralytics/ultralytics, ultralytics/utils/loss.py",
        arguments={
            "y_true": argument(["[0, 1]", "[0, 1]", "binary", "[0.01, 1]"], "(B, 3, 4)"),
            "y_pred": argument("[0, 1]", "(B, 3, 2)"),
        },
        beside=codes("LC103 LC107 LC108"),
        undeclared=False,
        why="an area below 0 overflows an exponential",
        remark="Four columns of three kinds against two; no point may be seen.",
    ),
    Truth(
        loss=grids.mixture_of_levels,
        source="openai/pixel-cnn, pixel_cnn_pp/nn.py",
        arguments={
            "y_true": argument("[-1, 1]", "(B, 2, 2, 1)"),
            "y_pred": argument("real", "(B, 2, 2, 6)"),
        },
        beside=codes("LC101 LC103 LC104 LC105 LC107 LC108"),
        undeclared=True,
        why="a split in three, and any numbers do",
        remark="Three wheres one in the other, each of whose branches is kept from infinity.",
    ),
    Truth(
        loss=grids.forces,
        source="aimat-lab/gcnn_keras, kgcnn/losses/losses.py",
        arguments=both("real", "real", "(B, 4, 3)"),
        beside=codes("LC103 LC107"),
        undeclared=True,
        why="padding is a label of 0, which any domain has",
        remark="A Loss with a config; atoms that are not there are told by their label.",
    ),
    Truth(
        loss=grids.depth_and_edges,
        source="ialhashim/DenseDepth, loss.py",
        arguments=both("[1, 10]", "[1, 10]", "(B, 12, 12, 1)"),
        beside=codes("LC101 LC103 LC107 LC108"),
        undeclared=True,
        why="an SSIM says how large a picture has to be, and is finite of any numbers",
        remark="Windows of 11 pixels, image gradients, a clip.",
    ),
    Truth(
        loss=grids.letters_in_a_row,
        source="faustomorales/keras-ocr, recognition.py",
        arguments={
            "y_true": argument("padded_class_index", "(B, 3)"),
            "y_pred": argument("simplex", "(B, 6, 4)"),
        },
        beside=codes("LC101 LC103 LC107 LC108 LC506"),
        undeclared=False,
        why="six steps stand in a number, and letters are padded",
        remark="CTC of chances, whose logarithm is kept from 0.",
    ),
)
SIXTH = (*SIXTH_FAULTY, *SIXTH_SOUND)
