"""The twenty sound losses: finite, right and differentiable throughout their working ranges."""

from __future__ import annotations

from tests.wild.projects import (
    audio,
    detection,
    embedding,
    generative,
    likelihood,
    reinforcement,
    segmentation,
    survival,
    vision,
)
from tests.wild.projects.truth import Truth, argument, both, codes

PHASE = "[-3.1416, 3.1416]"
SOUND = (
    Truth(
        loss=audio.spectra_at_two_resolutions,
        source="kan-bayashi/ParallelWaveGAN, parallel_wavegan/losses/stft_loss.py",
        arguments=both("[-1, 1]", "[-1, 1]", "(B, 64)"),
        beside=codes("LC101 LC107 LC302 LC502"),
        undeclared=False,
        why="below 32 samples there is no frame, and the mean of none is NaN",
        remark="Complex numbers inside. Of near duplicates the sign of a difference of logarithms "
        "is a matter of rounding: a tie and no lost digits (LC302 at most a warning). Complex "
        "halves do not exist (LC502). The floor of the power is added here, not a maximum, and the "
        "norm of differences, which has no slope at a perfect match, has one too.",
    ),
    Truth(
        loss=audio.best_assignment,
        source="google-research/sound-separation, models/neurips2020_mixit/model.py and "
        "models/dcase2020_fuss_baseline/train/permutation_invariant.py",
        arguments=both("[-1, 1]", "[-1, 1]", "(B, 2, T)"),
        beside=codes("LC101 LC107 LC302"),
        undeclared=False,
        why="that the second axis holds two sources stands nowhere in the graph: reverse takes any",
        remark="A signed loss (decibels) and the lesser of two orders: a kink where they tie, no "
        "jump. Of two estimates that are nearly equal either order is right to within rounding: a "
        "tie and no lost digits. Silent sources and silent estimates are finite.",
    ),
    Truth(
        loss=segmentation.lovasz_hinge,
        source="bermanmaxim/LovaszSoftmax, tensorflow/lovasz_losses_tf.py",
        arguments=both("binary", "logits", "(B, D)"),
        beside=codes("LC101"),
        undeclared=False,
        why="of labels other than 0 and 1 the union can be 0: they have to be declared",
        remark="Sorting, gathering and cumulative sums: continuous where errors tie, and the "
        "gradient of one order lies between the one-sided derivatives.",
    ),
    Truth(
        loss=segmentation.centerline_dice,
        source="jocpae/clDice, cldice_loss/keras/cldice.py and soft_skeleton.py",
        arguments=both("binary", "probability", "(B, 8, 8, 1)"),
        beside=codes("LC101 LC103 LC502"),
        undeclared=False,
        why="the graph's pooling asks for rank 4, but any numbers pass: with reals of either sign "
        "a share plus a smoothing of 1 can come to 0",
        remark="Pools of pools with ties nearly everywhere. At an empty prediction, at the edge of "
        "its domain, the relu's slope of 0 is not the one-sided one: a tie (LC101, a warning).",
    ),
    Truth(
        loss=detection.distance_iou,
        source="Zzh-tju/DIoU-darknet, src/box.c",
        arguments=both("box", "box", "(B, 4)"),
        beside=codes("LC101 LC107"),
        undeclared=False,
        why="a domain of boxes may be inferred from the slices; among reals the areas of inverted "
        "boxes make the union 0 or negative",
        remark="Boxes that touch, are nested, equal or without area. Two equal boxes of no area "
        "cost 1, and so does every other prediction of such a label, or more.",
    ),
    Truth(
        loss=detection.varifocal,
        source="open-mmlab/mmdetection, mmdet/models/losses/varifocal_loss.py",
        arguments=both("[0, 1]", "logits", "(B, D)"),
        beside=codes("LC103 LC107"),
        undeclared=True,
        why="sigmoid_cross_entropy_with_logits says what both are",
        remark="The weight jumps with the label, from 0 to above, and never with the prediction; "
        "the gradient runs through the weight as well.",
    ),
    Truth(
        loss=detection.adaptive_wing,
        source="elliottzheng/AdaptiveWingLoss, adaptive_wing_loss.py",
        arguments=both("[0, 1]", "real", "(B, D)"),
        beside=codes("LC103 LC107"),
        undeclared=False,
        why="labels above 2.1 turn the power negative: labels have to be declared",
        remark="A power between 1.1 and 2.1 at a base of 0: the slope exists and is 0, but a "
        "difference quotient comes near it as slowly as h to the power of 0.1. The branches meet "
        "in value and in slope.",
    ),
    Truth(
        loss=generative.relativistic_critic,
        source="AlexiaJM/RelativisticGAN, code/GAN_losses_iter.py",
        arguments=both("logits", "logits", "(B, 1)"),
        beside=codes("LC108"),
        undeclared=True,
        why="a squeeze of axis 1 asks for (B, 1); reals pass as logits do",
        remark="What stands as y_true are scores, not labels: that the loss falls away from "
        "y_pred == y_true is meant so (LC108, a warning). Samples are coupled by the means.",
    ),
    Truth(
        loss=generative.mean_discrepancy,
        source="ShengjiaZhao/MMD-Variational-Autoencoder, mmd_vae.py",
        arguments=both("real", "real", "(B, D)"),
        beside=codes("LC103 LC107 LC108 LC602"),
        undeclared=True,
        why="real (B, D) is what is inferred",
        remark="Far samples see nothing of each other: the gradient underflows, and so does the "
        "true one. A scalar of a coupled batch (LC602 scalar, LC403).",
    ),
    Truth(
        loss=generative.hologram,
        source="computational-imaging/neural-holography, algorithms.py (amplitudes and a learned "
        "scale there, intensities and the best scale here)",
        arguments={
            "y_true": argument("nonnegative", "(B, 4, 4)"),
            "y_pred": argument(PHASE, "(B, 4, 4)"),
        },
        beside=codes("LC107 LC502"),
        undeclared=False,
        why="the field's normalisation is for four pixels a side",
        remark="exp(i phase) through fft2d: complex numbers in both directions. The divisor, the "
        "sum of squared intensities, cannot be 0, for the field's power is constant.",
    ),
    Truth(
        loss=reinforcement.quantile_values,
        source="BY571/QR-DQN, QR-DQN.ipynb",
        arguments=both("real", "real", "(B, D)"),
        beside=codes("LC108"),
        undeclared=True,
        why="real (B, D) is what is inferred",
        remark="An indicator that jumps, times an error that is 0 there: continuous and smooth. "
        "All pairs of quantiles by intended broadcasting. The least loss is not at equal "
        "quantiles in any order (LC108, a warning).",
    ),
    Truth(
        loss=reinforcement.corrected_returns,
        source="google-deepmind/scalable_agent, vtrace.py",
        arguments={
            **both("real", "real", "(B, 4)"),
            "log_ratios": argument("logits", "(B, 4)", "input"),
        },
        beside=codes("LC101 LC108"),
        undeclared=False,
        why="four steps and the role of log_ratios have to be declared",
        remark="stop_gradient on the targets, so the gradient is not the derivative, on purpose "
        "(LC101 stop-gradient, a warning); exp overflows inside and minimum mends it.",
    ),
    Truth(
        loss=embedding.all_similarities,
        source="KevinMusgrave/pytorch-metric-learning, "
        "src/pytorch_metric_learning/losses/multi_similarity_loss.py",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("unit_vector", "(B, D)"),
        },
        beside=codes("LC206"),
        undeclared=False,
        why="among reals exp(50 * similarity) overflows: unit vectors have to be declared",
        remark="exp of 25 and of -3 at most: no overflow on the sphere. Classes are only compared.",
    ),
    Truth(
        loss=embedding.pairs_by_sigmoid,
        source="google-research/big_vision, big_vision/trainers/proj/image_text/siglip.py",
        arguments=both("unit_vector", "unit_vector", "(B, D)"),
        beside=codes("LC108"),
        undeclared=True,
        why="products of reals are finite as well, and (B, D) is what is inferred",
        remark="An identity matrix of the batch's size. Among equal texts a prediction that is "
        "further from all of them costs less (LC108, a warning).",
    ),
    Truth(
        loss=survival.conditional_survival,
        source="MGensheimer/nnet-survival, nnet_survival.py",
        arguments={
            "y_true": argument("binary", "(B, 6)"),
            "y_pred": argument("probability", "(B, 3)"),
        },
        beside=codes("LC103 LC107"),
        undeclared=False,
        why="labels are twice as wide as predictions, which only the slices tell",
        remark="A floor of 1e-7 below a logarithm: finite, and dead for a certain wrong prediction "
        "(LC103 at a point, a warning).",
    ),
    Truth(
        loss=likelihood.counts_from_log_rate,
        source="scverse/scvi-tools, src/scvi/distributions/_negative_binomial.py",
        arguments=both("count", "logits", "(B, D)"),
        beside=codes("LC107 LC301 LC503"),
        undeclared=False,
        why="lgamma of a negative label is not finite: counts have to be declared, or inferred "
        "with a warning",
        remark="Two softplus that never cancel. The difference of two lgamma does at counts of "
        "1e6, in a term without the prediction (LC301 and LC503 in the working range: warnings).",
    ),
    Truth(
        loss=likelihood.ranked_probability,
        source="properscoring/properscoring, properscoring/_crps.py",
        arguments={
            "y_true": argument("real", "(B, 1)"),
            "y_pred": argument(["real", "positive"], "(B, 2)"),
        },
        beside=codes("LC107 LC401"),
        undeclared=False,
        why="a second column of 0 or below is a spread that does not exist",
        remark="Errors of 2e9 over a spread of 1e-8: the square of 2e17 fits float32. Written so "
        "that nothing cancels in the gradient of the spread.",
    ),
    Truth(
        loss=vision.edge_aware_smoothness,
        source="nianticlabs/monodepth2, layers.py and trainer.py",
        arguments={
            "y_true": argument("[0, 1]", "(B, 5, 5, 3)"),
            "y_pred": argument("positive", "(B, 5, 5, 1)"),
        },
        beside=codes("LC101 LC107"),
        undeclared=False,
        why="rank 4, and a mean disparity of 0 or below",
        remark="Labels are an image of other channels than the prediction; a flat disparity is a "
        "tie of every absolute value.",
    ),
    Truth(
        loss=vision.tags_in_a_row,
        source="tensorflow/addons, tensorflow_addons/text/crf.py",
        arguments={
            "y_true": argument("class_index", "(B, 4)"),
            "y_pred": argument("logits", "(B, 4, 3)"),
        },
        beside=codes("LC206 LC301"),
        undeclared=False,
        why="four steps of three tags stand in the loop and in the table alone",
        remark="A dynamic programme: logsumexp within a loop. A label of -1 is a row of zeros "
        "(LC206); of logits of 1e4 a likelihood near 0 keeps no digits (LC301 at most a warning).",
    ),
    Truth(
        loss=vision.oscillator,
        source="maziarraissi/PINNs, appendix/continuous_time_inference (Burgers)/Burgers.py",
        arguments={
            "y_true": argument("real", "(B, 2)"),
            "y_pred": argument("real", "(B, 5)"),
        },
        beside=codes("LC107 LC108"),
        undeclared=False,
        why="the widths 2 and 5 stand in a stack and in a loop alone",
        remark="Two tapes, one inside the other, whose derivatives are differentiated again.",
    ),
)
