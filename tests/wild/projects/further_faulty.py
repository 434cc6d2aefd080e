"""Ten further faulty losses, of kinds that the first forty had none of."""

from __future__ import annotations

import math

import numpy as np

from tests.wild.projects import geometry, representation, scores, sequences
from tests.wild.projects.truth import Fault, Truth, argument, both, codes

NONFINITE = codes("LC201 LC202 LC203 LC204 LC503")
DIGITS = codes("LC301 LC302")
BOX = [[0.1, 0.2, 0.5, 0.7]]
UPRIGHT = [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]]
FURTHER_FAULTY = (
    Truth(
        loss=sequences.pen_strokes,
        source="hardmaru/write-rnn-tensorflow, model.py",
        arguments={
            "y_true": argument("real", "(B, 2)"),
            "y_pred": argument("logits", "(B, 12)"),
        },
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="tf.exp(-z / (2.0 * rest))",
            trigger={"y_true": [[0.5, 0.5]], "y_pred": [[0.0] * 10 + [10.0] * 2]},
            what="the loss, against mpmath: tanh 10 rounds to 1, the rest to 0, and 0/0 is NaN",
            observed=math.nan,
            expected=-7.343976,
        ),
        beside=NONFINITE | DIGITS | codes("LC103 LC107 LC108"),
        undeclared=False,
        why="two columns of labels beside twelve of predictions: the widths stand in slices",
        remark="A floor below the logarithm makes far points dead as well (LC103).",
    ),
    Truth(
        loss=sequences.banded_warping,
        source="Maghoumi/pytorch-softdtw-cuda, issue 18",
        arguments={
            "y_true": argument("real", "(B, 6)"),
            "y_pred": argument("real", "(B, 4)"),
        },
        fault=Fault(
            codes=codes("LC202"),
            severity="error",
            line="nowhere = tf.fill(tf.shape(y_pred)[:1], tf.constant(math.inf, y_pred.dtype))",
            trigger={"y_true": [[1.0] * 6], "y_pred": [[1.0] * 4]},
            what="the loss, run as it is: no way in a band of one leads to the corner",
            observed=math.inf,
            expected="finite",
        ),
        beside=NONFINITE | codes("LC102 LC103 LC603"),
        undeclared=False,
        why="six steps and four stand in loops alone",
        remark="Infinite whatever it is given, and the gradient with it.",
    ),
    Truth(
        loss=sequences.next_event,
        source="musically-ut/tf_rmtpp, src/tf_rmtpp/rmtpp_core.py",
        arguments={
            "y_true": argument("positive", "(B, 1)"),
            "y_pred": argument("real", "(B, 2)"),
        },
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="(tf.exp(now) - tf.exp(past)) / slope",
            trigger={"y_true": [[1.0]], "y_pred": [[0.5, 0.0]]},
            what="the loss of a constant rate, against its limit exp(0.5) - 0.5 in mpmath",
            observed=math.nan,
            expected=1.148721,
        ),
        beside=NONFINITE | DIGITS | codes("LC107 LC108"),
        undeclared=True,
        why="real labels do it, too",
        remark="A removable singularity, and near it a difference that keeps few digits.",
    ),
    Truth(
        loss=geometry.complete_iou,
        source="ultralytics/yolov5, issue 541",
        arguments=both("box", "box", "(B, 4)"),
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="shape / (1.0 - overlap + shape)",
            trigger={"y_true": BOX, "y_pred": BOX},
            what="the loss of a perfect match: a weight of 0/0; the weight's share is 0 there",
            observed=math.nan,
            expected=0.0,
        ),
        beside=NONFINITE | DIGITS | codes("LC101 LC107 LC108"),
        undeclared=True,
        why="equal boxes, inferred or reals, do the same",
        remark="The weight is held, and NaN goes through it all the same.",
    ),
    Truth(
        loss=geometry.depth_up_to_scale,
        source="cleinc/bts, issues 13 and 104",
        arguments=both("positive", "positive", "(B, D)"),
        fault=Fault(
            codes=codes("LC203"),
            severity="error",
            line="tf.sqrt(squares - OF_THE_MEAN",
            trigger={"y_true": [[1.0, 2.0]], "y_pred": [[1.0, 2.0]]},
            what="the first entry of the gradient of a perfect match: 0 times infinity; the least "
            "loss has the gradient 0 among its one-sided ones",
            observed=math.nan,
            expected=0.0,
        ),
        beside=NONFINITE | DIGITS | codes("LC107"),
        undeclared=True,
        why="logarithms say positive",
        remark="What is below the root is at least 0.15 of the squared mean, never negative.",
    ),
    Truth(
        loss=geometry.rotation_angle,
        source="papagina/RotationContinuity, issues 1 and 11",
        arguments=both("real", "real", "(B, 6)"),
        fault=Fault(
            codes=codes("LC203 LC204"),
            severity="error",
            line="tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))",
            trigger={"y_true": UPRIGHT, "y_pred": UPRIGHT},
            what="the first entry of the gradient of a perfect match; the least loss has the "
            "gradient 0 among its one-sided ones",
            observed=math.nan,
            expected=0.0,
        ),
        beside=NONFINITE | DIGITS | codes("LC101 LC103 LC107 LC108"),
        undeclared=True,
        why="cross products ask for three columns, slices for six",
        remark="Two vectors are made orthogonal by cross products and normalised with a floor.",
    ),
    Truth(
        loss=geometry.gamma_corrected,
        source="MenghanXia/DisentangledColorization, issue 5 (models/basic.py)",
        arguments=both("[0, 1]", "[0, 1]", "(B, 4, 4, 3)"),
        fault=Fault(
            codes=codes("LC203"),
            severity="error",
            line="1.055 * tf.pow(light, 1.0 / 2.4) - 0.055",
            trigger={
                "y_true": np.full((1, 4, 4, 3), 0.25).tolist(),
                "y_pred": np.zeros((1, 4, 4, 3)).tolist(),
            },
            what="the first entry of the gradient of a black pixel: the slope of 0 to the power of "
            "1/2.4 is infinite and counts 0 times; the slope of what is taken is 12.92",
            observed=math.nan,
            expected="finite",
        ),
        beside=NONFINITE | DIGITS | codes("LC101 LC107 LC108"),
        undeclared=True,
        why="reals leave the display's colours as well; the table asks for three channels",
        remark="Where light is below 0 the maximum stops the NaN; where it is 0 it does not.",
    ),
    Truth(
        loss=scores.agreement_by_probabilities,
        source="microsoft/ProDA, issues 20 and 43",
        arguments=both("simplex", "simplex", "(B, C)"),
        fault=Fault(
            codes=codes("LC108"),
            severity="warning",
            line="- y_true * y_pred",
            trigger={"y_true": [[0.7, 0.3]], "y_pred": [[0.7, 0.3]]},
            what="the loss of a student that agrees, where a divergence is 0; of a student that "
            "is certain of the likelier class it is lower still",
            observed=-1.190864,
            expected=0.0,
        ),
        undeclared=False,
        why="of reals nothing says what is right",
        remark="Linear in the prediction: least where it is certain, whatever the teacher says.",
    ),
    Truth(
        loss=representation.redundancy,
        source="IgorSusmelj/barlowtwins, issue 10",
        arguments=both("real", "real", "(B, D)"),
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="/ tf.math.reduce_std(values, axis=0)",
            trigger={"y_true": [[1.0, 2.0]], "y_pred": [[0.5, 3.0]]},
            what="the loss of one sample, run as it is: 0/0, in float64 as well; a column that is "
            "constant over a batch does the same",
            observed=math.nan,
            expected="finite",
        ),
        beside=NONFINITE | DIGITS | codes("LC107 LC108 LC602"),
        undeclared=True,
        why="real (B, D) is what is inferred",
        remark="Columns are standardised over the batch.",
    ),
    Truth(
        loss=representation.shared_information,
        source="yuxi120407/DIB, issue 2",
        arguments=both("real", "real", "(B, D)"),
        fault=Fault(
            codes=codes("LC402"),
            severity="error",
            line="tf.reshape(values, [BATCH_SIZE, -1])",
            trigger={
                "y_true": [[0.0, 1.0], [1.0, 1.0], [2.0, 0.5]],
                "y_pred": [[0.0, 0.5], [0.5, 1.0], [1.5, 0.0]],
            },
            what="what a batch of three gives, against the same by NumPy with the batch's size",
            observed="InvalidArgumentError",
            expected=0.954806,
        ),
        beside=NONFINITE | DIGITS | codes("LC101 LC103 LC107 LC108 LC401 LC502 LC602 LC603"),
        undeclared=True,
        why="the reshape fails or mixes columns whatever the widths",
        remark="A batch of four times two columns is taken for eight samples of one, silently. "
        "Eigenvalues inside.",
    ),
)
