"""Sixteen losses of a fourth set, half of them faulty, whose truths were settled beforehand."""

from __future__ import annotations

import math

import numpy as np

from tests.wild.projects import fourth_proofs as proofs
from tests.wild.projects import regions, rewards
from tests.wild.projects.truth import Fault, Truth, argument, both, codes

NONFINITE = codes("LC201 LC202 LC203 LC204 LC503")
DIGITS = codes("LC301 LC302")
FOURTH_FAULTY = (
    Truth(
        loss=regions.clusters_apart,
        source="hq-jiang/instance-segmentation-with-discriminative-loss-tensorflow, issue 15",
        arguments={
            "y_true": argument("class_index", "(B, 6)"),
            "y_pred": argument("real", "(B, 6, 2)"),
        },
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="between = tf.reduce_mean(tf.square(tf.nn.relu(2.0 * PUSH - apart)))",
            trigger={"y_true": [[1.0, 1.0]], "y_pred": [[[0.0, 0.0], [1.0, 1.0]]]},
            what="the loss of an image of one instance: the mean of no pair",
            observed=math.nan,
            expected="finite",
            fixed=proofs.clusters_apart,
        ),
        beside=NONFINITE | codes("LC101 LC103 LC107 LC108 LC206"),
        undeclared=True,
        why="tf.unique takes any labels, and one value of them is enough",
        remark="Sizes that only the labels tell, image by image: unique, segments, a boolean mask.",
    ),
    Truth(
        loss=regions.windowed_correlation,
        source="voxelmorph/voxelmorph, issues 127 and 178 (losses.py)",
        arguments=both("[0, 255]", "[0, 255]", "(B, 8, 8, 1)"),
        fault=Fault(
            codes=DIGITS,
            severity="warning",
            line="cross += -mean_moving * fixed",
            trigger={
                "y_true": np.full((1, 8, 8, 1), 200.7).tolist(),
                "y_pred": np.full((1, 8, 8, 1), 33.3).tolist(),
            },
            what="the loss of two flat images, against itself in float64: what they have in common "
            "in a window is a difference of equal numbers, as the spreads are: all of it rounding",
            observed=-1.126361,
            expected=0.25,
            fixed=proofs.windowed_correlation,
        ),
        beside=NONFINITE | codes("LC101 LC103 LC107 LC108"),
        undeclared=False,
        why="among numbers in [0, 1] the constant hides it",
        remark="A variance in one pass; next to the border windows are partly outside.",
    ),
    Truth(
        loss=rewards.phi_coefficient,
        source="chemprop/chemprop, issue 846",
        arguments=both("binary", "real", "(B, 1)"),
        fault=Fault(
            codes=codes("LC201"),
            severity="error",
            line="tf.sqrt(product)",
            trigger={"y_true": [[1.0], [0.0]], "y_pred": [[0.5], [-1.0]]},
            what="the loss, where a score below 0 makes a count negative: the root of -1.25",
            observed=math.nan,
            expected="finite",
            fixed=proofs.phi_coefficient,
        ),
        beside=NONFINITE | DIGITS | codes("LC101 LC103 LC105 LC107 LC108 LC401"),
        undeclared=True,
        why="of numbers in [0, 1] one class alone makes it 0/0",
        remark="A Loss with a config, which couples the samples of a batch.",
    ),
    Truth(
        loss=regions.capsule_margin,
        source="XifengGuo/CapsNet-Keras, pull request 83; ageron/handson-ml, issue 173",
        arguments={
            "y_true": argument("one_hot", "(B, 3)"),
            "y_pred": argument("real", "(B, 3, 4)"),
        },
        fault=Fault(
            codes=codes("LC203"),
            severity="error",
            line="lengths = tf.sqrt(tf.reduce_sum(tf.square(_squash(y_pred)), axis=-1))",
            trigger={"y_true": [[1.0, 0.0]], "y_pred": np.zeros((1, 2, 3)).tolist()},
            what="the first entry of the gradient of a capsule of zeros: infinity times 0, in "
            "float64 as well",
            observed=math.nan,
            expected="finite",
            fixed=proofs.capsule_margin,
        ),
        beside=NONFINITE | codes("LC101 LC103 LC107 LC108"),
        undeclared=True,
        why="reals hold rows of zeros; shapes that fit are enough",
        remark="One root is kept from 0, and the one behind it is not.",
    ),
    Truth(
        loss=rewards.efficiency_of_runoff,
        source="oreopie/physics-aware-dl, libs/hydroutils.py",
        arguments=both("nonnegative", "nonnegative", "(B, 6, 1)"),
        fault=Fault(
            codes=codes("LC202 LC201"),
            severity="error",
            line="return unexplained / tf.reduce_sum(tf.square(seen - mean), axis=1)",
            trigger={
                "y_true": np.zeros((1, 6, 1)).tolist(),
                "y_pred": np.ones((1, 6, 1)).tolist(),
            },
            what="the loss of a river that was dry all the time: 4/0, in float64 as well",
            observed=math.inf,
            expected="finite",
            fixed=proofs.efficiency_of_runoff,
        ),
        beside=NONFINITE | DIGITS | codes("LC101 LC102 LC103 LC107 LC108 LC404 LC405"),
        undeclared=True,
        why="labels that are all equal are among the numbers of any domain",
        remark="A closure. The first two days have no gradient on purpose (LC102 of a slice), and "
        "what is returned is a number a sample and channel (LC404), both of them warnings.",
    ),
    Truth(
        loss=rewards.actor_with_baseline,
        source="PacktPublishing/Deep-Reinforcement-Learning-Hands-On, issue 33",
        arguments={
            "y_true": argument("real", "(B,)"),
            "y_pred": argument(["real", "logits", "logits", "logits"], "(B, 4)"),
            "action": argument("class_index", "(B,)", "input"),
        },
        fault=Fault(
            codes=codes("LC401"),
            severity="error",
            line="advantage = tf.stop_gradient(y_true - value)",
            trigger={
                "y_true": [1.0, 3.0],
                "y_pred": [[0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 0.0, 0.0]],
                "action": [0.0, 0.0],
            },
            what="the loss, against the mean of the two samples' own losses: a row less a column "
            "pairs every return with every value",
            observed=1.824084,
            expected=2.038851,
            fixed=proofs.actor_with_baseline,
        ),
        beside=DIGITS | codes("LC101 LC103 LC107 LC108 LC206 LC602"),
        undeclared=False,
        why="the role of the action has to be declared",
        remark="The value is squeezed on one line and not on the next.",
    ),
    Truth(
        loss=rewards.ranks_apart,
        source="keras-team/keras, issue 16663",
        arguments=both("real", "real", "(B, 4)"),
        fault=Fault(
            codes=codes("LC102"),
            severity="error",
            line="guessed = tf.argsort(tf.argsort(y_pred, axis=-1), axis=-1)",
            trigger={"y_true": [[1.0, 2.0, -1.0]], "y_pred": [[3.0, 1.0, 2.0]]},
            what="the gradient of tf.GradientTape: a sort that gives places has none",
            observed="None",
            expected="a number for each score",
            fixed=proofs.ranks_apart,
        ),
        beside=codes("LC103 LC105 LC303 LC404 LC502 LC603"),
        undeclared=True,
        why="no domain gives it a gradient",
        remark="A closure; what is returned are integers.",
    ),
    Truth(
        loss=rewards.critic_descends,
        source="tensorflow/agents, issue 491 (td3_agent.py)",
        arguments=both("real", "real", "(B, 3)"),
        fault=Fault(
            codes=codes("LC402 LC901"),
            severity="error",
            line="each = tf.reduce_sum(each, axis=(1, each.shape.rank))",
            trigger={"y_true": [[1.0, 2.0]], "y_pred": [[0.0, 1.0]]},
            what="a call with actions of two numbers: the axes of rank 2 are 0 and 1",
            observed="InvalidArgumentError",
            expected=2.5,
            fixed=proofs.critic_descends,
        ),
        beside=codes("LC101 LC102 LC103 LC501 LC502 LC603"),
        undeclared=False,
        why="it takes actions of one number, and nothing says that there are more",
        remark="A Python if on a rank, which a trace knows.",
    ),
)
FOURTH_SOUND = (
    Truth(
        loss=regions.skill_of_fractions,
        source="CIRA-ML/custom_loss_functions, fractions skill score",
        arguments=both("probability", "probability", "(B, 6, 6, 1)"),
        beside=codes("LC103 LC107 LC602"),
        undeclared=True,
        why="the pools say the rank, and sigmoids take any number",
        remark="Layers of Keras in a closure; one number for a batch.",
    ),
    Truth(
        loss=regions.hardest_negatives,
        source="pierluigiferrari/ssd_keras, keras_loss_function/keras_ssd_loss.py",
        arguments={
            "y_true": argument(["binary"] * 3 + ["real"] * 4, "(B, 4, 7)"),
            "y_pred": argument(["probability"] * 3 + ["real"] * 4, "(B, 4, 7)"),
        },
        beside=codes("LC101 LC103 LC105 LC107 LC108 LC506 LC602"),
        undeclared=False,
        why="seven columns of two kinds stand in constants",
        remark="As many of the worst of a batch as its labels ask for: top_k, scatter_nd, a cond. "
        "What is picked jumps with what is hardest, as is meant.",
    ),
    Truth(
        loss=regions.rotated_words,
        source="argman/EAST, model.py",
        arguments={
            "y_true": argument(["binary", *["positive"] * 4, "[-0.7, 0.7]"], "(B, 3, 3, 6)"),
            "y_pred": argument(["probability", *["positive"] * 4, "[-0.7, 0.7]"], "(B, 3, 3, 6)"),
        },
        beside=codes("LC101 LC103 LC107 LC108 LC602"),
        undeclared=False,
        why="among reals a box has no area, or less",
        remark="Six columns by tf.unstack. A picture without words costs what a perfect one does "
        "not (LC103 or LC108, warnings).",
    ),
    Truth(
        loss=regions.matched_points,
        source="Visual-Behavior/detr-tensorflow, detr_tf/loss/hungarian_matching.py",
        arguments=both("[0, 1]", "[0, 1]", "(B, 3, 2)"),
        beside=codes("LC101 LC107 LC504 LC506"),
        undeclared=True,
        why="ranks that do not fit raise in SciPy, and reals are as good as shares",
        remark="The partners come from SciPy by tf.numpy_function; the gradient is that of the "
        "distances alone, as is right: partners are constant nearby.",
    ),
    Truth(
        loss=rewards.lifetime_value,
        source="google/lifetime_value, lifetime_value/zero_inflated_lognormal.py",
        arguments={
            "y_true": argument("nonnegative", "(B, 1)"),
            "y_pred": argument("real", "(B, 3)"),
        },
        beside=codes("LC103 LC107 LC108"),
        undeclared=True,
        why="of labels of 0 and below no logarithm is taken",
        remark="What is not positive is made 1 before its logarithm, not after it.",
    ),
    Truth(
        loss=rewards.binned_precision,
        source="kunhe/FastAP-metric-learning, pytorch/FastAP_loss.py",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("unit_vector", "(B, 3)"),
        },
        beside=codes("LC101 LC103 LC107 LC206 LC602"),
        undeclared=False,
        why="that embeddings are unit vectors stands nowhere",
        remark="A histogram of triangles, whose kinks lie at equal rows. Of a class of one there "
        "is nothing to find.",
    ),
    Truth(
        loss=rewards.voices,
        source="HarryVolek/PyTorch_Speaker_Verification, speech_embedder_net.py (GE2E)",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("unit_vector", "(B, 3)"),
        },
        beside=codes("LC107 LC206 LC602"),
        undeclared=False,
        why="three speakers stand in a number, and unit vectors nowhere",
        remark="A voice is taken out of its own mean: a sum less what was added.",
    ),
    Truth(
        loss=rewards.weighed_tasks,
        source="yaringal/multi-task-learning-example, multi-task-learning-example.ipynb",
        arguments=both("real", "real", "(B, 2)"),
        undeclared=False,
        why="two tasks stand in a list, and an axis of 1 is broadcast",
        remark="A Loss of keras.ops alone, which is below 0 where it is right.",
    ),
)
FOURTH = (*FOURTH_FAULTY, *FOURTH_SOUND)
