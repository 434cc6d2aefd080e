"""Twelve faulty losses of a third set, whose truths were settled before any was examined."""

from __future__ import annotations

import math

import numpy as np

from tests.wild.projects import adversaries, densities, fields, plans, third_fixed
from tests.wild.projects.truth import Fault, Truth, argument, both, codes

NONFINITE = codes("LC201 LC202 LC203 LC204 LC503")
DIGITS = codes("LC301 LC302")
CHECKED = (np.indices((8, 8)).sum(axis=0) % 2).reshape(1, 8, 8, 1)  # like a chessboard
THIRD_FAULTY = (
    Truth(
        loss=adversaries.slope_penalty,
        source="keras-team/keras-io, issue 910 and pull request 2364",
        arguments={
            "y_true": argument("positive", "(B,)"),
            "y_pred": argument("real", "(B, 4, 4, 3)"),
        },
        fault=Fault(
            codes=codes("LC203"),
            severity="error",
            line="tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=[1, 2, 3]))",
            trigger={"y_true": [1.0], "y_pred": np.zeros((1, 4, 4, 3)).tolist()},
            what="the first entry of the gradient where a critic is flat: infinity times 0, in "
            "float64 as well",
            observed=math.nan,
            expected="finite",
            fixed=third_fixed.slope_penalty,
        ),
        beside=NONFINITE | codes("LC101 LC107 LC108"),
        undeclared=False,
        why="that a label is one length for a whole image has to be declared",
        remark="A norm by hand over three axes, whose square is then taken of something else.",
    ),
    Truth(
        loss=adversaries.attack_margin,
        source="facebookresearch/text-adversarial-attack, issue 6 (whitebox_attack.py)",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("logits", "(B, 3)"),
        },
        fault=Fault(
            codes=codes("LC401"),
            severity="error",
            line="lead = score - _strongest_rival(y_pred, own)",
            trigger={"y_true": [0.0, 1.0], "y_pred": [[-10.0, 0.0, -3.0], [8.0, 20.0, -1.0]]},
            what="the loss, against the mean of the two samples' own losses, 0 and 17: a row less "
            "a column is a square of every lead with every rival",
            observed=10.5,
            expected=8.5,
            fixed=third_fixed.attack_margin,
        ),
        beside=codes("LC103 LC107 LC108 LC206 LC602"),
        undeclared=True,
        why="one_hot says that labels are classes, and a batch of two is enough",
        remark="Both shapes are made inside: a helper keeps the axis that a sum drops.",
    ),
    Truth(
        loss=adversaries.clipped_difference,
        source="spragunr/deep_q_rl, issue 46 (q_network.py)",
        arguments={
            "y_true": argument("real", "(B,)"),
            "y_pred": argument("real", "(B, 3)"),
            "action": argument("class_index", "(B,)", "input"),
        },
        fault=Fault(
            codes=codes("LC103"),
            severity="error",
            line="tf.clip_by_value(diff, -CLIP_DELTA, CLIP_DELTA)",
            trigger={"y_true": [2.5], "y_pred": [[0.0, 0.0, 0.0]], "action": [0.0]},
            what="the first entry of the gradient, against that of the error clipped in its slope, "
            "as was meant; more than half of the ordinary range is dead, counted",
            observed=0.0,
            expected=-1.0,
            fixed=third_fixed.clipped_difference,
        ),
        beside=codes("LC101 LC102 LC107 LC108 LC206"),
        undeclared=False,
        why="the role of the action has to be declared",
        remark="What is to be limited is the slope, and what is limited is the value.",
    ),
    Truth(
        loss=fields.box_regression,
        source="smallcorgi/Faster-RCNN_TF, pull request 30 (lib/fast_rcnn/train.py)",
        arguments={
            **both("real", "real", "(B, 4)"),
            "inside": argument("binary", "(B, 4)", "input"),
        },
        fault=Fault(
            codes=codes("LC105"),
            severity="error",
            line="tf.less(tf.abs(error), 1.0)",
            trigger={
                "y_true": [[0.0] * 4],
                "y_pred": [[1.0, 0.0, 0.0, 0.0]],
                "inside": [[1.0] * 4],
            },
            what="by how much the loss falls from the float32 number below 1 to 1: from 3/2 to "
            "1 - 1/6; 0 if the branches met",
            observed=2.0 / 3.0,
            expected=0.0,
            fixed=third_fixed.box_regression,
        ),
        beside=codes("LC101 LC102 LC103 LC107 LC108"),
        undeclared=False,
        why="the role of the mask has to be declared",
        remark="Branches by a mask of floats; the constants were meant for another condition.",
    ),
    Truth(
        loss=densities.breslow,
        source="liupei101/TFDeepSurv, issue 15 (tfdeepsurv/dsl.py)",
        arguments={
            "y_true": argument("[-20, 20]", "(B, 1)"),
            "y_pred": argument("[-1, 1]", "(B, 1)"),
        },
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="tf.reduce_sum((hazard - score) * seen) / observed",
            trigger={"y_true": [[-3.0], [-5.0]], "y_pred": [[0.2], [0.4]]},
            what="the loss of a batch without any event, run as it is: 0/0, in float64 as well",
            observed=math.nan,
            expected="finite",
            fixed=third_fixed.breslow,
        ),
        beside=NONFINITE | codes("LC101 LC103 LC107 LC108 LC602"),
        undeclared=True,
        why="reals are all negative at times as well; the squeezes say the shape",
        remark="Times and events come as one signed number; samples are coupled by who is at risk.",
    ),
    Truth(
        loss=fields.occluded_area,
        source="simonmeister/UnFlow, issue 8 (src/e2eflow/core/losses.py)",
        arguments=both("[-3, 3]", "[-3, 3]", "(B, 4, 4, 2)"),
        fault=Fault(
            codes=codes("LC102"),
            severity="error",
            line="occluded = tf.cast(apart > allowed, y_pred.dtype)",
            trigger={
                "y_true": np.zeros((1, 4, 4, 2)).tolist(),
                "y_pred": np.ones((1, 4, 4, 2)).tolist(),
            },
            what="the gradient of tf.GradientTape: a comparison has none",
            observed="None",
            expected="a number for each vector",
            fixed=third_fixed.occluded_area,
        ),
        beside=codes("LC103 LC105 LC506 LC603"),
        undeclared=True,
        why="no domain gives it a gradient",
        remark="The prediction is squared, summed and scaled on both sides of the comparison.",
    ),
    Truth(
        loss=densities.sparse_activity,
        source="caglar/autoencoders, issue 5 (ae.py)",
        arguments=both("[0.01, 0.99]", "[0.01, 0.99]", "(B, D)"),
        fault=Fault(
            codes=codes("LC108"),
            severity="warning",
            line="positive = p * tf.math.log(p) - tf.math.log(q)",
            trigger={"y_true": [[0.2]], "y_pred": [[0.2]]},
            what="the loss of a unit that is as active as it should be: -0.8 log 0.2, where a "
            "divergence is 0; at 1 / (2 - p) it is lower",
            observed=1.28755,
            expected=0.0,
            fixed=third_fixed.sparse_activity,
        ),
        beside=codes("LC107"),
        undeclared=False,
        why="an inferred probability can be 0 and 1, where logarithms fail for another reason",
        remark="A bracket is missing: one logarithm of two is not multiplied.",
    ),
    Truth(
        loss=plans.warped_series,
        source="zzw922cn/TF2_soft_dtw, issue 2 (tf2_soft_dtw.py)",
        arguments={
            "y_true": argument("[-3, 3]", "(B, 4)"),
            "y_pred": argument("[-3, 3]", "(B, 3)"),
        },
        fault=Fault(
            codes=codes("LC102 LC501 LC603 LC901"),
            severity="error",
            line="return upstream[:, tf.newaxis, tf.newaxis] * shares(cost, warp, ways)",
            trigger={"y_true": [[1.0, 2.0, 0.0, 3.0]], "y_pred": [[1.5, 0.5, 2.5]]},
            what="what taking the gradient gives, against central differences of the loss, which "
            "is right: a custom gradient of two arguments gives one",
            observed="ValueError",
            expected=0.148736,
            fixed=third_fixed.warped_series,
        ),
        beside=NONFINITE | codes("LC101 LC402 LC502 LC506"),
        undeclared=False,
        why="four steps and three stand in loops alone",
        remark="The call runs, eagerly, in a graph and under XLA; only its gradient does not.",
    ),
    Truth(
        loss=fields.many_scales,
        source="VainF/pytorch-msssim, issue 7 (pytorch_msssim/ssim.py)",
        arguments=both("[0, 1]", "[0, 1]", "(B, 8, 8, 1)"),
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="tf.reduce_prod(tf.pow(parts, powers), axis=0)",
            trigger={"y_true": CHECKED.tolist(), "y_pred": (1 - CHECKED).tolist()},
            what="the loss of a negative, run as it is: a power of 0.4 of a negative similarity, "
            "in float64 as well",
            observed=math.nan,
            expected="finite",
            fixed=third_fixed.many_scales,
        ),
        beside=NONFINITE | DIGITS | codes("LC101 LC103 LC107 LC108"),
        undeclared=True,
        why="the pools say rank 4; reals that fall where the others rise do it, too",
        remark="Each factor is bounded, and none is bounded below by 0. The project's cure is a "
        "relu, whose power has no finite gradient in TensorFlow.",
    ),
    Truth(
        loss=densities.truncated_normal,
        source="tensorflow/probability, issue 1214; pyro-ppl/numpyro, issue 1492",
        arguments={
            "y_true": argument("[0, 1]", "(B, 1)"),
            "y_pred": argument(["[-3, 4]", "[0.05, 2]"], "(B, 2)"),
        },
        fault=Fault(
            codes=codes("LC202 LC201"),
            severity="error",
            line="tf.math.log(kept)",
            trigger={"y_true": [[0.5]], "y_pred": [[3.0, 0.1]]},
            what="the loss, against mpmath: the chance of the interval is 2.8e-89 and a difference "
            "of two numbers that round to 0",
            observed=-math.inf,
            expected=107.199195,
            fixed=third_fixed.truncated_normal,
        ),
        beside=NONFINITE | DIGITS | codes("LC103 LC107 LC108"),
        undeclared=False,
        why="a second column of 0 or below is a spread that does not exist",
        remark="In the middle of the declared intervals; nearer to the bounds the digits go first.",
    ),
    Truth(
        loss=densities.discretised_normal,
        source="openai/improved-diffusion, improved_diffusion/losses.py",
        arguments={
            "y_true": argument("[-1, 1]", "(B, 2)"),
            "y_pred": argument(["[-1, 1]", "[-1, 1]", "[-2.5, 0]", "[-2.5, 0]"], "(B, 4)"),
        },
        fault=Fault(
            codes=DIGITS,
            severity="error",
            line="between = upper - lower",
            trigger={"y_true": [[0.6, 0.0]], "y_pred": [[0.05, 0.0, -2.3, -2.3]]},
            what="the loss, against itself in float64, which mpmath bears out: 1 less 1, which the "
            "floor makes 1e-12, where 7.7e-10 is right; the median of ordinary losses is 10.6",
            observed=22.432705,
            expected=17.637414,
            fixed=third_fixed.discretised_normal,
        ),
        beside=codes("LC103 LC105 LC107 LC108 LC503"),
        undeclared=False,
        why="the split says that predictions are twice as wide as labels, but no domain",
        remark="A floor against log 0 hides that no digit is left; the gradient is 0 there. The "
        "branches for black and white jump with the label, and not with the prediction.",
    ),
    Truth(
        loss=plans.energy_mover,
        source="thaler-lab/EnergyFlow, issue 17",
        arguments=both("[0.1, 10]", "[0.1, 10]", "(B, D)"),
        fault=Fault(
            codes=codes("LC501"),
            severity="error",
            line="_movers_distance(y_pred.numpy(), y_true.numpy())",
            trigger={"y_true": [[1.0, 2.0, 3.0, 4.0]], "y_pred": [[4.0, 1.0, 1.0, 2.0]]},
            what="what tf.function gives with autograph=False, as Keras traces it, against the "
            "sum of cumulative differences by hand; eagerly there is no gradient",
            observed="AttributeError",
            expected=0.875,
            fixed=third_fixed.energy_mover,
        ),
        beside=codes("LC102 LC502 LC506 LC603"),
        undeclared=True,
        why="it fails whatever it is given",
        remark="The helper that does the work is NumPy's alone.",
    ),
)
