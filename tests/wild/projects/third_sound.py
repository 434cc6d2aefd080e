"""Twelve sound losses of the third set."""

from __future__ import annotations

from tests.wild.projects import adversaries, densities, fields, plans
from tests.wild.projects.truth import Truth, argument, both, codes

THIRD_SOUND = (
    Truth(
        loss=adversaries.binned_return,
        source="danijar/dreamerv3, dreamerv3/jaxutils.py",
        arguments={
            "y_true": argument("real", "(B,)"),
            "y_pred": argument("logits", "(B, 5)"),
        },
        beside=codes("LC103 LC107"),
        undeclared=False,
        why="five bins stand in a range alone, and a last axis of 1 runs as well",
        remark="The sign and the absolute value are of labels; weights of two bins sum to 1.",
    ),
    Truth(
        loss=adversaries.worst_fall,
        source="jankrepl/deepdow, deepdow/losses.py (MaximumDrawdown)",
        arguments={
            "y_true": argument("[-0.5, 0.5]", "(B, 4, 3)"),
            "y_pred": argument("logits", "(B, 3)"),
        },
        beside=codes("LC101 LC103 LC107 LC108"),
        undeclared=False,
        why="returns below -1 make a value negative, and the highest of them a divisor",
        remark="A greatest of quotients by a greatest: kinks where two times tie. A portfolio that "
        "never falls costs 0, and has no slope there. Labels are three axes, predictions two.",
    ),
    Truth(
        loss=adversaries.batch_of_candidates,
        source="tensorflow/recommenders, tensorflow_recommenders/tasks/retrieval.py and "
        "layers/loss.py",
        arguments={
            **both("real", "real", "(B, D)"),
            "ids": argument("class_index", "(B,)", "input"),
            "chance": argument("probability", "(B,)", "input"),
        },
        beside=codes("LC103 LC107 LC108 LC206 LC502 LC602"),
        undeclared=False,
        why="the roles of the identities and the chances have to be declared",
        remark="Candidates that are the right one under another row are masked by a number that "
        "fits float32, and no half (LC502). Labels are queries: equality is not the least.",
    ),
    Truth(
        loss=densities.beta_weighted,
        source="martius-lab/beta-nll, src/trainers/likelihood_trainer.py",
        arguments={
            "y_true": argument("real", "(B, 1)"),
            "y_pred": argument(["real", "positive"], "(B, 2)"),
        },
        beside=codes("LC101 LC107 LC108 LC401"),
        undeclared=False,
        why="a variance of 0 or below does not exist",
        remark="The weight is held, so that the gradient is not the derivative, on purpose (LC101 "
        "stop-gradient, a warning).",
    ),
    Truth(
        loss=densities.denoising_score,
        source="yang-song/score_sde_pytorch, losses.py and sde_lib.py (VESDE)",
        arguments={
            **both("real", "real", "(B, D)"),
            "time": argument("[0, 1]", "(B,)", "input"),
        },
        beside=codes("LC107 LC108"),
        undeclared=False,
        why="the role of the time has to be declared",
        remark="A number to the power of an input. What undoes a noise is its negative, scaled: "
        "equality is not the least (LC108, a warning).",
    ),
    Truth(
        loss=fields.weather,
        source="google-deepmind/graphcast, graphcast/losses.py",
        arguments=both("real", "real", "(B, 4, 6, 2)"),
        beside=codes("LC107"),
        undeclared=False,
        why="four latitudes and two levels stand in tables, and axes of 1 are broadcast",
        remark="Weights are made by NumPy of constants, which is fine.",
    ),
    Truth(
        loss=fields.census,
        source="google-research/google-research, uflow/uflow_utils.py",
        arguments=both("[0, 1]", "[0, 1]", "(B, 6, 6, 1)"),
        beside=codes("LC101 LC103 LC107"),
        undeclared=True,
        why="the convolution says the shape, and reals are finite as well",
        remark="An absolute value of what is never negative, to a power of 0.4 with a floor.",
    ),
    Truth(
        loss=fields.joints_in_heat,
        source="JimmySuen/integral-human-pose, "
        "pytorch_projects/common_pytorch/common_loss/integral.py",
        arguments={
            "y_true": argument("[-0.5, 0.5]", "(B, 2, 2)"),
            "y_pred": argument("logits", "(B, 2, 4, 4)"),
            "seen": argument("binary", "(B, 2)", "input"),
        },
        beside=codes("LC101 LC103 LC107 LC108"),
        undeclared=False,
        why="four pixels a side stand in a constant, and joints that are seen in an argument",
        remark="Heat that is certain of a wrong place is dead, by a softmax (LC103, a warning); a "
        "joint that is not seen has no gradient, as is meant.",
    ),
    Truth(
        loss=plans.transport,
        source="dfdazac/wassdistance, layers.py",
        arguments=both("[0, 1]", "[0, 1]", "(B, 3, 2)"),
        beside=codes("LC107 LC108"),
        undeclared=False,
        why="a share of a third stands in a constant",
        remark="Three rounds of two logsumexps each, all differentiated. A regular plan of equal "
        "clouds costs something, and less where points draw together (LC108, a warning).",
    ),
    Truth(
        loss=plans.graph_code,
        source="tkipf/gae, gae/optimizer.py and gae/model.py",
        arguments={
            "y_true": argument("binary", "(B, 4, 4)"),
            "y_pred": argument(["[-3, 3]", "[-3, 3]", "[-4, 2]", "[-4, 2]"], "(B, 4, 4)"),
        },
        beside=codes("LC107 LC108"),
        undeclared=False,
        why="among reals the exponential of the spread overflows",
        remark="Labels pair what predictions have one row for, of the same size by chance.",
    ),
    Truth(
        loss=plans.cloud_class,
        source="charlesq34/pointnet, models/pointnet_cls.py",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("logits", "(B, 3)"),
            "transform": argument("real", "(B, 3, 3)", "input"),
        },
        beside=codes("LC103 LC107 LC206 LC301 LC503"),
        undeclared=False,
        why="the role of the transform has to be declared",
        remark="A term without the prediction, of up to 1e34, beside a cross entropy.",
    ),
    Truth(
        loss=plans.proxy_anchor,
        source="tjddus9597/Proxy-Anchor-CVPR2020, code/losses.py",
        arguments={
            "y_true": argument("class_index", "(B,)"),
            "y_pred": argument("unit_vector", "(B, 3)"),
        },
        beside=codes("LC103 LC107 LC206 LC602"),
        undeclared=False,
        why="among reals exp(32 * similarity) overflows",
        remark="exp of 35 at most. Classes that are missing from a batch count in one part only; "
        "of no sample there is no class (LC405, a note).",
    ),
)
