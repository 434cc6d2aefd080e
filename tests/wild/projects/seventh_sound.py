"""The sound ones of the seventh set."""

from __future__ import annotations

from tests.wild.projects import outcomes, signals
from tests.wild.projects.truth import Truth, argument, both, codes

FLAT = codes("LC101 LC103 LC107 LC108")
SEVENTH_SOUND = (
    Truth(
        loss=outcomes.squashed_action,
        source="openai/spinningup, issue 279 (spinup/algos/pytorch/sac/core.py)",
        arguments=both("real", "real", "(B, 3)"),
        beside=FLAT,
        undeclared=True,
        why="finite of any numbers",
        remark="Labels are worths; it falls below 0.",
    ),
    Truth(
        loss=outcomes.trusted_step,
        source="openai/baselines, baselines/ppo2/model.py",
        arguments={
            "y_true": argument(["[-5, 0]", "[-2, 2]"], "(B, 2)"),
            "y_pred": argument("[-5, 0]", "(B, 1)"),
        },
        beside=FLAT,
        undeclared=False,
        why="a ratio of chances overflows of any numbers",
        remark="No slope where the step is not trusted, on purpose.",
    ),
    Truth(
        loss=outcomes.teacher,
        source="haitongli/knowledge-distillation-pytorch, issue 2 (model/net.py)",
        arguments=both("logits", "logits", "(B, C)"),
        beside=FLAT,
        undeclared=True,
        why="finite of any numbers",
        remark="A factory with a temperature, by keras.ops.",
    ),
    Truth(
        loss=outcomes.rain,
        source="SantanderMetGroup/downscaleR.keras, R/discreteGammaIrregular.R",
        arguments={
            "y_true": argument("nonnegative", "(B, 1)"),
            "y_pred": argument(["probability", "[-3, 3]", "[-3, 3]"], "(B, 3)"),
        },
        beside=FLAT,
        undeclared=False,
        why="a chance and two logarithms stand in one tensor",
        remark="A label of 0 is of another kind than one above it.",
    ),
    Truth(
        loss=outcomes.evidence_of_classes,
        source="dougbrion/pytorch-classification-uncertainty, losses.py",
        arguments=both("one_hot", "logits", "(B, C)"),
        beside=FLAT,
        undeclared=True,
        why="a softplus is finite of any numbers",
        remark="Differences of digammas of numbers that grow.",
    ),
    Truth(
        loss=outcomes.many_likenesses,
        source="geonm/tf_ms_loss, tf_ms_loss.py",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("unit_vector", "(B, 3)"),
        },
        beside=FLAT | codes("LC105 LC206 LC602"),
        undeclared=False,
        why="what is no unit vector overflows an exponential",
        remark="What is hard jumps with what is nearest, as is meant (LC105, a warning).",
    ),
    Truth(
        loss=signals.signatures,
        source="sounakdey/SigNet, issue 1",
        arguments={
            "y_true": argument("binary", "(B,)"),
            "y_pred": argument("real", "(B, 2, D)"),
        },
        beside=FLAT,
        undeclared=True,
        why="finite of any numbers",
        remark="The root as it was mended: no slope where two are nearly equal.",
    ),
    Truth(
        loss=signals.regions_and_pixels,
        source="qubvel/segmentation_models, segmentation_models/base/functional.py",
        arguments=both("binary", "probability", "(B, 4, 4, 2)"),
        beside=FLAT,
        undeclared=True,
        why="what a logarithm takes is clipped to a chance",
        remark="Regions and pixels, by classes.",
    ),
    Truth(
        loss=signals.spectra,
        source="magenta/ddsp, ddsp/losses.py (SpectralLoss)",
        arguments=both("[-1, 1]", "[-1, 1]", "(B, 32)"),
        beside=FLAT,
        undeclared=True,
        why="a frame says how long a sound has to be, and is finite of any numbers",
        remark="Complex numbers, and a logarithm kept from 0.",
    ),
    Truth(
        loss=signals.soft_edges,
        source="swz30/MPRNet, Deblurring/losses.py",
        arguments=both("real", "real", "(B, 6, 6, 1)"),
        beside=FLAT,
        undeclared=True,
        why="finite of any numbers",
        remark="A convolution with a constant kernel.",
    ),
)
