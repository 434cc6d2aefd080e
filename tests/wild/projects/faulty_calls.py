"""Faulty losses whose fault is of the formula, the gradient, the shapes, or a call."""

from __future__ import annotations

import math

import numpy as np

from tests.wild.projects import (
    audio,
    detection,
    embedding,
    generative,
    likelihood,
    segmentation,
)
from tests.wild.projects.truth import Fault, Truth, argument, both, codes

TURN = float(np.float32(math.cos(math.pi - embedding.MARGIN)))  # where the angle's branch changes
CELL = ["[0, 3]", "[0, 3]", "[0.1, 3]", "[0.1, 3]", "binary"]
FAULTY_CALLS = (
    Truth(
        loss=audio.companded_error,
        source="ibab/tensorflow-wavenet, wavenet/ops.py; the fault of tinygrad/tinygrad, pull "
        "request 17758",
        arguments=both("[-1, 1]", "[-1, 1]", "(B, T)"),
        fault=Fault(
            codes=codes("LC101"),
            severity="warning",
            line="tf.sign(wave) * tf.math.log1p(MU * tf.abs(wave))",
            trigger={"y_true": [[0.5]], "y_pred": [[0.0]]},
            what="the gradient: sign(0) is 0 and stands in it squared; against the derivative of "
            "the companding, MU / log(1 + MU) at 0 from both sides, in mpmath",
            observed=0.0,
            expected=-80.539995,
        ),
        beside=codes("LC103"),
        undeclared=True,
        why="0 is the middle of the reals as well",
        remark="Silence is where waveforms begin. Wrong at a single point: a warning, no error.",
    ),
    Truth(
        loss=segmentation.weights_on_the_logits,
        source="jakeret/tf_unet, issue 8",
        arguments={
            **both("one_hot", "logits", "(B, C)"),
            "sample_weight": argument("weight", "(B,)", "weight"),
        },
        fault=Fault(
            codes=codes("LC602"),
            severity="error",
            line="weighted = y_pred * sample_weight[:, tf.newaxis]",
            trigger={
                "y_true": [[1.0, 0.0], [0.0, 1.0]],
                "y_pred": [[1.0, 2.0], [3.0, 1.0]],
                "sample_weight": [1.0, 3.0],
            },
            what="the loss, against the mean over the batch of weight times cross entropy by "
            "hand; neither the sum (7.694) nor the weighted mean (1.923) is it",
            observed=3.657869,
            expected=3.847023,
        ),
        # LC503: of logits of 1e11 XLA makes Inf, where eager execution gives 1e11.
        beside=codes("LC103 LC107 LC503"),
        undeclared=True,
        why="the name sample_weight says its role; the cross entropy says the rest",
        remark="A weight makes the model look more certain, and a right prediction matter less.",
    ),
    Truth(
        loss=detection.cells_of_a_fixed_batch,
        source="experiencor/keras-yolo2, issue 433 (frontend.py)",
        arguments={
            "y_true": argument(CELL, "(B, 3, 3, 5)"),
            "y_pred": argument("logits", "(B, 3, 3, 5)"),
        },
        fault=Fault(
            codes=codes("LC402"),
            severity="error",
            line="tf.tile(cells, [BATCH_SIZE, 1, 1, 1])",
            trigger={
                "y_true": np.full((2, 3, 3, 5), 1.0).tolist(),
                "y_pred": np.zeros((2, 3, 3, 5)).tolist(),
            },
            what="what a batch of two gives, against the losses of its samples, each four times "
            "in a batch of four; a batch of one gives four losses",
            observed="InvalidArgumentError",
            expected=2.526481,
        ),
        beside=codes("LC401 LC404 LC603"),
        undeclared=False,
        why="rank 4, a grid of 3 and five columns stand in constants alone",
        remark="The last batch of an epoch is the one that is smaller.",
    ),
    Truth(
        loss=generative.tone_histogram,
        source="albrateanu/LYT-Net, issue 16",
        arguments=both("[0, 1]", "[0, 1]", "(B, D)"),
        fault=Fault(
            codes=codes("LC102"),
            severity="error",
            line="tf.histogram_fixed_width(y_pred, [0.0, 1.0], nbins=BINS)",
            trigger={"y_true": [[0.5, 0.25]], "y_pred": [[0.6, 0.25]]},
            what="the gradient of tf.GradientTape: counting has none",
            observed="None",
            expected="a number for each pixel",
        ),
        beside=codes("LC105 LC502 LC506 LC602 LC603"),
        undeclared=True,
        why="no domain gives it a gradient",
        remark="No argmax, cast or comparison of the prediction: an op that has no gradient.",
    ),
    Truth(
        loss=embedding.additive_angle,
        source="deepinsight/insightface, issue 228",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("[-1, 1]", "(B, C)"),
        },
        fault=Fault(
            codes=codes("LC105"),
            severity="error",
            line="tf.where(y_pred > math.cos(math.pi - MARGIN), wider, beyond)",
            trigger={"y_true": [0.0], "y_pred": [[TURN, 0.0, 0.0]]},
            what="by how much the loss falls to the next float32 number: 30 times the 0.1173 "
            "between cos(pi) and cos(pi - m) - m sin(m); 0 if the branches met",
            observed=3.518858,
            expected=0.0,
        ),
        beside=codes("LC101 LC107 LC108 LC206 LC503"),
        undeclared=True,
        why="the branch is taken in the middle of the reals as well, where cosines of more than 1 "
        "meet the floor of the sine",
        remark="Both branches are formulas that are meant to meet, and do not.",
    ),
    Truth(
        loss=embedding.sample_by_sample,
        source="tensorflow/tensorflow, issue 37440",
        arguments=both("real", "real", "(B, D)"),
        fault=Fault(
            codes=codes("LC501"),
            severity="error",
            line="for label, guess in zip(y_true, y_pred, strict=True):",
            trigger={"y_true": [[1.0, 2.0]], "y_pred": [[0.0, 2.0]]},
            what="what tf.function gives with autograph=False, as Keras traces it; eagerly it is "
            "a number",
            observed="OperatorNotAllowedInGraphError",
            expected=0.166667,
        ),
        beside=codes("LC402 LC602 LC603"),
        undeclared=True,
        why="it fails whatever it is given",
        remark="A Python loop over the batch, not an if.",
    ),
    Truth(
        loss=likelihood.counts_from_rate,
        source="theislab/dca, pull request 39 (dca/loss.py)",
        arguments=both("count", "positive", "(B, D)"),
        fault=Fault(
            codes=codes("LC901"),
            severity="error",
            line="ways = tf.lgamma(size) - tf.lgamma(y_true + 1.0)",
            trigger={"y_true": [[3.0]], "y_pred": [[2.0]]},
            what="what the call gives, against the negative binomial likelihood in mpmath",
            observed="AttributeError",
            expected=2.167035,
        ),
        beside=codes("LC603"),
        undeclared=True,
        why="it fails whatever it is given",
        remark="A function of TensorFlow 1 that is tf.math.lgamma now.",
    ),
    Truth(
        loss=likelihood.several_quantiles,
        source="ml-stat-Sustech/TorchCP, issue 27",
        arguments={
            "y_true": argument("real", "(B, 1)"),
            "y_pred": argument("real", "(B, 3)"),
        },
        fault=Fault(
            codes=codes("LC401"),
            severity="error",
            line="error = y_true - y_pred[:, i]",
            trigger={
                "y_true": [[1.0], [5.0]],
                "y_pred": [[1.0, 1.0, 1.0], [5.0, 5.0, 5.0]],
            },
            what="the loss of perfect quantiles: a column less a row is a square of differences",
            observed=3.0,
            expected=0.0,
        ),
        beside=codes("LC108"),
        undeclared=False,
        why="with labels of (B,) it is right; that they come as (B, 1) has to be declared",
        remark="A slice of the prediction drops the axis that the labels keep.",
    ),
    Truth(
        loss=likelihood.log_error_of_floored,
        source="dreamquark-ai/tabnet, issue 438",
        arguments={
            "y_true": argument("nonnegative", "(B, 1)"),
            "y_pred": argument("real", "(B, 1)"),
        },
        fault=Fault(
            codes=codes("LC103"),
            severity="error",
            line="tf.maximum(y_pred, 0.0)",
            trigger={"y_true": [[2.0]], "y_pred": [[-1.0]]},
            what="the gradient at a loss of 1.2, where every prediction below 0 stays: half of "
            "the ordinary range, counted",
            observed=0.0,
            expected="below 0",
        ),
        beside=codes("LC108"),
        undeclared=False,
        why="labels below -1 have no logarithm, and where predictions are inferred to be "
        "nonnegative nothing is dead",
        remark="The floor that mends the NaN of negative predictions keeps them negative.",
    ),
)
